//! Replays what real client libraries decided, step for step (`tests/data/policy-vectors`).
//!
//! `STORMGLASS_VECTORS=DIR cargo test --test policy conformance` replays another folder of the
//! schema.

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

/// The folder to replay.
fn folder() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "which vectors to replay is the user's choice")]
    let chosen = std::env::var("STORMGLASS_VECTORS");
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/policy-vectors");
    chosen.map_or_else(|_| own(), PathBuf::from)
}

#[test]
#[expect(clippy::print_stdout, reason = "the number of replayed steps belongs to the result")]
fn no_decision_differs() {
    let folder = folder();
    let files = vectors::load(&folder).expect("the folder holds vector files");
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
