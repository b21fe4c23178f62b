//! What `[observe]` shows of runs: the moments of an incident, where the time of requests went, and
//! what nodes and operations did. Everything is of one length, so that what is shown is known.

use std::collections::BTreeMap;
use std::path::Path;

use super::command;

/// Ten users a second look at a page that asks two services one after the other, and a probe looks
/// once a second; an order goes through a queue to one worker.
const MODEL: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "web.page", policy = "user" }]

[clients.probe]
arrivals = { constant = "1/s" }
flow = [{ call = "web.probe" }]

[service.web]
workers = 10
on.page.steps = [
  { work = "3ms" },
  { call = "fast.get" },
  { call = "slow.get", policy = "inside", ignore_failure = true },
  { publish = "line" },
  { reply = "ok" },
]
on.probe.steps = [{ call = "fast.get" }, { reply = "ok" }]

[service.fast]
workers = 1
on.get.steps = [{ work = "5ms" }, { reply = "ok" }]

[service.slow]
workers = 2
on.get.steps = [{ work = "40ms" }, { reply = "ok" }]

[queue.line]
visibility = "60s"
latency = "0s"

[service.worker]
workers = 1
takes = "line"
steps = [{ work = "50ms" }, { ack = true }]

[link.default]
latency = "0s"

[link."web -> slow"]
latency = "1ms"

[policy.user]

[policy.inside]
"#;

const EXPERIMENT: &str = r#"
name = "seen"
model = "m.toml"
seeds = "1..3"
arrivals = "40s"
drain = "20s"
measure = { operation = "web.page", warm_up = "0s", recovery = { hold = "2s" } }
"#;

const OBSERVE: &str = r#"
[observe]
nodes = true
incident = { hit = "web.page", sign = "web.probe", in_a_row = 3 }
requests = { of = "web.page", slowest = "10%" }
"#;

/// Runs the experiment with `more`, in a folder of its own; returns the folder of the results.
fn run(folder: &Path, more: &str) -> std::path::PathBuf {
    let experiment = folder.join("e.toml");
    std::fs::write(folder.join("m.toml"), MODEL).unwrap();
    std::fs::write(&experiment, format!("{EXPERIMENT}{more}")).unwrap();
    let out = folder.join("out");
    let output = command(&experiment, &out, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    out
}

/// The rows of a CSV, by the names of its columns.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut table = csv::Reader::from_path(path).unwrap();
    table.deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
}

const FAILS: &str = "\n[[faults]]\nkind = \"errors\"\ntarget = \"fast\"\nshare = \"100%\"\n\
                     at = \"20.5s\"\nfor = \"10s\"\n";

#[test]
fn an_incident_has_its_moments() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), &(OBSERVE.to_owned() + FAILS));
    let seen = rows(&out.join("incident.csv"));
    assert_eq!(seen.len(), 2);
    for row in &seen {
        near(number(row, "began_s"), 20.5);
        // A user comes each tenth of a second and a probe each second, and both are told at once.
        assert!(number(row, "first_hit_s") <= 0.11, "{row:?}");
        let sign = number(row, "first_sign_s");
        assert!(sign <= 1.01, "{row:?}");
        near(number(row, "alarm_s"), sign + 2.0);
        near(number(row, "healed_s"), 10.0);
        assert!(number(row, "last_hit_s") > 9.8 && number(row, "last_hit_s") <= 10.01);
        let hits = number(row, "hits");
        assert!((99.0..=101.0).contains(&hits), "{row:?}");
        let before = number(row, "hits_before_alarm");
        assert!((before - 10.0 * number(row, "alarm_s")).abs() <= 1.0, "{row:?}");
    }
    let tables = std::fs::read_to_string(out.join("tables.md")).unwrap();
    assert!(tables.contains("alarm: 3 in a row"), "{tables}");
    assert!(out.join("incident.png").exists());
}

#[test]
fn a_critical_path_adds_up_to_the_latency() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), OBSERVE);
    let parts = rows(&out.join("paths.csv"));
    let of = |node: &str, part: &str| {
        let is_it = |row: &&BTreeMap<String, String>| row["node"] == node && row["part"] == part;
        parts.iter().find(is_it).map_or(0.0, |row| number(row, "all_ms"))
    };
    near(of("web", "work"), 3.0);
    near(of("slow", "work"), 40.0);
    near(of("slow", "network"), 2.0);
    assert!(of("fast", "work") >= 4.9 && of("fast", "work") <= 5.0 + 1e-6);
    let sum: f64 = parts.iter().map(|row| number(row, "all_ms")).sum();
    let runs = rows(&out.join("runs.csv"));
    let latency = runs.iter().map(|row| number(row, "latency_mean_ms")).sum::<f64>() / 2.0;
    assert!((sum - latency).abs() < 1e-3, "{sum} is not {latency}");
    let slow = parts.iter().find(|row| row["node"] == "slow" && row["part"] == "work").unwrap();
    near(number(slow, "longest_ratio"), 1.0);
    let (requests, slowest) = (number(slow, "requests"), number(slow, "slowest"));
    assert!((slowest / requests - 0.1).abs() < 0.01, "{slowest} of {requests}");
    assert!(out.join("paths.png").exists());
}

#[test]
fn what_is_given_up_is_on_the_path_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let set = "\n[set]\n\"policy.inside.timeout\" = \"10ms\"\n";
    let out = run(folder.path(), &(set.to_owned() + OBSERVE));
    let parts = rows(&out.join("paths.csv"));
    let slow: Vec<_> = parts.iter().filter(|row| row["node"] == "slow").collect();
    assert_eq!(slow.len(), 1, "{slow:?}");
    assert_eq!(slow[0]["part"], "no answer");
    near(number(slow[0], "all_ms"), 10.0);
}

#[test]
fn nodes_and_operations_have_their_series() {
    let folder = tempfile::tempdir().unwrap();
    let stall =
        "\n[[faults]]\nkind = \"queue_stall\"\ntarget = \"line\"\nat = \"10s\"\nfor = \"10s\"\n";
    let out = run(folder.path(), &(OBSERVE.to_owned() + stall));
    let nodes = rows(&out.join("nodes.csv"));
    let at = |node: &str, from: f64| {
        let is_it = |row: &&BTreeMap<String, String>| {
            row["node"] == node && (number(row, "from_s") - from).abs() < 1e-9
        };
        nodes.iter().find(is_it).unwrap_or_else(|| panic!("{node} at {from}"))
    };
    // Ten a second for 40 ms each on two workers; with what they travel it is no more.
    near(number(at("slow", 5.0), "working"), 0.4);
    near(number(at("slow", 5.0), "working_ratio"), 0.2);
    near(number(at("worker", 5.0), "working"), 0.5);
    // Ten messages a second wait while the queue stands still; the oldest ages a second a second.
    let depth = number(at("line", 14.0), "messages");
    assert!((49.0..=51.0).contains(&depth), "{depth}");
    let age = |from: f64| number(at("line", from), "oldest_message_s");
    near(age(14.0) - age(13.0), 1.0);
    // Afterwards the worker does twenty a second, of which ten are new.
    near(number(at("worker", 22.0), "working_ratio"), 1.0);
    assert!((age(24.0) - (age(23.0) - 1.0)).abs() < 0.11, "{} {}", age(23.0), age(24.0));
    let operations = rows(&out.join("operations.csv"));
    let of = |operation: &str, from: f64| {
        let is_it = |row: &&BTreeMap<String, String>| {
            row["operation"] == operation && (number(row, "from_s") - from).abs() < 1e-9
        };
        operations.iter().find(is_it).unwrap()
    };
    near(number(of("web.page", 5.0), "ok"), 10.0);
    near(number(of("web.probe", 5.0), "asked"), 1.0);
    assert!(out.join("nodes.png").exists());
}

#[test]
fn a_run_is_the_same_whether_it_is_observed_or_not() {
    let (observed, plain) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let with = run(observed.path(), &(OBSERVE.to_owned() + FAILS));
    let without = run(plain.path(), FAILS);
    for file in ["runs.csv", "series.csv", "faults.csv", "violations.jsonl"] {
        let [one, other] = [&with, &without].map(|out| std::fs::read(out.join(file)).unwrap());
        assert!(one == other, "{file} differs");
    }
    for file in ["nodes.csv", "operations.csv", "incident.csv", "paths.csv", "nodes.svg"] {
        assert!(with.join(file).exists() && !without.join(file).exists(), "{file}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = folder.path().join("e.toml");
    std::fs::write(folder.path().join("m.toml"), MODEL).unwrap();
    for (observe, says) in [
        ("incident = { hit = \"web.nothing\" }", "unknown operation `web.nothing`"),
        ("incident = { hit = \"web.page\", sign = \"web.page\" }", "are no sign of that"),
        ("incident = { hit = \"web.page\", in_a_row = 0 }", "an alarm without a sign"),
        ("requests = { of = \"web.page\", slowest = \"0%\" }", "nothing is the slowest"),
        ("request = { of = \"web.page\" }", "unknown"),
    ] {
        std::fs::write(&experiment, format!("{EXPERIMENT}\n[observe]\n{observe}\n")).unwrap();
        let output = command(&experiment, &folder.path().join("out"), "1").output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(says), "{observe}: {text}");
        assert!(text.contains("e.toml:"), "{text}");
    }
}
