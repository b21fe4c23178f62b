//! What outlives a crash, and what was never on disk.

use stormglass::experiment::run::result::{RunResult, RunVerdict};
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::Outcome;
use stormglass::system::fact::Fact;

use crate::common::{Changed, runs};
use crate::crashes::{PROMISES, RELAY, experiment, facts, fault, ms, run, shop};

/// The place of `accepted_order_kept` among the promises of [`PROMISES`].
const KEPT: usize = 3;

#[test]
fn a_crash_loses_memory_and_keeps_what_is_durable() {
    for target in
        ["api", "payer", "relay", "payments", "orders", "orders_replica", "status", "payment"]
    {
        let crash =
            fault(&format!("kind = \"crash\"\ntarget = \"{target}\"\nat = \"4s\"\nfor = \"2s\""));
        for run in runs(&experiment(10, "1..4", &format!("{PROMISES}{crash}")), &shop()) {
            assert_eq!(run.verdict(), RunVerdict::Pass, "{target}");
            assert_eq!(run.metrics.unprocessed, 0, "{target}: everything is done with in the end");
            assert_eq!(run.metrics.lost_transactions + run.metrics.lost_messages, 0, "{target}");
        }
    }
}

#[test]
fn a_queue_that_is_not_durable_loses_its_messages() {
    // Two workers are too few: there is a backlog.
    let model = shop()
        .changed("max_receives = 5", "max_receives = 5\ndurable = false")
        .changed("workers = 100\ntakes", "workers = 2\ntakes");
    let crash = fault("kind = \"crash\"\ntarget = \"payments\"\nat = \"4s\"\nfor = \"2s\"");
    let run = runs(&experiment(10, "1..2", &format!("{PROMISES}{crash}")), &model).remove(0);
    assert!(run.metrics.lost_messages > 0);
    let kept = &run.invariants[KEPT];
    // A message whose payment was recorded, but not yet acknowledged, is no loss.
    assert!(kept.violations > 0 && kept.violations <= run.metrics.lost_messages);
}

#[test]
fn messages_in_the_hands_of_a_dead_worker_come_back_after_their_visibility() {
    let model = shop().changed("visibility = \"30s\"", "visibility = \"7s\"");
    let crash = fault("kind = \"crash\"\ntarget = \"payer\"\nat = \"4s\"\nfor = \"500ms\"");
    let (_, told) = facts(&model, 8, &crash);
    let again: Vec<u64> = told
        .iter()
        .filter(|(_, fact)| matches!(fact, Fact::Delivered { receives: 2, .. }))
        .map(|(at, _)| at.0 / 1_000_000_000)
        .collect();
    assert!(!again.is_empty());
    assert!(again.iter().all(|&second| (10..=11).contains(&second)), "{again:?}");
    let while_down = told.iter().any(|&(at, fact)| {
        matches!(fact, Fact::Delivered { .. }) && ms(Span(at.0)) > 4000 && ms(Span(at.0)) < 4500
    });
    assert!(!while_down, "nothing is handed to a worker that is down");
}

#[test]
fn a_database_that_flushes_now_and_then_loses_what_it_had_answered() {
    let crash = fault("kind = \"crash\"\ntarget = \"orders\"\nat = \"4.9s\"\nfor = \"1s\"");
    let with = |flush: &str| {
        let model = shop().changed("\"each_commit\"", flush);
        runs(&experiment(10, "1..2", &format!("{PROMISES}{crash}")), &model).remove(0)
    };
    let kept = |run: &RunResult| run.invariants[KEPT].violations;
    for safe in ["\"each_commit\"", "{ group = \"5ms\" }"] {
        let run = with(safe);
        assert_eq!((run.metrics.lost_transactions, kept(&run)), (0, 0), "{safe}");
        assert_eq!(run.verdict(), RunVerdict::Pass, "{safe}");
    }
    let run = with("{ every = \"1s\" }");
    assert!(run.metrics.lost_transactions > 10);
    assert!(kept(&run) > 0, "orders that were accepted are gone");
}

#[test]
fn a_group_of_transactions_is_answered_at_one_flush() {
    let model = RELAY.changed("read = \"1ms\"", "read = \"1ms\"\nflush = { group = \"250ms\" }");
    let (_, told) = facts(&model, 2, "");
    let flushes: Vec<u64> = told
        .iter()
        .filter(|(at, fact)| matches!(fact, Fact::Flushed { .. }) && at.0 < 500_000_000)
        .map(|(at, _)| at.0 / 1_000_000)
        .collect();
    // Orders at 100, 200 and 300 ms wait for one flush, 250 ms after the first had come.
    assert_eq!(flushes, [351, 351, 351]);
}

#[test]
fn a_full_disk_fails_transactions_and_lets_reads_through() {
    let full = fault("kind = \"disk_full\"\ntarget = \"orders\"\nat = \"3s\"\nfor = \"2s\"");
    let (program, told) = facts(&shop().changed("orders_replica.order", "orders.order"), 8, &full);
    let inside = |at: Time| (3_000..5_000).contains(&ms(Span(at.0)));
    let place = program.find_operation("api.place_order").unwrap();
    let (mut read, mut placed, mut refused) = (0, 0, 0);
    for &(at, fact) in told.iter().filter(|&&(at, _)| inside(at)) {
        match fact {
            Fact::Committed { .. } => panic!("a row was written at {at}"),
            Fact::Failed { .. } => refused += 1,
            Fact::Answered { request, outcome, .. } if inside(request.started) => {
                let ok = u64::from(outcome == Outcome::Ok);
                if request.operation == place { placed += ok } else { read += ok }
            }
            _ => {}
        }
    }
    assert!(read > 20 && refused > 20, "{read} {refused}");
    assert_eq!(placed, 0);
    let mut written = told.iter().filter(|(_, fact)| matches!(fact, Fact::Committed { .. }));
    assert!(
        written.next_back().unwrap().0 > Time(5_000_000_000),
        "it goes on when there is room again"
    );
}

#[test]
fn a_clock_that_jumps_ahead_lets_rows_and_keys_expire() {
    // One order is charged every second by two calls, 100 ms apart, with one key for an hour.
    let model = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [
  { call = "payment.charge", idempotency_key = "order" },
  { think = "100ms" },
  { call = "payment.charge", idempotency_key = "order" },
]
[provider.payment]
concurrency = "unlimited"
latency = "1ms"
keys_expire = "1h"
"#;
    let effects = |by: &str| {
        let skew = format!(
            "kind = \"clock_skew\"\ntarget = \"payment\"\nat = \"3.05s\"\nfor = \"10s\"\nby = \"{by}\""
        );
        run(model, 8, &fault(&skew)).metrics.effects
    };
    assert_eq!(effects("59min"), 7);
    assert_eq!(effects("2h"), 8, "the key that was given before is forgotten");
    assert_eq!(effects("-2h"), 7);
}

/// The log is on disk at 3 s and 6 s. What was committed before 6 s and marked as sent after that
/// is published again after the crash at 7.5 s, for its marks were lost.
#[test]
fn marks_that_were_not_flushed_do_not_outlive_a_crash() {
    let model = RELAY.changed("commit = \"1ms\"", "commit = \"1ms\"\nflush = { every = \"3s\" }");
    let crash = fault("kind = \"crash\"\ntarget = \"orders\"\nat = \"7.5s\"\nfor = \"500ms\"");
    let (_, told) = facts(&model, 12, &crash);
    let published = |place: u64| -> Vec<u64> {
        let times = told.iter().filter_map(|&(at, fact)| match fact {
            Fact::Enqueued { event, .. } if event == place => Some(ms(Span(at.0))),
            _ => None,
        });
        times.collect()
    };
    let mut again = 0;
    for &(at, fact) in &told {
        let Fact::Outboxed { place, .. } = fact else { continue };
        let times = published(place);
        if ms(Span(at.0)) < 6_000 && (6_010..7_400).contains(&times[0]) {
            assert!(times.len() == 2 && times[1] >= 8_000, "event {place}: {times:?}");
            again += 1;
        }
    }
    assert!(again > 0, "some events were between two flushes");
}
