//! A quick part of the validation: the theory lies in the 99.9% interval of short runs.
//!
//! The seeds are fixed, so a test passes or fails always alike. A change of the seeds or of the
//! trace lets one comparison in a thousand fail by chance: of these, about one change in twenty.

use std::path::Path;
use std::process::Command;

/// Runs `stormglass validate` in the folder of the project.
fn validate(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("validate")
        .args(arguments)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn experiment(name: &str) -> String {
    format!("experiments/validation/{name}.toml")
}

#[test]
fn short_runs_bear_the_closed_forms_out() {
    let names = [
        "mm1-by-load",
        "erlang-a",
        "deadline",
        "retries",
        "layers-2",
        "layers-3",
        "retrials-impatient",
        "double-charges",
        "hedge",
        "quorum",
        "lru",
    ];
    let files: Vec<String> = names.iter().map(|name| experiment(name)).collect();
    let mut arguments = vec!["--quick"];
    arguments.extend(files.iter().map(String::as_str));
    let (code, text) = validate(&arguments);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(" 0 outside"), "{text}");
}

/// The theory follows the model: other parameters, other numbers, and the run agrees.
#[test]
fn other_parameters_have_their_own_theory() {
    let file = experiment("mm1-by-load");
    let (code, text) =
        validate(&["--quick", &file, "--set", "clients.customers.arrivals.poisson=5/s"]);
    assert_eq!(code, Some(0), "{text}");
    // -ln(1 - p) * 0.1 / (1 - 0.5) at p = 0.5.
    assert!(text.contains("0.13863"), "{text}");
}

/// A model that does not follow its law is found out: served last come first, waits spread.
#[test]
fn a_planted_mistake_is_found() {
    let file = experiment("mm1-by-load");
    let set = ["--set", "service.server.queue.order=lifo"];
    let (code, text) = validate(&[&["--quick", file.as_str()][..], &set[..]].concat());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("OUTSIDE"), "{text}");
}

/// What is wrong is said with a way out.
#[test]
fn an_experiment_without_a_law_is_refused() {
    let (code, text) = validate(&["experiments/r1.toml"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("names no law"), "{text}");
    let (code, text) = validate(&["--quick", "--only", "nothing"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/validation").is_dir());
}
