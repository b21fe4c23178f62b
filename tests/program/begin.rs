//! The first minute: `demo`, and what `new` writes runs as it is.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::Changed;
use serde::Deserialize;
use tempfile::TempDir;

const TEMPLATES: [&str; 4] = ["shop", "read-path", "queue", "pipeline"];

/// Runs the program in a folder.
fn stormglass(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    for name in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "TF_BUILD", "TEAMCITY_VERSION"] {
        command.env_remove(name);
    }
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// Does what a line says that begins with `stormglass`; returns the exit code.
fn obey(folder: &Path, line: &str) -> Option<i32> {
    let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
    stormglass(folder, &arguments).status.code()
}

/// The commands to type that a text ends with.
fn next(text: &str) -> Vec<&str> {
    let (_, next) = text.split_once("\nNext:\n").expect("commands to type");
    next.lines().map(str::trim).collect()
}

#[test]
fn the_demo_shows_a_double_charge_and_what_prevents_it_on_one_screen() {
    let folder = TempDir::new().unwrap();
    let ran = stormglass(folder.path(), &["demo"]);
    assert_eq!((ran.status.code(), error(&ran).as_str()), (Some(0), ""));
    let text = out(&ran);
    assert!(text.lines().count() <= 40, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let row = |name: &str| -> Vec<u64> {
        let line = text.lines().find(|line| line.starts_with(name)).expect("a row");
        let numbers = line[name.len()..].split_whitespace();
        numbers.map(|number| number.replace(',', "").parse().unwrap()).collect()
    };
    let twice = row("charged twice");
    assert!(twice[0] > 100 && twice[1..] == [0, 0], "{twice:?}");
    assert_eq!(row("charged for nothing")[2], 0);
    let stories: Vec<&str> = text.split("in seconds since the click").collect();
    let [_, broken, fixed] = stories[..] else { panic!("two stories: {text}") };
    assert!(broken.contains("charge happens again: 2 times now"), "{broken}");
    assert!(fixed.contains("knows the key: answers ok as before and does nothing"), "{fixed}");
    assert!(!fixed.contains("again") && fixed.contains("commits order = paid"), "{fixed}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is written");
    // What it says to type next can be typed.
    let lines = next(&text);
    let [new, run, help] = lines[..] else { panic!("three commands: {text}") };
    assert!(new.starts_with("stormglass new shop "), "{new}");
    assert!(run.starts_with("stormglass run shop/experiment.toml "), "{run}");
    assert_eq!(obey(folder.path(), help), Some(0));
    assert_eq!(obey(folder.path(), "stormglass new shop"), Some(0));
    assert_eq!(obey(folder.path(), "stormglass run shop/experiment.toml --seeds 1..4"), Some(0));
}

#[test]
fn every_template_runs_as_it_is() {
    let folder = TempDir::new().unwrap();
    for template in TEMPLATES {
        let ran = stormglass(folder.path(), &["new", template, "--template", template]);
        assert_eq!((ran.status.code(), error(&ran).as_str()), (Some(0), ""), "{template}");
        let text = out(&ran);
        let lines = next(&text);
        assert_eq!(lines.len(), 3, "{text}");
        for line in lines {
            let line =
                if line.contains(" plan ") { line.into() } else { format!("{line} --seeds 1..4") };
            let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
            let ran = stormglass(folder.path(), &arguments);
            assert_eq!(ran.status.code(), Some(0), "{line}: {}", error(&ran));
            assert_eq!(error(&ran), "", "{line}: nothing is suspicious");
            let is_answered = arguments[0] != "run" || out(&ran).contains("\nTake ");
            assert!(is_answered, "{line} has an answer: {}", out(&ran));
        }
    }
}

/// As much of a workflow as is looked at.
#[derive(Deserialize)]
struct Workflow {
    jobs: std::collections::BTreeMap<String, Job>,
}

#[derive(Deserialize)]
struct Job {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    run: String,
}

#[test]
fn the_workflow_of_every_template_passes() {
    for template in TEMPLATES {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        assert_eq!(
            obey(folder, &format!("stormglass new . --template {template}")),
            Some(0),
            "a folder that is there"
        );
        let text = fs::read_to_string(folder.join(".github/workflows/stormglass.yml")).unwrap();
        let workflow: Workflow = serde_saphyr::from_str(&text).unwrap();
        let steps = workflow.jobs.into_values().flat_map(|job| job.steps);
        let lines: Vec<String> = steps.map(|step| step.run).collect();
        let checks: Vec<&String> =
            lines.iter().filter(|line| line.starts_with("stormglass")).collect();
        assert_eq!(checks.len(), 1, "{text}");
        // One of them as it is, the others with fewer seeds.
        let check = match template {
            "shop" => checks[0].clone(),
            _ => checks[0].changed("--seeds 1..31", "--seeds 1..6"),
        };
        assert_eq!(obey(folder, &check), Some(0), "{template}: {check}");
        assert!(folder.join("report.xml").is_file());
        let version = format!("version {} wrote this file", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&version), "{text}");
    }
}

#[test]
fn the_shop_breaks_a_promise_until_another_arm_is_taken() {
    let folder = TempDir::new().unwrap();
    assert_eq!(obey(folder.path(), "stormglass new shop"), Some(0));
    let check = "stormglass check shop/experiment.toml --seeds 1..3";
    assert_eq!(obey(folder.path(), &format!("{check} --arm today")), Some(1));
    assert_eq!(obey(folder.path(), &format!("{check} --arm outbox")), Some(0));
}

#[test]
fn what_is_there_is_not_overwritten() {
    let folder = TempDir::new().unwrap();
    let mine = folder.path().join("shop/experiment.toml");
    fs::create_dir(folder.path().join("shop")).unwrap();
    fs::write(&mine, "mine").unwrap();
    let ran = stormglass(folder.path(), &["new", "shop"]);
    assert_eq!((ran.status.code(), out(&ran).as_str()), (Some(2), ""));
    let error = error(&ran);
    assert!(error.contains("experiment.toml` is there already: nothing is written"), "{error}");
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
    assert_eq!(fs::read_dir(folder.path().join("shop")).unwrap().count(), 1);
}

#[test]
fn inside_of_a_checkout_it_says_where_the_workflow_belongs() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    let text = out(&stormglass(folder.path(), &["new", "resilience"]));
    assert!(text.contains("move .github to "), "{text}");
    let text = out(&stormglass(folder.path(), &["new", ".", "--template", "queue"]));
    assert!(!text.contains("move .github"), "{text}");
}
