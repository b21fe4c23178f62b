//! `run --arm` and `run --point`: only these run, and everything is about them.

use std::fs;
use std::path::Path;

use super::super::check::{Ran, path, stormglass};
use super::resume::{finished, interrupted, kill};
use super::{assert_same, command, write_experiment};
use tempfile::TempDir;

/// Runs what is chosen of the short brownout.
fn run(folder: &Path, out: &str, chosen: &[&str]) -> Ran {
    let experiment = folder.join("short.toml");
    let out = folder.join(out);
    stormglass(&[&["run", path(&experiment), "--out", path(&out)], chosen].concat())
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).expect(file)
}

#[test]
fn a_part_has_the_rows_that_it_has_in_the_whole() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    write_experiment(folder);
    let whole = run(folder, "whole", &["--quiet"]);
    assert_eq!(whole.code, Some(0), "{}", whole.error);
    let chosen = ["--arm", "full_jitter", "--arm", "no_retry", "--point", "handling=outbox"];
    let part = run(folder, "part", &chosen);
    assert_eq!(part.code, Some(0), "{}", part.error);
    for file in ["runs.csv", "series.csv", "faults.csv"] {
        let whole = read(folder, &format!("whole/{file}"));
        let is_chosen = |line: &&str| {
            let mut fields = line.split(',');
            let (arm, point) = (fields.next(), fields.next());
            arm == Some("arm")
                || (matches!(arm, Some("full_jitter" | "no_retry"))
                    && point == Some("handling=outbox"))
        };
        let expected: Vec<&str> = whole.lines().filter(is_chosen).collect();
        assert!(expected.len() > 2, "{file}");
        assert_eq!(read(folder, &format!("part/{file}")).lines().collect::<Vec<_>>(), expected);
    }
    let tables = read(folder, "part/tables.md");
    assert!(!tables.contains("circuit breaker") && tables.contains("full jitter"), "{tables}");
    assert!(part.out.contains("2 arms × 2 seeds (1 to 2) = 4 runs"), "{}", part.out);
    let manifest: serde_json::Value =
        serde_json::from_str(&read(folder, "part/manifest.json")).unwrap();
    assert_eq!(manifest["only"]["arms"], serde_json::json!(["full_jitter", "no_retry"]));
    let command = manifest["command"].as_str().unwrap();
    let told = "--arm full_jitter --arm no_retry --point handling=outbox";
    assert!(command.contains(told), "{command}");
}

#[test]
fn a_baseline_that_does_not_run_is_missed() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let experiment = write_experiment(folder);
    let text = fs::read_to_string(&experiment).unwrap();
    let one_seed = ["--seeds", "1..2", "--point", "handling=outbox"];
    let run = |text: &str, chosen: &[&str]| {
        fs::write(&experiment, text).unwrap();
        let ran = run(folder, "out", &[&one_seed[..], chosen].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.error);
        (ran.error, read(folder, "out/tables.md"))
    };
    let two = ["--arm", "budget", "--arm", "full_jitter"];
    let (error, tables) = run(&text, &two);
    let instead = "the baseline `no_retry` does not run: `full_jitter` is in its place";
    assert!(error.contains(instead) && tables.contains(instead), "{error}{tables}");
    let (error, _) = run(&text, &["--arm", "budget"]);
    assert!(!error.contains("baseline"), "nobody has named it: {error}");
    let text = format!("{text}[compare]\nbaseline = \"full_jitter\"\n");
    let (error, _) = run(&text, &["--arm", "budget"]);
    assert!(
        error.contains("the baseline `full_jitter` does not run: nothing is compared"),
        "{error}"
    );
    let (error, _) = run(&text, &two);
    assert!(!error.contains("baseline"), "{error}");
}

#[test]
fn an_unknown_name_is_told_with_the_nearest_and_before_anything_is_done() {
    let folder = TempDir::new().unwrap();
    write_experiment(folder.path());
    let error = |chosen: &[&str]| {
        let ran = run(folder.path(), "out", chosen);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
        assert!(!folder.path().join("out").exists());
        ran.error
    };
    assert!(
        error(&["--arm", "ful_jitter"])
            .contains("unknown arm `ful_jitter`: did you mean `full_jitter`?")
    );
    assert!(
        error(&["--arm", "+ full jitter"])
            .contains("`+ full jitter` is the label of an arm: its name, `full_jitter`")
    );
    let point = error(&["--point", "handling=outbx"]);
    assert!(point.contains("did you mean `handling=outbox`?"), "{point}");
}

#[test]
fn what_was_finished_of_another_choice_is_not_taken_for_this_one() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let experiment = write_experiment(folder);
    let (whole, broken) = (folder.join("whole"), folder.join("broken"));
    let of_arm = |arm: &str, out: &Path| {
        let mut command = command(&experiment, out, "1");
        command.args(["--arm", arm]);
        command
    };
    assert!(of_arm("budget", &whole).status().unwrap().success());
    let mut other = of_arm("breaker", &broken);
    other.args(["--seeds", "1..30"]);
    interrupted(other, || finished(&broken) >= 4, kill);
    assert!(finished(&broken) >= 4);
    let again = of_arm("budget", &broken).output().unwrap();
    let error = String::from_utf8(again.stderr).unwrap();
    assert!(error.contains("are of other inputs"), "{error}");
    assert_same(&whole, &broken);
}
