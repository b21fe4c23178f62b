//! Where failures of instances meet replicas, relays and caches: what is lost, and that nothing
//! else is.

use crate::common::{Changed, runs};
use stormglass::experiment::run::result::RunResult;

fn one(seconds: u32, more: &str, model: &str) -> RunResult {
    let experiment = format!(
        "name = \"data\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"20s\"\n\
         seeds = \"1..2\"\nmeasure = {{ window = \"1s\" }}\n{more}"
    );
    runs(&experiment, model).remove(0)
}

fn accepted_and_lost(run: &RunResult) -> u64 {
    run.invariants[0].violations
}

/// Orders every 10 ms at a database with a relay, whose log is flushed every second.
const FLUSHED: &str = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "api.write", policy = "users" }]

[service.api]
workers = "unlimited"
on.write.steps = [
  { transaction = "db", write = ["item = set", "outbox = placed"] },
  { reply = "ok" },
]

[database.db]
commit = "0s"
read = "0s"
tables = { item = {} }
FLUSH

[replica.copy]
of = "db"
lag = "LAG"
read = "0s"

[outbox.relay]
database = "db"
queue = "work"
poll = "10s"

[queue.work]
visibility = "60s"

[service.worker]
workers = "unlimited"
takes = "work"
steps = [{ call = "shop.ship" }, { ack = true }]

[provider.shop]
concurrency = "unlimited"
latency = "0s"
effects = ["ship"]

[policy.users]
timeout = "500ms"
"#;

const PROMISE: &str = "[invariants]\naccepted_order_kept = { accepted = \"api.write\", \
     order = \"db.item\", settled = \"db.item = set\" }\n";

#[test]
fn a_replica_that_leads_after_a_crash_has_what_was_flushed_and_no_more() {
    let model = FLUSHED.changed("FLUSH", "flush = { every = \"1s\" }").changed("LAG", "0s");
    let crash = "[[faults]]\nkind = \"crash\"\ntarget = \"db\"\nat = \"9555ms\"\nfor = \"5s\"\n";
    let failover = "[[faults]]\nkind = \"primary_failover\"\ntarget = \"db\"\nto = \"copy\"\n\
                    after = \"1s\"\nat = \"9555ms\"\nfor = \"10s\"\n";
    // The last flush was at 9 s, so the crash undoes 55; the failover finds nothing else to lose.
    let alone = one(30, &format!("{PROMISE}{crash}"), &model).metrics.lost_transactions;
    assert!((54..=56).contains(&alone), "{alone}");
    let both = one(30, &format!("{PROMISE}{crash}{failover}"), &model);
    assert_eq!((both.metrics.lost_transactions, both.metrics.commits_lost), (alone, 0));
    assert_eq!(accepted_and_lost(&both), alone);
    // Without a crash it is the failover that loses them.
    let failed = one(30, &format!("{PROMISE}{failover}"), &model);
    assert_eq!((failed.metrics.lost_transactions, failed.metrics.commits_lost), (0, alone));
    assert_eq!(accepted_and_lost(&failed), alone);
}

#[test]
fn a_relay_publishes_no_event_of_a_transaction_that_a_failover_lost() {
    let model = FLUSHED.changed("FLUSH", "").changed("LAG", "2s");
    let failover = "[[faults]]\nkind = \"primary_failover\"\ntarget = \"db\"\nto = \"copy\"\n\
                    after = \"1s\"\nat = \"8995ms\"\nfor = \"12s\"\n";
    let run = one(30, &format!("{PROMISE}{failover}"), &model).metrics;
    assert!(run.commits_lost > 90, "{}", run.commits_lost);
    // Between the rounds of the relay nothing is sent: every order that is kept is shipped once.
    assert_eq!(run.effects, run.ok - run.commits_lost);
    assert_eq!(run.unprocessed, 0);
}

#[test]
fn readers_do_not_wait_for_a_process_that_died_fetching() {
    let model = r#"
[clients.users]
arrivals = { constant = "100/s" }
keys = { uniform = 1 }
flow = [{ call = "api.look", policy = "users" }]

[service.api]
workers = "unlimited"
on.look.steps = [{ read = "db.item", cache = "near" }, { reply = "ok" }]

[database.db]
commit = "0s"
read = "200ms"
tables = { item = { rows = "key" } }

[cache.near]
capacity = 10
single_flight = true

[policy.users]
timeout = "1s"
"#;
    let crash =
        "[[faults]]\nkind = \"crash\"\ntarget = \"api\"\nat = \"5105ms\"\nfor = \"500ms\"\n";
    // There is no row, so that nothing is kept and somebody is always fetching.
    let run = one(20, crash, model).metrics;
    assert!((60..=80).contains(&(run.requests - run.ok)), "{}", run.requests - run.ok);
}
