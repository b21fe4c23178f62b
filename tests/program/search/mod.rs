//! Searches: a boundary that is known is found, what has none or is no boundary is said to be, and
//! an interrupted search, or one with more workers, leaves the same bytes.

mod choose;
mod limit;
mod ramp;
mod rare;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Nothing here is left to chance: someone comes every second, is served in a millisecond, gives an
/// attempt up after 800 ms and tries again at once.
const CLOCKWORK: &str = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [{ call = "server.serve", policy = "user" }]

[service.server]
workers = 1

[service.server.on.serve]
steps = [{ work = "1ms" }, { reply = "ok" }]

[policy.user]
timeout = "800ms"
retry = { attempts = 5, backoff = "none" }
"#;

/// A third attempt begins 1.6 s after the first. Who comes at 10 s is answered two milliseconds
/// after the pause that begins at 9.5 s (its first attempt is served before its second), so the
/// third attempt begins if the pause lasts for more than 2.098 s.
const PAUSE: &str = r#"
name = "clockwork"
question = "How long a pause takes a third attempt?"
model = "model.toml"
arrivals = "20s"

[[faults]]
kind = "pause"
target = "server"
at = "9500ms"
for = "1s"

[invariants]
retries_bounded = { operation = "server.serve", attempts = 2 }

[search]
vary = "faults.0.for"
from = "500ms"
until = "6s"
outcome = "retries_bounded_violated"
"#;

/// R2 with a shorter horizon, and the same users without retries.
const RETRIES: &str = r#"
name = "retries"
question = "How long an outage do retries survive?"
model = "model.toml"
arrivals = "80s"

[[faults]]
kind = "pause"
target = "server"
at = "20s"
for = "1s"

[metastability]
window = "5s"
level = "80%"
for = "10s"
horizon = "30s"

[search]
vary = "faults.0.for"
from = "1s"
until = "16s"
steps = 8
sweep = 3
seeds = 10
levels = ["50%"]

[arms.retries]
[arms.alone]
label = "no retries"
set = { "policy.user.retry.attempts" = 1 }
"#;

const SERVER: &str = include_str!("../../../models/published/server-r.toml");

/// A folder with an experiment and its model.
fn folder(experiment: &str, model: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("experiment.toml"), experiment).unwrap();
    std::fs::write(folder.path().join("model.toml"), model).unwrap();
    folder
}

fn command(folder: &Path, out: &str, workers: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.arg("run").arg("experiment.toml").args(["--workers", workers, "--out", out]);
    command.current_dir(folder);
    command
}

fn run(folder: &Path, out: &str, workers: &str) -> Output {
    let output = command(folder, out, workers).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn summary(folder: &Path, out: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(out).join("summary.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_known_boundary_is_inside_its_interval() {
    let folder = folder(PAUSE, CLOCKWORK);
    let said = text(&run(folder.path(), "out", "2"));
    let summary = summary(folder.path(), "out");
    let found = &summary["boundaries"][0];
    assert_eq!(found["direction"], "rises");
    assert_eq!(found["turns"], Value::Null);
    for level in found["levels"].as_array().unwrap() {
        let number = |name: &str| level[name].as_f64().unwrap_or_else(|| panic!("{level}"));
        let (low, high, at) = (number("low"), number("high"), number("at"));
        assert!(low <= 2.098 && 2.098 < high, "{level}");
        assert!((low..=high).contains(&at) && high / low < 1.05, "{level}");
    }
    assert!(said.contains("D05") && said.contains("D95") && said.contains("rises"), "{said}");
    let csv = std::fs::read_to_string(folder.path().join("out/search.csv")).unwrap();
    assert!(csv.contains("\nmodel,,500ms,0.5,20,0,20,0,0,"), "{csv}");
    let svg = std::fs::read_to_string(folder.path().join("out/phase-diagram.svg")).unwrap();
    assert!(roxmltree::Document::parse(&svg).is_ok());
    assert!(svg.contains("Half of the runs break retries_bounded from 2."), "{svg}");
}

/// Only a pause that is on when someone comes takes an attempt more: the share rises and falls.
#[test]
fn a_share_that_turns_is_said_to() {
    let experiment = PAUSE
        .replace("faults.0.for", "faults.0.at")
        .replace(
            "from = \"500ms\"\nuntil = \"6s\"",
            "from = \"5s\"\nuntil = \"15s\"\nscale = \"linear\"",
        )
        .replace("attempts = 2 }", "attempts = 1 }")
        .replace("question = \"How long a pause takes a third attempt?\"\n", "");
    let folder = folder(&experiment, &CLOCKWORK.replace("\"1/s\"", "\"0.1/s\""));
    let said = text(&run(folder.path(), "out", "1"));
    assert!(said.starts_with("clockwork\nfaults.0.at from 5s"), "{said}");
    assert!(said.contains("the share turns, 100% at 10 s but 0% at 10.8 s"), "{said}");
    let summary = summary(folder.path(), "out");
    let found = &summary["boundaries"][0];
    assert_eq!(found["turns"]["to"]["count"], 0, "{found}");
    // The rise before: someone comes at 10 s and waits for 800 ms of the pause.
    let half = &found["levels"][1];
    assert!(half["low"].as_f64() < Some(9.8) && half["high"].as_f64() < Some(9.9), "{half}");
}

#[test]
fn an_arm_that_never_collapses_is_said_to_and_a_killed_search_goes_on() {
    let folder = folder(RETRIES, &SERVER.replace("\"5/s\"", "\"7/s\""));
    let said = text(&run(folder.path(), "whole", "1"));
    let summary = summary(folder.path(), "whole");
    let level = |arm: usize| &summary["boundaries"][arm]["levels"][0];
    assert_eq!(level(0)["reached"], "between", "{said}");
    assert!(level(0)["at"].as_f64() > Some(2.0) && level(0)["at"].as_f64() < Some(9.0), "{said}");
    assert_eq!(level(1)["reached"], "never");
    assert_eq!(summary["boundaries"][0]["direction"], "rises");
    assert_eq!(summary["boundaries"][1]["direction"], "flat");
    assert!(said.contains("flat"), "{said}");
    assert!(said.contains("never up to 16 s"), "{said}");
    let svg = std::fs::read_to_string(folder.path().join("whole/phase-diagram.svg")).unwrap();
    assert!(svg.contains(" on at retries, and nowhere else"), "{svg}");

    let journal = folder.path().join("broken/.journal");
    let finished = || {
        let text = std::fs::read(&journal).unwrap_or_default();
        text.iter().filter(|&&byte| byte == b'\n').count().saturating_sub(1)
    };
    for (runs, workers) in [(5, "1"), (60, "2")] {
        let mut child = command(folder.path(), "broken", workers)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while finished() < runs && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "it was killed");
        assert!(finished() >= runs);
        assert!(!folder.path().join("broken/manifest.json").exists());
    }
    let said = text(&run(folder.path(), "broken", "2"));
    assert!(said.contains("finished before: goes on from there"), "{said}");
    same(folder.path(), "whole", "broken");
}

/// Ten runs of which none collapses: the share may well be 5%, and the experiment says so at once.
#[test]
fn a_level_of_too_few_seeds_is_warned_about_and_unclear() {
    let levels = RETRIES.replace("[\"50%\"]", "[\"5%\", \"50%\"]");
    let only = levels.split("[arms.retries]").next().unwrap();
    let model = SERVER.replace("\"5/s\"", "\"3/s\"").replace("attempts = 4", "attempts = 1");
    let folder = folder(only, &model);
    let output = run(folder.path(), "out", "1");
    let warned = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(warned.contains("10 seeds are too few to tell 0% from 5%"), "{warned}");
    assert!(warned.contains("at least 119 seeds") && !warned.contains("50%"), "{warned}");
    let said = text(&output);
    assert!(said.contains("unclear  never up to 16 s  flat"), "{said}");
    let summary = summary(folder.path(), "out");
    let found = &summary["boundaries"][0];
    assert_eq!(found["direction"], "flat");
    let reached = |level: usize| &found["levels"][level]["reached"];
    assert_eq!((reached(0).as_str(), reached(1).as_str()), (Some("unclear"), Some("never")));

    let more = only.replace("seeds = 10", "seeds = 119");
    std::fs::write(folder.path().join("experiment.toml"), more.replace("steps = 8", "steps = 1"))
        .unwrap();
    let output = run(folder.path(), "more", "1");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// That two folders of results have the same files with the same bytes.
fn same(folder: &Path, one: &str, other: &str) {
    let names = |out: &str| {
        let files = std::fs::read_dir(folder.join(out)).unwrap();
        let mut names: Vec<PathBuf> = files.map(|file| file.unwrap().file_name().into()).collect();
        names.sort();
        names
    };
    assert_eq!(names(one), names(other));
    for name in names(one) {
        let read = |out: &str| std::fs::read(folder.join(out).join(&name)).unwrap();
        assert!(read(one) == read(other), "{} differs", name.display());
    }
}

/// Every number of the boundaries follows from `search.csv`, and that from `runs.csv`.
#[test]
fn what_is_counted_is_in_the_runs() {
    let folder = folder(PAUSE, CLOCKWORK);
    run(folder.path(), "out", "1");
    let rows = |name: &str| -> Vec<csv::StringRecord> {
        let mut reader = csv::Reader::from_path(folder.path().join("out").join(name)).unwrap();
        reader.records().map(Result::unwrap).collect()
    };
    let runs_file = std::fs::read_to_string(folder.path().join("out/runs.csv")).unwrap();
    let header: Vec<&str> = runs_file.lines().next().unwrap().split(',').collect();
    let broken = header.iter().position(|name| *name == "retries_bounded_violations").unwrap();
    let runs = rows("runs.csv");
    let tried = rows("search.csv");
    assert!(!tried.is_empty());
    for row in &tried {
        let point = format!("faults.0.for={}", &row[2]);
        let here: Vec<_> = runs.iter().filter(|run| run[1] == point).collect();
        assert_eq!(row[4], here.len().to_string());
        let count = here.iter().filter(|run| &run[broken] != "0").count();
        assert_eq!(row[5], count.to_string());
    }
    assert_eq!(runs.len(), tried.iter().map(|row| row[4].parse::<usize>().unwrap()).sum::<usize>());
}

#[test]
fn a_search_is_no_check() {
    let folder = folder(PAUSE, CLOCKWORK);
    let output = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .args(["check", "experiment.toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("searches"));
}

/// Nobody is charged, so no length of a pause can charge anyone twice.
#[test]
fn a_search_for_what_nothing_could_break_finds_no_boundary() {
    let experiment = PAUSE
        .replace(
            "retries_bounded = { operation = \"server.serve\", attempts = 2 }",
            "one_charge = { effect = \"charge\" }",
        )
        .replace(
            "retries_bounded_violated",
            "one_charge_violated\"\nseeds = 10\nsteps = 2\nscale = \"linear",
        );
    let pay = "\n[provider.pay]\nconcurrency = 1\nlatency = \"1ms\"\neffects = [\"charge\"]\n";
    let folder = folder(&experiment, &format!("{CLOCKWORK}{pay}"));
    let said = text(&run(folder.path(), "out", "1"));
    assert!(!said.contains("never up to"), "{said}");
    assert!(
        said.contains("30 of 30 runs say nothing: nothing that could have broken it"),
        "{said}"
    );
}

#[test]
fn a_part_of_a_search_finds_what_the_whole_finds_there() {
    let experiment = format!(
        "{PAUSE}[arms.five]\n[arms.two]\nset = {{ \"policy.user.retry.attempts\" = 2 }}\n\
         [factors.work.short]\n[factors.work.long]\n\
         set = {{ \"service.server.on.serve.steps\" = [{{ work = \"2ms\" }}, {{ reply = \"ok\" }}] }}\n"
    );
    let folder = folder(&experiment, CLOCKWORK);
    run(folder.path(), "whole", "2");
    let mut part = command(folder.path(), "part", "2");
    part.args(["--arm", "five", "--point", "work=long"]);
    assert!(part.status().unwrap().success());
    let boundary = |out: &str| {
        let found = summary(folder.path(), out)["boundaries"].as_array().unwrap().clone();
        let is_chosen = |it: &&Value| it["arm"] == "five" && it["point"] == "work=long";
        (found.len(), found.iter().find(is_chosen).cloned().expect("the chosen part"))
    };
    let ((all, whole), (one, part)) = (boundary("whole"), boundary("part"));
    assert_eq!((all, one), (4, 1));
    assert_eq!(whole, part);
}
