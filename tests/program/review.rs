//! `review`: each part left out, what it contains and introduces, and a check that passes with a
//! remedy and fails without it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

/// A shop with one of each: a call, a queue behind an outbox, a projection, a cache, a replica, and
/// a second region.
const MODEL: &str = r#"
[clients.users]
arrivals = { poisson = "60/s" }
keys = { uniform = 20 }
patience = "5s"
flow = [
  { call = "shop.buy", policy = "user" },
  { think = "100ms" },
  { call = "shop.look", policy = "user" },
  { call = "shop.bill", policy = "user" },
]
[service.shop]
region = "eu"
workers = 50
queue = { limit = 100 }
on.buy.steps = [
  { call = "stock.take", policy = "inside" },
  { transaction = "orders", write = ["order = placed", "outbox = placed"], invalidate = "front", policy = "inside" },
  { reply = "ok" },
]
on.look.steps = [{ read = "copy.order", cache = "front", policy = "inside" }, { reply = "ok" }]
on.bill.steps = [{ read = "bills.bill", policy = "inside" }, { reply = "ok" }]
[service.stock]
region = "us"
workers = 20
on.take.steps = [{ work = "1ms" }, { reply = "ok" }]
[service.biller]
workers = 10
takes = "placed"
steps = [
  { work = "exp 100ms" },
  { transaction = "bills", once = "order", write = ["bill = placed"], policy = "inside" },
  { ack = true, policy = "inside" },
]
[database.orders]
connections = 20
commit = "1ms"
read = "1ms"
tables = { order = { rows = "key" } }
[database.bills]
commit = "1ms"
read = "1ms"
tables = { bill = { rows = "key" } }
[replica.copy]
of = "orders"
lag = "exp 50ms"
read = "1ms"
[cache.front]
capacity = 100
ttl = "60s"
[outbox.relay]
database = "orders"
queue = "placed"
poll = "20ms"
policy = "inside"
[queue.placed]
visibility = "30s"
[policy.user]
timeout = "4s"
[policy.inside]
timeout = "1s"
"#;

const EXPERIMENT: &str = r#"
name = "shop"
title = "A shop"
question = "What is it made of?"
model = "model.toml"
seeds = "1..3"
arrivals = "21s"
measure = { warm_up = "0s" }
[invariants]
projection_matches = { source = "orders.order", projection = "bills.bill" }
"#;

/// A folder with the files.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("model.toml"), MODEL).expect("the model");
    std::fs::write(folder.path().join("experiment.toml"), EXPERIMENT).expect("the experiment");
    folder
}

fn stormglass(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.current_dir(folder).args(arguments).output().expect("it starts")
}

/// What it prints, which must be without an error.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = stormglass(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

const REVIEW: [&str; 8] =
    ["review", "model.toml", "--experiment", "experiment.toml", "--seeds", "1..3", "--out", "out"];

/// The review of the shop, in its folder: made once.
static REVIEWED: LazyLock<(TempDir, Value)> = LazyLock::new(|| {
    let folder = folder();
    let text = printed(folder.path(), &[&REVIEW[..], &["--json"]].concat());
    (folder, serde_json::from_str(&text).expect("JSON"))
});

/// The part of this kind.
fn part(review: &Value, kind: &str) -> Value {
    let parts = review["parts"].as_array().expect("a list");
    parts.iter().find(|part| part["kind"] == kind).unwrap_or_else(|| panic!("no {kind}")).clone()
}

/// A metric under a failure, as it is and without the part.
fn metric(side: &Value, name: &str) -> (f64, f64) {
    let metrics = side["metrics"].as_array().expect("a list");
    let metric = metrics.iter().find(|metric| metric["metric"] == name);
    let metric = metric.unwrap_or_else(|| panic!("no {name} in {side}"));
    let of = |arm: &str| metric[arm].as_f64().unwrap_or_else(|| panic!("{metric}"));
    (of("as_it_is"), of("without"))
}

#[test]
fn each_part_is_left_out_and_meets_what_it_contains_and_what_it_introduces() {
    let (_, review) = &*REVIEWED;
    let kinds: Vec<&str> = review["parts"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|part| part["kind"].as_str())
        .collect();
    let all = ["synchronous call", "queue", "cache", "read replica", "projection", "second region"];
    assert_eq!(kinds, all);

    let call = part(review, "synchronous call");
    assert_eq!(call["name"], "shop -> stock.take");
    let (with, without) = metric(&call["introduces"], "latency_mean_ms");
    assert!(with > 20.0 * without, "who does not call does not wait: {with} {without}");

    let queue = part(review, "queue");
    let (with, without) = metric(&queue["contains"], "success_ratio");
    assert!(with > 0.999 && without < 0.95, "the consumers are gone: {with} {without}");
    let (with, without) = metric(&queue["introduces"], "oldest_message_s");
    assert!(with > 9.0 && without == 0.0, "nothing waits without a queue: {with} {without}");

    let (with, without) = metric(&part(review, "cache")["introduces"], "stale_row_ratio");
    assert!(with > without, "a cache shows what is older: {with} {without}");
    let (with, without) = metric(&part(review, "read replica")["introduces"], "stale_row_ratio");
    assert!(with > 5.0 * without, "a replica that is late: {with} {without}");
    let (with, without) = metric(&part(review, "second region")["contains"], "success_ratio");
    assert!(with > without + 0.02, "all of one region: {with} {without}");
}

#[test]
fn a_check_passes_with_its_remedy_and_its_file_says_the_same() {
    let (folder, review) = &*REVIEWED;
    for kind in ["synchronous call", "queue", "cache"] {
        let check = &part(review, kind)["check"];
        assert_eq!(check["verdicts"]["with_remedy"], "pass", "{kind}: {check}");
        let file = check["file"].as_str().expect("a path");
        for (arm, verdict) in check["verdicts"].as_object().expect("by arm") {
            let code = stormglass(folder.path(), &["check", file, "--arm", arm]).status.code();
            let told = if verdict == "pass" { 0 } else { 1 };
            assert_eq!(code, Some(told), "{kind}, {arm}: {check}");
        }
    }
    let failing = |kind: &str, arm: &str| part(review, kind)["check"]["verdicts"][arm].clone();
    assert_eq!(failing("synchronous call", "without_remedy"), "violation", "{review:#}");
    assert_eq!(failing("queue", "as_it_is"), "violation", "{review:#}");
    assert_eq!(failing("cache", "without_remedy"), "violation", "{review:#}");
}

#[test]
fn the_numbers_are_those_of_the_experiments_that_it_writes() {
    let (folder, review) = &*REVIEWED;
    let queue = part(review, "queue");
    let file = queue["file"].as_str().expect("a path");
    let run = printed(folder.path(), &["run", file, "--json"]);
    let summary: Value = serde_json::from_str(&run).expect("JSON");
    let cells = summary["cells"].as_array().expect("cells");
    let mean = |arm: &str| {
        let cell = cells.iter().find(|it| it["arm"] == arm && it["point"] == "failure=down");
        cell.expect("a cell")["metrics"]["success_ratio"]["mean"].as_f64().expect("a mean")
    };
    let (with, without) = metric(&queue["contains"], "success_ratio");
    assert_eq!((with, without), (mean("as_it_is"), mean("without")));
}

#[test]
fn it_is_the_same_with_one_worker_and_fits_a_terminal() {
    let (folder, _) = &*REVIEWED;
    let alone = self::folder();
    let text = printed(alone.path(), &[&REVIEW[..], &["--workers", "1"]].concat());
    for entry in std::fs::read_dir(folder.path().join("out")).expect("the folder") {
        let entry = entry.expect("an entry");
        // Another test runs one of the experiments there.
        if entry.file_type().expect("a type").is_dir() {
            continue;
        }
        let name = entry.file_name();
        let read = |folder: &TempDir| std::fs::read(folder.path().join("out").join(&name));
        assert_eq!(read(folder).expect("a file"), read(&alone).expect("a file"), "{name:?}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    for question in [
        "What must never happen?",
        "What will surely fail?",
        "How do we know that it is contained?",
    ] {
        assert!(text.contains(question), "{question}: {text}");
    }
    let table = std::fs::read_to_string(folder.path().join("out/review.md")).expect("the table");
    assert!(table.contains("| design choice | failure it contains | new failure it introduces |"));
}

#[test]
fn a_model_alone_is_enough_and_one_without_parts_is_refused() {
    let folder = folder();
    let short = ["review", "model.toml", "--seeds", "1..2", "--set", "arrivals=3s"];
    let told = printed(folder.path(), &short);
    assert!(told.contains("No promise is declared"), "{told}");
    assert!(folder.path().join("out/review-model/queue-placed.toml").is_file());

    let alone = "[clients.users]\narrivals = { poisson = \"1/s\" }\nflow = [{ call = \"a.b\" }]\n\
                 [service.a]\nworkers = 1\non.b.steps = [{ work = \"1ms\" }, { reply = \"ok\" }]\n";
    std::fs::write(folder.path().join("alone.toml"), alone).expect("a model");
    let output = stormglass(folder.path(), &["review", "alone.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("no part that a review knows how to leave out"), "{told}");
}
