//! Row locks: a hot row queues, waits end after a while, and who fails or dies keeps nothing.

use crate::common::{Changed, runs};
use stormglass::experiment::run::result::RunResult;

/// Users who want one row: read it for update, work for 8 ms, write it. Each has it for 10 ms.
const HOT_ROW: &str = r#"
[clients.users]
arrivals = { constant = "200/s" }
flow = [{ call = "api.take" }]

[service.api]
workers = "unlimited"
on.take.steps = [
  { read = "db.seat", for_update = [
    { work = "8ms" },
    { transaction = "db", write = ["seat = taken"] },
  ] },
  { reply = "ok" },
]
on.write.steps = [{ transaction = "db", write = ["seat = taken"] }, { reply = "ok" }]

[service.broken]
workers = "unlimited"
on.ask.steps = [{ reply = "failed" }]

[database.db]
commit = "1ms"
read = "1ms"
tables = { seat = { rows = "key" } }
"#;

fn run_with(model: &str, faults: &str) -> RunResult {
    let experiment = format!(
        "name = \"locks\"\nmodel = \"inline\"\narrivals = \"1.0025s\"\ndrain = \"99s\"\n\
         seeds = \"1..2\"\nmeasure = {{ warm_up = \"0s\" }}\n{faults}"
    );
    runs(&experiment, model).remove(0)
}

fn run(model: &str) -> RunResult {
    run_with(model, "")
}

fn last_answer_s(run: &RunResult) -> f64 {
    run.metrics.last_answer.0 as f64 / 1e9
}

#[test]
fn a_hot_row_queues_and_nobody_conflicts() {
    let locked = run(HOT_ROW);
    let metrics = &locked.metrics;
    assert_eq!((metrics.ok, metrics.conflicts, metrics.updates_lost), (200, 0, 0));
    // The first comes at 5 ms; two hundred have it for 10 ms, one after the other.
    assert!((last_answer_s(&locked) - 2.005).abs() < 1e-9, "{}", last_answer_s(&locked));
    let unlocked =
        HOT_ROW.changed("{ read = \"db.seat\", for_update = [", "{ read = \"db.seat\" },");
    let unlocked =
        run(&unlocked
            .changed("write = [\"seat = taken\"] },\n  ] },", "write = [\"seat = taken\"] },"));
    assert!(unlocked.metrics.updates_lost > 100 && last_answer_s(&unlocked) < 1.1);
    let others = run(&HOT_ROW.changed("flow", "keys = { uniform = 1000 }\nflow"));
    assert!(last_answer_s(&others) < 1.1, "other rows do not wait: {}", last_answer_s(&others));
}

#[test]
fn who_waits_too_long_is_told_conflict() {
    let model = HOT_ROW.changed("commit", "lock_timeout = \"100ms\"\ncommit");
    let metrics = run(&model).metrics;
    assert_eq!(metrics.ok + metrics.conflicts, 200);
    // One is served every 10 ms for a second and a little, the others have waited in vain.
    assert!((105..=112).contains(&metrics.ok), "{}", metrics.ok);
    let again = model.changed("on.take.steps = [", "on.take.steps = [{ repeat = [");
    let again = again.changed(
        "  { reply = \"ok\" },\n]\non.write",
        "], times = 99, on = [\"conflict\"] },\n  { reply = \"ok\" },\n]\non.write",
    );
    let again = run(&again).metrics;
    assert_eq!(again.ok, 200, "who asks again is served in the end");
}

#[test]
fn a_transaction_that_writes_a_locked_row_waits_for_it() {
    let writers = r#"
[clients.writers]
arrivals = { constant = "1/s" }
flow = [{ call = "api.write" }]
"#;
    // Somebody has the row from 5 ms to 2 s: the writer of 1 s comes after those before it.
    let run = run(&format!("{HOT_ROW}{writers}"));
    assert_eq!((run.metrics.ok, run.metrics.conflicts), (201, 0));
    let slowest = run.metrics.latency.quantile(1.0).expect("some request").seconds();
    assert!(slowest > 0.9, "{slowest}");
    let edges = run.metrics.edges.iter().map(|edge| edge.outcomes.total()).sum::<u64>();
    assert_eq!(edges, 201 + 400 + 1, "nobody is asked twice");
}

#[test]
fn who_fails_under_a_lock_gives_it_back() {
    let fails = "{ work = \"8ms\" },\n    { call = \"broken.ask\" },";
    let model = HOT_ROW.changed("{ work = \"8ms\" },", fails);
    let failed = run(&model);
    assert_eq!((failed.metrics.ok, failed.metrics.conflicts), (0, 0));
    assert!((last_answer_s(&failed) - 1.805).abs() < 1e-9, "9 ms each: {}", last_answer_s(&failed));
    let goes_on =
        run(&model.changed("  ] },\n  { reply", "  ], ignore_failure = true },\n  { reply"));
    assert_eq!(goes_on.metrics.ok, 200);
    let replies =
        HOT_ROW.changed("{ work = \"8ms\" },", "{ when = \"found\", then = [{ reply = 410 }] },");
    let replies = run(&replies);
    assert_eq!(replies.metrics.ok, 1, "the first one finds nothing, and the others its seat");
    assert!(last_answer_s(&replies) < 1.1, "{}", last_answer_s(&replies));
}

#[test]
fn a_dead_holder_keeps_nothing_and_a_dead_database_forgets() {
    let two = HOT_ROW.changed("[service.api]", "[service.api]\ninstances = 2");
    let crash =
        "[[faults]]\nkind = \"crash\"\ntarget = \"api[0]\"\nat = \"500ms\"\nfor = \"60s\"\n";
    let crashed = run_with(&two, crash);
    assert!(crashed.metrics.ok > 100 && crashed.metrics.conflicts <= 1, "{}", crashed.metrics.ok);
    assert!(last_answer_s(&crashed) < 2.0, "nobody waits for a lock of the dead");
    let restart =
        "[[faults]]\nkind = \"restart\"\ntarget = \"db\"\nat = \"500ms\"\nfor = \"1ms\"\n";
    let restarted = run_with(HOT_ROW, restart);
    let metrics = &restarted.metrics;
    assert!(metrics.conflicts <= 1 && metrics.updates_lost == 0, "{}", metrics.conflicts);
    assert!(metrics.ok > 90 && metrics.ok + metrics.failed.total() == 200, "{}", metrics.ok);
}

#[test]
fn who_no_longer_waits_for_a_lock_does_not_get_it() {
    let model = HOT_ROW.changed("for_update = [", "policy = \"short\", for_update = [");
    let metrics = run(&format!("{model}\n[policy.short]\ntimeout = \"50ms\"\n")).metrics;
    // Each is served at once after the one before: the silent ones take no time.
    assert!((100..=107).contains(&metrics.ok), "{}", metrics.ok);
    assert_eq!(metrics.ok + metrics.failed.total(), 200);
}
