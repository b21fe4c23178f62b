//! Replays what real client libraries decided, step for step (`tests/data/policy-vectors`).
//!
//! `STORMGLASS_VECTORS=DIR cargo test --test conformance` replays another folder of the schema.
//! `DIR` is absolute, or relative to where the command is given.

#![expect(unreachable_pub, reason = "the modules of one test binary are for each other")]

mod adaptive;
mod aws;
mod breakers;
mod deadline;
mod delays;
mod grpc;
mod limits;
mod opossum;
mod same;
mod vectors;

use std::path::{Path, PathBuf};
use vectors::{Case, File, Mismatches};

/// Replays one file; the oracle names the machine.
fn replay(file: &File, found: &mut Mismatches) -> Result<(), String> {
    let replay_case: delays::ReplayCase = match file.oracle.as_str() {
        "botocore-standard-2.1" => aws::botocore_2_1,
        "botocore-standard-2.0" => aws::botocore_2_0,
        "smithy-standard" => aws::smithy_js,
        "smithy-rs-standard" => aws::smithy_rs,
        "botocore-adaptive" => adaptive::botocore,
        "smithy-adaptive" => adaptive::smithy_js,
        "grpc-js-throttler" => grpc::throttler,
        "grpc-js-retry" => grpc::calls,
        "pybreaker" => breakers::pybreaker,
        "cockatiel-breaker" => breakers::cockatiel,
        "failsafe-rs" => breakers::failsafe,
        "opossum" => opossum::replay,
        "tower-tps-budget" => limits::tower_budget,
        "governor-gcra" => limits::gcra,
        "x-time-rate" => limits::debt,
        "guava-rate-limiter" => limits::guava,
        "google-api-core-retry" => deadline::replay,
        oracle => match delays::oracle(oracle) {
            Some(replay_delays) => replay_delays,
            None => return Err(format!("unknown oracle {oracle:?}")),
        },
    };
    file.cases.iter().try_for_each(|case| {
        replay_case(&Case { file, case }, found)
            .map_err(|error| format!("case {:?}: {error}", case.name))
    })
}

/// The folder to replay. Cargo runs tests in the folder of the package, and says in `PWD` where it
/// was called.
fn folder() -> PathBuf {
    let (chosen, called_in) = (std::env::var_os("STORMGLASS_VECTORS"), std::env::var_os("PWD"));
    chosen_folder(chosen.map(PathBuf::from), called_in.map(PathBuf::from))
}

fn chosen_folder(chosen: Option<PathBuf>, called_in: Option<PathBuf>) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    match (chosen, called_in) {
        (None, _) => package.join("tests/data/policy-vectors"),
        (Some(folder), Some(here)) if here.join(&folder).is_dir() => here.join(folder),
        (Some(folder), _) => package.join(folder),
    }
}

#[test]
fn a_folder_is_absolute_or_relative_to_where_the_command_is_given() {
    let own = chosen_folder(None, None);
    let data = own.parent().map(Path::to_path_buf).expect("it is in a folder");
    let from = |chosen: &Path, here: Option<&Path>| {
        let folder = chosen_folder(Some(chosen.to_path_buf()), here.map(Path::to_path_buf));
        folder.canonicalize().expect("it is there")
    };
    let own = own.canonicalize().expect("it is there");
    assert_eq!(from(&own, Some(Path::new("/"))), own);
    assert_eq!(from(Path::new("policy-vectors"), Some(&data)), own);
    assert_eq!(from(Path::new("../data/policy-vectors"), Some(&data)), own);
    assert_eq!(from(Path::new("tests/data/policy-vectors"), None), own);
}

#[test]
#[expect(clippy::print_stdout, reason = "the number of replayed steps belongs to the result")]
fn no_decision_differs() {
    let folder = folder();
    let files = vectors::load(&folder).unwrap_or_else(|error| {
        panic!("{} cannot be replayed: {error}", folder.display());
    });
    assert!(!files.is_empty(), "{} holds no vector file", folder.display());
    let mut found = Mismatches::default();
    let mut errors = Vec::new();
    for (name, file) in &files {
        let (steps, differing) = (found.steps(), found.len());
        if let Err(error) = replay(file, &mut found) {
            errors.push(format!("{name}: {error}"));
        }
        let steps = found.steps() - steps;
        println!("{name}: {steps} steps, {} differ", found.len() - differing);
        let expected: usize = file.cases.iter().map(|case| case.steps.len()).sum();
        if steps != expected {
            errors.push(format!("{name}: {steps} of {expected} steps were replayed"));
        }
    }
    println!("{} files, {} steps, {} differ", files.len(), found.steps(), found.len());
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert!(found.is_empty(), "{found}");
}

#[test]
fn an_unknown_oracle_fails() {
    let file = vectors::parse(r#"{"oracle": "nobody", "package": {"version": "1"}, "cases": []}"#)
        .expect("it is a vector file");
    assert_eq!(
        replay(&file, &mut Mismatches::default()),
        Err("unknown oracle \"nobody\"".to_owned())
    );
}

#[test]
fn an_unknown_parameter_fails() {
    let text = r#"{"oracle": "pybreaker", "package": {"version": "1"}, "cases": [
        {"name": "n", "config": {"surprise": 1}, "steps": []}]}"#;
    let file = vectors::parse(text).expect("it is a vector file");
    let error = replay(&file, &mut Mismatches::default()).expect_err("nobody reads it");
    assert!(error.contains("surprise"), "{error}");
}
