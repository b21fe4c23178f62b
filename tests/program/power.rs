//! `plan --pilot`: how many seeds a verdict takes is what then decides it.

use std::process::{Command, Output};

use serde_json::Value;

/// Two arms that differ by one millisecond of eleven, in a queue that is half full.
const EXPERIMENT: &str = r#"
name = "pilot"
model = "model.toml"
arrivals = "20s"
measure = { warm_up = "0s" }
seeds = "1..11"
[compare]
primary = ["latency_mean_ms"]
equivalent = { latency_mean_ms = 0.5 }
[arms.plain]
[arms.same]
set = { "service.server.queue.limit" = 500 }
[arms.other]
set = { "service.server.workers" = 2 }
"#;

const MODEL: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
flow = [{ call = "server.serve" }]
[service.server]
workers = 1
queue = { limit = 1000 }
on.serve.steps = [{ work = "exp 20ms" }, { reply = "ok" }]
"#;

fn stormglass(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("experiment.toml"), EXPERIMENT).unwrap();
    std::fs::write(folder.path().join("model.toml"), MODEL).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.args(arguments).current_dir(folder.path()).output().unwrap()
}

#[test]
fn a_pilot_says_how_many_seeds_a_verdict_takes() {
    let output = stormglass(&["plan", "experiment.toml", "--pilot", "10", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let needed = told["needed"].as_array().unwrap();
    let of = |arm: &str| needed.iter().find(|one| one["arm"] == arm).unwrap().clone();
    // An arm that decides the same differs by exactly 0.
    assert_eq!((of("same")["sd"].as_f64(), of("same")["seeds"].as_u64()), (Some(0.0), Some(3)));
    let (other, margin) = (of("other"), of("other")["margin"].as_f64());
    assert_eq!(margin, Some(0.5));
    // ((2.2414 + 1.2816) sd / 0.5)^2 + 2.2414^2 / 2, of two comparisons.
    let sd = other["sd"].as_f64().unwrap();
    let units = 3.522_95 * sd / 0.5;
    let seeds = units * units + 2.512;
    assert!((other["seeds"].as_u64().unwrap() as f64 - seeds).abs() <= 1.0, "{other} {seeds}");

    let output = stormglass(&["plan", "experiment.toml", "--pilot", "10"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("A verdict of the declared size takes"), "{said}");
    assert!(said.contains("`latency_mean_ms` of other"), "{said}");
    let output = stormglass(&["plan", "experiment.toml", "--pilot", "10", "--arm", "same"]);
    assert_eq!(output.status.code(), Some(2));
    let without = stormglass(&["plan", "experiment.toml", "--json"]);
    let told: Value = serde_json::from_slice(&without.stdout).unwrap();
    assert_eq!(told["needed"], Value::Null);
}
