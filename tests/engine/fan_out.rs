//! Requests that fan out to one service: many leaves at once, and a service that calls itself.

use crate::common::{Changed, campaign, runs};
use stormglass::experiment::run::result::RunResult;

const EXPERIMENT: &str = r#"
name = "fan-out"
model = "inline"
arrivals = "20.001s"
drain = "10s"
seeds = "1..2"
"#;

/// One leaf in a hundred takes longer than a second (Dean and Barroso: "The Tail at Scale", CACM
/// 56(2), 2013); a request that does has failed.
const TREE: &str = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "root.ask", policy = "user" }]
[service.root]
workers = "unlimited"
on.ask.steps = [{ parallel = [[{ call = "leaf.ask" }]], copies = 100 }, { reply = "ok" }]
[service.leaf]
workers = "unlimited"
on.ask.steps = [{ work = "mix 99% 10ms, 1% 2s" }, { reply = "ok" }]
[policy.user]
timeout = "1s"
"#;

/// The same of a cluster: whoever is asked asks a hundred of its own kind.
fn cluster() -> String {
    TREE.changed("leaf.ask", "root.leaf")
        .changed("[service.leaf]\nworkers = \"unlimited\"\non.ask.steps", "on.leaf.steps")
}

fn run(model: &str) -> RunResult {
    runs(EXPERIMENT, model).remove(0)
}

/// By chance not so under one in ten million seeds: five standard deviations.
#[track_caller]
fn assert_slow(run: &RunResult, expected: f64) {
    let requests = run.metrics.requests as f64;
    let slow = 1.0 - run.metrics.ok as f64 / requests;
    let deviation = (expected * (1.0 - expected) / requests).sqrt();
    assert!((slow - expected).abs() < 5.0 * deviation, "{slow}, not {expected}");
}

#[test]
fn of_a_hundred_leaves_one_is_slow_in_63_of_100_requests() {
    let one = TREE.changed("copies = 100", "copies = 1");
    assert_slow(&run(&one), 0.01);
    for model in [TREE.to_owned(), cluster()] {
        let run = run(&model);
        assert_slow(&run, 1.0 - libm::pow(0.99, 100.0));
        let leaves = run.metrics.edges.iter().map(|edge| edge.attempts).max();
        assert_eq!(leaves, Some(100 * run.metrics.requests));
    }
}

/// Two workers: one request alone takes 10 ms for the root and 10 ms for the leaf; two that come
/// while neither has a leaf wait for each other until the timeout of 500 ms.
#[test]
fn workers_that_all_wait_for_another_one_lock_until_a_timeout() {
    let model = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [{ parallel = [[{ call = "web.ask" }]], copies = 1 }]
[service.web]
workers = 2
on.ask.steps = [{ work = "10ms" }, { call = "web.leaf", policy = "p" }, { reply = "ok" }]
on.leaf.steps = [{ work = "10ms" }, { reply = "ok" }]
[policy.p]
timeout = "500ms"
"#;
    let alone = run(model);
    assert_eq!((alone.metrics.requests, alone.metrics.ok), (20, 20));
    let both = run(&model.changed("copies = 1", "copies = 2"));
    assert_eq!((both.metrics.requests, both.metrics.ok), (40, 0));
    let more =
        run(&model.changed("copies = 1", "copies = 2").changed("workers = 2", "workers = 3"));
    assert_eq!((more.metrics.requests, more.metrics.ok), (40, 40));
    let warned = |model: &str| {
        let warnings = campaign(EXPERIMENT, model).warnings;
        warnings.iter().filter(|warning| warning.message.contains("another one for ever")).count()
    };
    assert_eq!((warned(model), warned(&model.changed(", policy = \"p\"", ""))), (0, 1));
}

/// Retries of a call to itself multiply what comes to it: two attempts for each request.
#[test]
fn a_service_that_calls_itself_is_a_layer_of_its_own() {
    let model = cluster()
        .changed("copies = 100", "copies = 1")
        .changed("root.leaf\" }", "root.leaf\", policy = \"twice\" }")
        .changed(
            "{ work = \"mix 99% 10ms, 1% 2s\" }, { reply = \"ok\" }",
            "{ reply = \"failed\" }",
        )
        + "[policy.twice]\nretry = { attempts = 2 }\n";
    let experiment = EXPERIMENT.to_owned() + "measure = { load = \"root.leaf\" }\n";
    let campaign = campaign(&experiment, &model);
    let run = campaign.run(0);
    let place = campaign.metrics().iter().position(|metric| metric.name == "worst_amplification");
    let worst = run.values[place.expect("the metric")].expect("it is there");
    assert!((worst - 2.0).abs() < 1e-9, "{worst}");
    assert_eq!(run.metrics.attempts, 2 * run.metrics.requests);
}
