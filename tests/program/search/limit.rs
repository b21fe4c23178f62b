//! Limits: a load that is known is found, the node that is full first is named, and what a loss
//! leaves is what arithmetic says; outcomes that are bounds, and shares that fall.

use serde_json::Value;

use super::{folder, run, summary, text};

/// Three servers that are chosen at random: each is an M/M/1 of its own.
const SERVERS: &str = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [{ call = "server.serve" }]

[service.server]
instances = 3
workers = 1
balance = "random"

[service.server.on.serve]
steps = [{ work = "exp 10ms" }, { reply = "ok" }]
"#;

/// In M/M/1 a sojourn is exponential with rate mu - lambda, so its p99 is ln(100) / (mu - lambda):
/// 150 ms at 100 - 30.7 = 69.3/s for each server.
const P99: f64 = 100.0 - 4.605_170_185_988_092 / 0.15;

const LIMIT: &str = r#"
name = "limit"
model = "model.toml"
arrivals = "40s"
measure = { warm_up = "4s" }

[limit]
clients = "users"
from = "60/s"
until = "270/s"
objectives = ["latency_p99_ms <= 150ms"]
steps = 42
"#;

/// A text without the breaks of its lines.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rows of `limit.csv` by their columns.
fn rows(folder: &std::path::Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let text = std::fs::read_to_string(folder.join("out/limit.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let header: Vec<String> = lines.next().unwrap().collect();
    lines.map(|line| header.iter().cloned().zip(line).collect()).collect()
}

#[test]
fn the_load_at_which_a_known_percentile_is_too_long_is_found_and_what_is_left_of_it() {
    let folder = folder(LIMIT, SERVERS);
    let said = on_one_line(&text(&run(folder.path(), "out", "2")));
    let rows = rows(folder.path());
    let number = |row: usize, name: &str| -> f64 { rows[row][name].parse().unwrap() };
    for (row, servers) in [(0, 3.0), (1, 2.0)] {
        let (low, high) = (number(row, "low_per_s"), number(row, "high_per_s"));
        let truth = servers * P99;
        assert!(low <= truth && truth <= high, "{servers}: {low} to {high}, not {truth}");
        assert!((number(row, "limit_per_s") / truth - 1.0).abs() < 0.08, "{said}");
    }
    // Two of three servers: two thirds, of which each is as busy as before.
    assert!(number(1, "of_whole_low") < 2.0 / 3.0 && 2.0 / 3.0 < number(1, "of_whole_high"));
    assert_eq!(rows[0]["of_whole"], "");
    assert_eq!((rows[0]["lost"].as_str(), rows[1]["lost"].as_str()), ("", "one server lost"));
    for (row, of_row) in rows.iter().enumerate() {
        assert_eq!(of_row["busiest"], "server");
        let computed = number(row, "computed_busy");
        assert!((number(row, "busy") - computed).abs() < 0.03, "{said}");
    }
    assert!(said.contains("latency_p99_ms <= 150ms holds up to"), "{said}");
    assert!(said.contains("`server` is full first"), "{said}");
    assert!(said.contains("; with one server lost"), "{said}");
}

#[test]
fn without_a_zone_nothing_holds_and_a_single_instance_cannot_be_lost() {
    let model = SERVERS.replace("instances = 3\n", "zone = \"a\"\n").replace(
        "flow = [{ call = \"server.serve\" }]",
        "flow = [{ call = \"server.serve\" }, { call = \"other.serve\" }]",
    ) + "\n[service.other]\nworkers = 1\nzone = \"b\"\n[service.other.on.serve]\nsteps = [{ reply = \"ok\" }]\n";
    let experiment = LIMIT
        .replace("60/s", "10/s")
        .replace("270/s", "60/s")
        .replace("latency_p99_ms <= 150ms", "success_ratio >= 99%")
        .replace("40s", "5s")
        .replace("4s", "0s");
    let folder = folder(&experiment, &model);
    let said = on_one_line(&text(&run(folder.path(), "out", "2")));
    let lost: Vec<String> = rows(folder.path()).iter().map(|row| row["lost"].clone()).collect();
    assert_eq!(lost, ["", "zone a lost", "zone b lost"]);
    let summary = summary(folder.path(), "out");
    let reached = |place: usize| summary["boundaries"][place]["levels"][0]["reached"].clone();
    assert_eq!([reached(0), reached(1), reached(2)], ["never", "already", "already"]);
    assert!(said.contains("with zone a lost less than 10 /s"), "{said}");

    let one = experiment.replace("steps = 42", "losses = [\"one instance\"]");
    let folder = super::folder(&one, &model);
    let output = super::command(folder.path(), "out", "1").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("no service has more than one instance"), "{error}");
}

/// What a loss leaves is told of the arm that it leaves it to.
#[test]
fn each_arm_is_told_what_its_own_losses_leave() {
    let model = SERVERS.replace("instances = 3\n", "zone = \"a\"\n").replace(
        "flow = [{ call = \"server.serve\" }]",
        "flow = [{ call = \"server.serve\" }, { call = \"other.serve\" }]",
    ) + "\n[service.other]\nworkers = 1\nzone = \"b\"\n[service.other.on.serve]\n\
         steps = [{ reply = \"ok\" }]\n";
    let experiment = LIMIT
        .replace("60/s", "10/s")
        .replace("270/s", "60/s")
        .replace("latency_p99_ms <= 150ms", "success_ratio >= 99%")
        .replace("40s", "5s")
        .replace("4s", "0s")
        + "[arms.both]\n[arms.spared]\n\
           set = { \"clients.users.flow\" = [{ call = \"server.serve\" }] }\n";
    let folder = folder(&experiment, &model);
    let said = on_one_line(&text(&run(folder.path(), "out", "2")));
    let of = |arm: &str, text: &str| {
        let begin = said.find(&format!("{arm}: success_ratio")).expect("a sentence");
        said[begin..].find(text).map(|at| begin + at)
    };
    let both = of("both", "zone b lost less than 10 /s").expect("it needs the other service");
    let spared = of("spared", "zone b lost 60 /s and more").expect("it does not");
    let second = of("spared", "success_ratio").unwrap();
    assert!(both < second && second < spared, "{said}");
}

/// More workers, fewer who wait for too long: a share that falls, and the least number of workers
/// with which it holds.
#[test]
fn a_bound_is_an_outcome_and_a_share_that_falls_is_searched() {
    let experiment = r#"
name = "workers"
model = "model.toml"
arrivals = "20s"
[search]
vary = "service.server.workers"
from = 1
until = 12
scale = "linear"
sweep = 4
outcome = "success_ratio < 99%"
seeds = 20
levels = ["50%"]
"#;
    let model = r#"
[clients.users]
arrivals = { poisson = "40/s" }
flow = [{ call = "server.serve" }]
[service.server]
workers = 1
queue = { limit = 0 }
on.serve.steps = [{ work = "100ms" }, { reply = "ok" }]
"#;
    let folder = folder(experiment, model);
    let said = text(&run(folder.path(), "out", "2"));
    // Erlang B at 4 Erlang: 10 servers refuse 0.53%, 9 refuse 1.33%.
    let found: Value = summary(folder.path(), "out")["boundaries"][0].clone();
    assert_eq!(found["direction"], "falls");
    let level = &found["levels"][0];
    assert!(level["low"].as_f64() >= Some(8.0) && level["high"] == 10.0, "{found}");
    assert!(said.contains("half of the runs have success_ratio < 99% up to 9"), "{said}");
    let kept = folder.path().join("experiment.toml");
    let experiment = experiment.replace("success_ratio < 99%", "success_ratio");
    std::fs::write(kept, experiment).unwrap();
    let output = super::command(folder.path(), "out", "1").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("a bound, such as \"success_ratio <= 1.3\""), "{error}");
}
