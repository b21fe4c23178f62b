//! `stormglass validate` on the published experiments: a quick part of each agrees, and what
//! differs is found.
//!
//! The seeds are fixed, so a test passes or fails always alike. A change of the seeds or of the
//! trace lets one of a thousand figures differ by chance: of these, about one change in fifteen.

use crate::common::Changed;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{path, read};

/// `stormglass validate --quick` in the folder of the project.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["validate", "--quick"]).args(arguments);
    command
}

fn validate(arguments: &[&str]) -> (Option<i32>, String) {
    let output = command(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a_quick_part_of_each_published_experiment_agrees() {
    let names = [
        "backoff-and-jitter",
        "cold-cache",
        "four-outcomes",
        "pause",
        "phase-diagram",
        "retry-storm",
        "ten-second-outage",
    ];
    let files = names.map(|name| format!("experiments/published/{name}.toml"));
    let (code, text) = validate(&files.each_ref().map(String::as_str));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(" 0 differ\n"), "{text}");
}

#[test]
fn figures_are_not_those_of_other_parameters() {
    let file = "experiments/published/pause.toml";
    let (code, text) = validate(&[file, "--set", "policy.user.timeout=600ms"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("0 agree, 0 agree but imprecisely, 0 differ, 17 of other"), "{text}");
}

/// A figure that is one off, of a run without randomness.
#[test]
fn a_planted_difference_is_found() {
    let folder = tempfile::tempdir().unwrap();
    // A model that a file names lies beside the folder of the experiments.
    let (experiments, models) = (folder.path().join("experiments"), folder.path().join("models"));
    fs::create_dir_all(&experiments).unwrap();
    fs::create_dir_all(&models).unwrap();
    for name in ["pause.toml", "pause-arrivals.csv"] {
        fs::copy(path("models/published").join(name), models.join(name)).unwrap();
    }
    let text = read(&path("experiments/published/pause.toml"));
    let text = text.changed("../../models/published", "../models");
    let figures = read(&path("experiments/published/figures/pause.csv"));
    let text = text.changed("figures/pause.csv", "pause.csv");
    let wrong = figures.changed("retries,,attempts,2706", "retries,,attempts,2707");
    assert_ne!(figures, wrong);
    let file = experiments.join("pause.toml");
    fs::write(&file, text).unwrap();
    fs::write(experiments.join("pause.csv"), wrong).unwrap();
    let (code, text) = validate(&[file.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("16 agree, 0 agree but imprecisely, 1 differ\n"), "{text}");
}

#[test]
fn an_experiment_is_found_by_its_name() {
    let (code, text) = validate(&["--only", "pause"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("17 agree") && !text.contains("closed forms"), "{text}");
}

#[test]
fn a_validation_that_was_killed_goes_on_from_its_finished_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole.md"), folder.path().join("killed.md"));
    let files = ["experiments/published/pause.toml", "experiments/validation/erlang-b.toml"];
    let writing = |page: &Path| command(&[files[0], files[1], "--write", page.to_str().unwrap()]);
    assert_eq!(writing(&whole).output().unwrap().status.code(), Some(0));

    let runs = folder.path().join(".killed.md.runs");
    let mut child = writing(&killed).stdout(Stdio::null()).spawn().unwrap();
    while fs::read_to_string(&runs).is_ok_and(|text| text.lines().count() < 5)
        || !runs.exists() && child.try_wait().unwrap().is_none()
    {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut text = fs::read_to_string(&runs).expect("it was killed before the page was whole");
    assert!(!killed.exists());
    text.push_str("a torn line");
    fs::write(&runs, text).unwrap();

    let output = writing(&killed).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("goes on from ") && told.ends_with(" finished runs\n"), "{told}");
    let numbers = |page: &Path| -> Vec<String> {
        let text = read(page);
        let of_the_moment = |line: &&str| !line.contains("the last time on");
        text.lines().filter(of_the_moment).map(str::to_owned).collect()
    };
    assert_eq!(numbers(&killed), numbers(&whole));
    assert!(!runs.exists(), "the page is whole");
}
