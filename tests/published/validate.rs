//! `stormglass validate` on the published experiments: a quick part of each agrees, and what
//! differs is found.
//!
//! The seeds are fixed, so a test passes or fails always alike. A change of the seeds or of the
//! trace lets one of a thousand figures differ by chance: of these, about one change in fifteen.

use std::fs;
use std::process::Command;

use super::{path, read};

/// Runs `stormglass validate --quick` in the folder of the project.
fn validate(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["validate", "--quick"])
        .args(arguments)
        .output()
        .unwrap();
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
    let models = path("models/published").display().to_string();
    let text = read(&path("experiments/published/pause.toml"));
    let text = text.replace("../../models/published", &models);
    let figures = read(&path("experiments/published/figures/pause.csv"));
    let text = text.replace("figures/pause.csv", "pause.csv");
    let wrong = figures.replace("retries,,attempts,2706", "retries,,attempts,2707");
    assert_ne!(figures, wrong);
    let file = folder.path().join("pause.toml");
    fs::write(&file, text).unwrap();
    fs::write(folder.path().join("pause.csv"), wrong).unwrap();
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
