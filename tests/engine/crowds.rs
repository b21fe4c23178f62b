//! What a run costs when many wait or act at once: events for each request stay the same from a
//! thousand to a hundred thousand, and a crowd in one instant is no livelock.

use crate::common::{Changed, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::limit::Ending;

fn run(seconds: u32, model: &str) -> RunResult {
    let experiment = format!(
        "name = \"crowd\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"1s\"\n\
         seeds = \"0..1\"\n"
    );
    runs(&experiment, model).remove(0)
}

/// Users who all act at once, and wait in a bulkhead of the policy or of the caller.
fn crowd(users: u64, service: &str, policy: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ closed = {{ users = {users}, think = "1s" }} }}
flow = [{{ call = "front.ask" }}]

[service.front]
workers = "unlimited"
on.ask.steps = [{{ call = "back.serve", policy = "narrow" }}, {{ reply = "ok" }}]
{service}

[service.back]
workers = "unlimited"
on.serve.steps = [{{ work = "1us" }}, {{ reply = "ok" }}]

[policy.narrow]
{policy}
"#
    )
}

/// Events for each request, at these numbers of users.
fn events_per_request(model: impl Fn(u64) -> String, users: [u64; 3]) -> [f64; 3] {
    users.map(|users| {
        let run = run(2, &model(users));
        assert_eq!((run.ending, run.metrics.requests), (Ending::Complete, users));
        run.events as f64 / users as f64
    })
}

#[test]
fn waiting_for_a_bulkhead_costs_each_request_the_same_however_many_wait() {
    let policies = [
        "bulkhead = { limit = 1, queue = 1_000_000 }",
        "bulkhead = { limit = 7, queue = 1_000_000, around = \"call\" }",
        "bulkhead = { limit = 1, queue = 1_000_000, max_wait = \"1s\" }",
    ];
    for policy in policies {
        let [few, more, many] =
            events_per_request(|users| crowd(users, "", policy), [1_000, 10_000, 100_000]);
        assert!(few < 20.0, "{policy}: {few} events for each request");
        assert!(
            (more - few).abs() < 0.1 && (many - few).abs() < 0.1,
            "{policy}: {few} {more} {many}"
        );
    }
}

#[test]
fn waiting_at_a_node_costs_each_request_the_same_however_many_wait() {
    let service = "bulkhead.back = { limit = 1, queue = 1_000_000 }";
    let [few, more, many] =
        events_per_request(|users| crowd(users, service, ""), [1_000, 10_000, 100_000]);
    assert!((more - few).abs() < 0.1 && (many - few).abs() < 0.1, "{few} {more} {many}");
}

#[test]
fn a_crowd_in_one_instant_is_no_livelock() {
    // With no latency and no work everything happens at the end of the first second.
    let model = crowd(250_000, "", "").changed("{ work = \"1us\" }, ", "");
    let run = run(2, &model);
    assert_eq!((run.ending, run.metrics.requests), (Ending::Complete, 250_000));
    assert!(run.events > 1_000_000, "{} events in one instant", run.events);
}

// ---- giving up ----------------------------------------------------------------------------------

#[test]
fn a_long_line_whose_jobs_give_up_is_left_in_order() {
    // 100,000 come at once, one is served each 10 ms, and all others give up after a second.
    let model = crowd(100_000, "", "")
        .changed(
            "[service.back]\nworkers = \"unlimited\"",
            "[service.back]\nworkers = 1\nqueue = { limit = 1_000_000, max_wait = \"1s\" }",
        )
        .changed("1us", "10ms");
    let run = run(2, &model);
    assert_eq!(run.ending, Ending::Complete);
    // A hundred at work one after the other; who would begin at 1 s gives up just then.
    assert!((99..=101).contains(&run.metrics.ok), "{} were served", run.metrics.ok);
}

// ---- waiting for rows ---------------------------------------------------------------------------

/// Users who all act at once and wait for one row of a cache, each for a row of a replica, or each
/// for a replica to have what was written.
fn crowd_at(flow: &str, database: &str) -> impl Fn(u64) -> String {
    move |users| {
        format!(
            r#"
[clients.users]
arrivals = {{ closed = {{ users = {users}, think = "1s" }} }}
flow = [{flow}]

[service.front]
workers = "unlimited"
on.write.steps = [{{ transaction = "db", write = ["order = set"] }}, {{ reply = "ok" }}]
on.cached.steps = [{{ read = "db.item", cache = "lru" }}, {{ reply = "ok" }}]
on.own.steps = [
  {{ read = "copy.order", wait = {{ for = "own write", timeout = "9s" }} }},
  {{ reply = "ok" }},
]

[database.db]
commit = "uniform 0ms..500ms"
read = "10ms"
connections = "unlimited"
tables = {{ order = {{}}, item = {{ rows = "key", initial = "set" }} }}
{database}

[replica.copy]
of = "db"
lag = "300ms"
read = "0s"

[cache.lru]
capacity = 10
lease = "9s"
ttl = "9s"
"#
        )
    }
}

#[test]
fn waiting_for_a_row_costs_each_request_the_same_however_many_wait() {
    let replicated = "replication = { semi_sync = { timeout = \"9s\" } }";
    let cases = [
        ("{ call = \"front.cached\" }", "", 1),
        ("{ call = \"front.write\" }, { call = \"front.own\" }", "", 2),
        ("{ call = \"front.write\" }", replicated, 1),
    ];
    for (flow, database, calls) in cases {
        let model = crowd_at(flow, database);
        for users in [100, 50_000] {
            let run = run(2, &model(users));
            let metrics = &run.metrics;
            assert_eq!((run.ending, metrics.ok), (Ending::Complete, users * calls), "{flow}");
            assert!(run.events <= 16 * users, "{flow}: {} events", run.events);
            assert_eq!(metrics.fills_refused + metrics.answered_alone, 0, "{flow}");
        }
    }
}
