//! What an experiment that says nothing of its times counts: everybody until the end, and nobody
//! before the system has filled.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// Writes an experiment beside its model.
fn write(folder: &Path, model: &str, experiment: &str) {
    fs::write(folder.join("model.toml"), model).expect("the model can be written");
    let text = format!("name = \"defaults\"\nmodel = \"model.toml\"\n{experiment}");
    fs::write(folder.join("experiment.toml"), text).expect("the experiment can be written");
}

/// What `stormglass run` says of an experiment, and its `summary.json`.
fn run(model: &str, experiment: &str) -> (String, Value) {
    let folder = TempDir::new().expect("a temporary folder");
    write(folder.path(), model, experiment);
    let (path, out) = (folder.path().join("experiment.toml"), folder.path().join("out"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.arg("run").arg(path).args(["--workers", "1", "--out"]).arg(&out);
    let output = command.output().expect("the command runs");
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    let summary = fs::read_to_string(out.join("summary.json")).expect("the results are whole");
    (said.concat(), serde_json::from_str(&summary).expect("it is JSON"))
}

/// The mean of a metric over the runs of the first cell.
fn mean(summary: &Value, metric: &str) -> f64 {
    summary["cells"][0]["metrics"][metric]["mean"].as_f64().expect(metric)
}

/// Of ten users a second one needs 20 s and the others a millisecond.
const ONE_IN_TEN_IS_SLOW: &str = r#"
[clients.users]
arrivals = { constant = "9/s" }
flow = [{ call = "api.ask" }]
[clients.patient]
arrivals = { constant = "1/s" }
flow = [{ call = "api.think" }]
[service.api]
workers = 1000
[service.api.on.ask]
steps = [{ work = "1ms" }, { reply = "ok" }]
[service.api.on.think]
steps = [{ work = "20s" }, { reply = "ok" }]
[link.default]
latency = "0s"
"#;

#[test]
fn the_last_requests_count_however_slow_they_are() {
    let of = |more: &str| run(ONE_IN_TEN_IS_SLOW, &format!("seeds = \"1..4\"\n{more}"));
    let (said, whole) = of("arrivals = \"30s\"\n");
    assert!(said.contains("3 runs of 30s and at most 60s to drain\n"), "{said}");
    assert_eq!(mean(&whole, "unfinished_ratio"), 0.0);
    let latency = mean(&whole, "latency_mean_ms");
    assert!((latency - 2_000.9).abs() < 100.0, "a tenth of them 20 s: {latency} ms");
    let (said, cut) = of("arrivals = \"30s\"\ndrain = \"0s\"\n");
    assert!(said.contains("3 runs of 30s\n"), "{said}");
    let latency = mean(&cut, "latency_mean_ms");
    assert!(latency < 800.0, "of the last 20 s only the fast ones have an answer: {latency} ms");
    let (said, _) = of("arrivals = \"100s\"\n");
    assert!(said.contains("3 runs of 100s and at most 100s to drain\n"), "{said}");
}

/// A worker that gets as many times what it can do.
fn overloaded(times: u32) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "{times}0/s" }}
flow = [{{ call = "api.ask" }}]
[service.api]
workers = 1
[service.api.on.ask]
steps = [{{ work = "100ms" }}, {{ reply = "ok" }}]
"#
    )
}

#[test]
fn a_drain_that_is_not_stated_ends_after_as_long_as_users_came() {
    let of = |times: u32| run(&overloaded(times), "seeds = \"1..4\"\narrivals = \"100s\"\n");
    let (said, twice) = of(2);
    assert_eq!(mean(&twice, "unfinished_ratio"), 0.0, "as long again is enough for twice the load");
    assert!(!said.contains("had no answer when their run ended"), "{said}");
    let (said, thrice) = of(3);
    let unfinished = mean(&thrice, "unfinished_ratio");
    assert!((unfinished - 1.0 / 3.0).abs() < 0.01, "{unfinished}");
    assert!(said.contains("requests of model had no answer when their run ended"), "{said}");
}
