//! `stormglass budget`: which failure spends an error budget, and which change buys it back.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::Changed;

/// Ten orders a second at a shop of one host.
const MODEL: &str = r#"
[clients.shoppers]
arrivals = { constant = "10/s" }
flow = [{ call = "api.order", policy = "shop" }]

[service.api]
workers = "unlimited"
on.order.steps = [{ work = "1ms" }, { reply = "ok" }]

[policy.shop]
timeout = "1s"
"#;

/// The second arm asks once more, and needs a second host for it, at the same price.
const EXPERIMENT: &str = r#"
name = "arms"
model = "model.toml"
seeds = "1..13"
arrivals = "100s"
drain = "2s"
measure = { warm_up = "0s", operation = "api.order" }

[slo.orders]
of = "api.order"
good = "answer ok"
target = "99.9%"
window = "30d"

[price]
currency = "EUR"
[price.for.hosts]
what = "instances of api"
amount = 100
per = "30d"
[price.for.lost]
what = "orders.bad"
amount = "0.01"
assumed = true

[arms.one]
label = "once"
[arms.two]
label = "twice"
[arms.two.set]
"service.api.instances" = 2
"policy.shop.retry" = { attempts = 2, backoff = "constant 10ms" }
"#;

/// A minute in which every second call fails, three times a month, and ten seconds of all, twelve
/// times.
const BUDGET: &str = r#"
name = "months"
experiment = "arms.toml"
windows = 300

[incident.flaky]
label = "flaky calls"
per_month = 3
faults = [{ kind = "errors", target = "api", share = "50%", at = "20s", for = "60s" }]

[incident.release]
per_month = 12
change = true
faults = [{ kind = "crash", target = "api", at = "20s", for = "10s" }]
"#;

fn folder(budget: &str) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let files = [("model.toml", MODEL), ("arms.toml", EXPERIMENT), ("budget.toml", budget)];
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn budget(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    for name in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "TF_BUILD", "TEAMCITY_VERSION"] {
        command.env_remove(name);
    }
    let command = command.current_dir(folder).args(["budget", "budget.toml"]).args(more);
    command.output().expect("the program starts")
}

fn summary(folder: &Path) -> Value {
    let ran = budget(folder, &["--json"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

fn refused(text: &str) -> String {
    let ran = budget(folder(text).path(), &[]);
    assert_eq!(ran.status.code(), Some(2));
    String::from_utf8(ran.stderr).expect("text")
}

/// Within so much of what is expected, as a share of it.
#[track_caller]
fn assert_near(value: &Value, expected: f64, within: f64) {
    let value = value.as_f64().expect("a number");
    assert!((value - expected).abs() <= within * expected.abs(), "{value} instead of {expected}");
}

/// Half a minute of all orders is 30 s / 2,592 s of what may fail in a month, 1.157%; ten seconds
/// are 0.386%. Of the first every second one is saved by another attempt, and of the second none.
#[test]
fn frequency_times_cost_is_what_is_spent_and_another_attempt_buys_half_of_it_back() {
    let folder = folder(BUDGET);
    let summary = summary(folder.path());
    let (one, two) = (&summary["arms"][0], &summary["arms"][1]);
    let flaky = 30.0 / 2592.0;
    assert_near(&one["incidents"][0]["each"]["mean"], flaky, 0.05);
    assert_near(&one["incidents"][0]["budget"]["mean"], 3.0 * flaky, 0.05);
    assert_near(&one["incidents"][1]["budget"]["mean"], 12.0 * flaky / 3.0, 0.002);
    assert_near(&one["all"]["mean"], 7.0 * flaky, 0.02);
    assert_near(&one["incidents"][1]["share"]["mean"], 4.0 / 7.0, 0.02);
    assert_near(&two["incidents"][0]["budget"]["mean"], 1.5 * flaky, 0.1);
    assert_near(&two["bought_back"]["mean"], 1.5 * flaky, 0.1);
    // A host more for 100, and half of three times 300 orders for a hundredth each.
    assert_near(&two["dearer_by"]["mean"], 100.0 - 4.5, 0.02);
    assert_eq!(one["calm"]["mean"], 0.0);
    assert_eq!(summary["assumed"][0], "lost");
    let answer = summary["answer"].to_string();
    assert!(answer.contains("Most of the budget goes to release: 57"), "{answer}");
    assert!(answer.contains("twice") && answer.contains("buys back most"), "{answer}");
}

/// One request in a hundred is always lost, which is ten budgets, and none of it is an incident's:
/// of a hundred orders that a release takes, one would have been lost all the same.
#[test]
fn what_goes_wrong_anyway_is_that_of_calm_days() {
    let own = folder(BUDGET);
    let loss = "[link.\"shoppers -> api\"]\nrequest_loss = \"1%\"\n[policy.shop]";
    let model = MODEL.changed("[policy.shop]", loss);
    fs::write(own.path().join("model.toml"), model).expect("a file");
    let arms = &summary(own.path())["arms"];
    assert_near(&arms[0]["calm"]["mean"], 10.0, 0.25);
    assert_near(&arms[0]["incidents"][1]["each"]["mean"], 0.99 * 10.0 / 2592.0, 0.03);
    let lost = arms[0]["all"]["mean"].as_f64().expect("a share") * 25_920.0;
    // A host, and a hundredth for each order that is lost.
    assert_near(&arms[0]["cost"]["mean"], 100.0 + lost * 0.01, 0.005);
}

#[test]
fn every_file_is_the_same_with_one_worker_and_with_two() {
    let folder = folder(BUDGET);
    let files = |workers: &str| {
        let ran = budget(folder.path(), &["--workers", workers, "--out", workers]);
        assert!(ran.status.success());
        let entries = fs::read_dir(folder.path().join(workers)).expect("results");
        let mut files: Vec<(String, Vec<u8>)> = entries
            .map(|entry| entry.expect("an entry"))
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, fs::read(entry.path()).expect("a file"))
            })
            .collect();
        files.sort();
        files
    };
    let one = files("1");
    let names: Vec<&str> = one.iter().map(|(name, _)| name.as_str()).collect();
    let pictures =
        ["budget.csv", "budget.md", "budget.png", "budget.svg", "front.png", "front.svg"];
    assert_eq!(names, [&pictures[..], &["manifest.json", "summary.json"]].concat());
    assert!(one == files("2"));
}

#[test]
fn the_answer_is_on_one_screen_and_says_what_it_cannot_see() {
    let ran = budget(folder(BUDGET).path(), &[]);
    let text = String::from_utf8(ran.stdout).expect("text");
    assert!(text.starts_with("Most of the budget goes to"), "{text}");
    assert!(text.lines().count() <= 25, "{text}");
    for part in ["not seen: overlapping incidents", "burn alerts over days", "once", "months over"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// The same faults in an experiment of their own cost the same.
#[test]
fn an_incident_can_be_an_experiment() {
    let budget = BUDGET.changed(
        "faults = [{ kind = \"crash\", target = \"api\", at = \"20s\", for = \"10s\" }]",
        "experiment = \"release.toml\"",
    );
    let own = folder(&budget);
    let faults = "extends = \"arms.toml\"\nname = \"release\"\n\
                  faults = [{ kind = \"crash\", target = \"api\", at = \"20s\", for = \"10s\" }]\n";
    fs::write(own.path().join("release.toml"), faults).expect("a file");
    let (own, inline) = (summary(own.path()), summary(folder(BUDGET).path()));
    assert_eq!(own["arms"], inline["arms"]);
}

/// Half of the budget on each of a month's releases: changes wait while more than all is gone, and
/// without them it is kept more often.
#[test]
fn a_policy_freezes_changes_and_counts_the_days() {
    let often = BUDGET.changed("per_month = 12", "per_month = 300");
    let few = often.changed("windows = 300", "windows = 60");
    let free = summary(folder(&few).path());
    let policy = "windows = 60\npolicy = { post_mortem_above = \"0.8%\" }";
    let held = summary(folder(&often.changed("windows = 300", policy)).path());
    let (free, held) = (&free["arms"][0], &held["arms"][0]);
    assert!(free["policy"].is_null());
    let number = |value: &Value| value.as_f64().expect("a number");
    // 300 releases of 0.386% and three flaky minutes of 1.157% are 119%.
    assert_near(&free["all"]["mean"], 1.192, 0.01);
    assert!(number(&free["over"]["mean"]) > 0.98);
    assert!(number(&held["policy"]["frozen_days"]["mean"]) > 3.0, "{held}");
    assert!(number(&held["all"]["mean"]) < 1.08, "{held}");
    // Of the three a month each takes more than 0.8%.
    assert_near(&held["policy"]["post_mortems"]["mean"], 3.0, 0.25);
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let wrong = refused(&BUDGET.changed("per_month = 3\n", "per_month = 0\n"));
    assert!(
        wrong.contains("0 in 30 days cannot be drawn") && wrong.contains("budget.toml"),
        "{wrong}"
    );
    let wrong = refused(&BUDGET.changed("windows = 300", "objective = \"page\""));
    assert!(wrong.contains("unknown objective `page`"), "{wrong}");
    let wrong = refused(&BUDGET.changed("target = \"api\"", "target = \"apu\""));
    assert!(wrong.contains("budget.toml") && wrong.contains("did you mean `api`"), "{wrong}");
    let both = "per_month = 3\nexperiment = \"arms.toml\"\n";
    let wrong = refused(&BUDGET.changed("per_month = 3\n", both));
    assert!(wrong.contains("either `faults` or `experiment`"), "{wrong}");
    let wrong = refused("name = \"months\"\nexperiment = \"arms.toml\"\n[incident]\n");
    assert!(wrong.contains("nothing ever happens"), "{wrong}");
    for (change, to, says) in [
        ("measure = { warm_up = \"0s\", ", "measure = { ", "`warm_up` in [measure]"),
        ("[arms.two]", "[factors.load.high]\n[factors.load.low]\n[arms.two]", "without `factors`"),
        (
            "target = \"99.9%\"\nwindow = \"30d\"",
            "target = \"99.9%\"\nwindow = \"30d\"\n[slo.more]\nof = \"api.order\"\n\
             good = \"answer\"\ntarget = \"99%\"\nwindow = \"7d\"",
            "whose budget is spent",
        ),
    ] {
        let folder = folder(BUDGET);
        let text = EXPERIMENT.changed(change, to);
        fs::write(folder.path().join("arms.toml"), text).expect("a file");
        let ran = budget(folder.path(), &[]);
        let told = String::from_utf8(ran.stderr).expect("text");
        assert!(ran.status.code() == Some(2) && told.contains(says), "{says}: {told}");
    }
}
