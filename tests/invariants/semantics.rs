//! What a run says about promises, limits and repetitions: cases that are easy to get wrong.

use crate::common::{Changed, runs};
use stormglass::experiment::run::result::{RunResult, RunVerdict};
use stormglass::metric::Recovery;

/// An order that is written first and announced afterwards, over a network that loses requests.
fn dual_write(loss: &str) -> Vec<RunResult> {
    let model = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "api.order" }]

[service.api]
workers = "unlimited"
on.order.steps = [
  { transaction = "orders", write = ["order = accepted"] },
  { publish = "payments", policy = "once", ignore_failure = true },
  { reply = "ok" },
]

[database.orders]
commit = "1ms"
read = "1ms"
tables = { order = {} }

[queue.payments]
visibility = "10s"

[service.payer]
workers = 10
takes = "payments"
steps = [
  { call = "payment.charge", idempotency_key = "order" },
  { transaction = "orders", write = ["order = paid"] },
  { ack = true },
]

[provider.payment]
concurrency = "unlimited"
latency = "1ms"

[link."api -> payments"]
request_loss = "LOSS"

[policy.once]
timeout = "100ms"
"#;
    let experiment = r#"
name = "dual-write"
model = "inline"
arrivals = "50s"
drain = "5s"
seeds = "1..3"
[invariants]
accepted_order_kept = { accepted = "api.order", order = "orders.order", settled = "orders.order = paid" }
one_charge = { effect = "charge" }
"#;
    runs(experiment, &model.changed("LOSS", loss))
}

#[test]
fn a_dual_write_loses_what_it_could_not_announce() {
    for run in dual_write("5%") {
        // The second in the order of the catalogue.
        let kept = &run.invariants[1];
        // Commit, then publish: the share of lost messages is lost. 250 expected, sd 15.
        assert_eq!(kept.violations, run.metrics.lost[0], "as many as were lost on the way");
        assert!((170..330).contains(&kept.violations), "{}", kept.violations);
        assert_eq!(run.verdict(), RunVerdict::Violation);
    }
    for run in dual_write("0%") {
        assert_eq!(run.verdict(), RunVerdict::Pass);
    }
}

#[test]
fn a_transaction_that_is_made_once_is_answered_again_and_changes_nothing() {
    let effects = |once: &str| {
        let model = format!(
            r#"
[clients.users]
arrivals = {{ constant = "100/s" }}
flow = [{{ call = "api.order" }}]

[service.api]
workers = "unlimited"
on.order.steps = [
  {{ transaction = "orders", {once} write = ["order = accepted", "outbox = due"], policy = "hasty" }},
  {{ reply = "ok" }},
]

[database.orders]
commit = "1ms"
read = "1ms"
tables = {{ order = {{}} }}

[outbox.relay]
database = "orders"
queue = "payments"
poll = "10ms"

[queue.payments]
visibility = "10s"

[service.payer]
workers = 10
takes = "payments"
steps = [{{ call = "payment.charge" }}, {{ ack = true }}]

[provider.payment]
concurrency = "unlimited"
latency = "1ms"

[link."api -> orders"]
reply_loss = "20%"

[policy.hasty]
timeout = "100ms"
retry = {{ attempts = 10 }}
"#
        );
        let experiment = "name = \"once\"\nmodel = \"inline\"\narrivals = \"10.005s\"\n\
                          drain = \"5s\"\nseeds = \"1..2\"";
        runs(experiment, &model)[0].metrics.effects
    };
    assert_eq!(effects("once = \"order\","), 1000, "a lost answer is given again");
    assert_eq!(effects("once = \"request\","), 1000);
    // 250 +- 17 answers of 1,250 are lost.
    assert!(effects("") > 1150, "without it, every try is an order");
}

#[test]
fn what_is_still_on_its_way_is_not_lost() {
    // The horizon comes while messages are being handled.
    let campaign = crate::common::shipped("payment-brownout", |text| {
        text.changed("arrivals = \"103s\"", "arrivals = \"5s\"")
            .changed("drain = \"30s\"", "drain = \"0s\"")
            .changed("seeds = \"1..31\"", "seeds = \"1..2\"")
    });
    let outbox = campaign.cells.len() - 6;
    let run = campaign.run(outbox);
    assert!(run.metrics.unprocessed > 0, "something is on its way");
    let place = campaign.cells[outbox].invariants.place("accepted_order_kept").unwrap();
    let kept = run.invariants[place];
    assert_eq!(kept.violations, 0);
    assert!(kept.unjudged > 0, "nothing is said of it");
}

#[test]
fn a_run_that_a_limit_ended_says_nothing_of_its_end() {
    let campaign = crate::common::shipped("payment-brownout", |text| {
        text.changed("seeds = \"1..31\"", "seeds = \"1..2\"\nlimits = { events = 20000 }")
    });
    for number in 0..campaign.runs() {
        let run = campaign.run(number);
        // A second charge is seen at once; everything else is judged at the end.
        let charged_twice = run.invariants[0].violations > 0;
        let expected = if charged_twice { RunVerdict::Violation } else { RunVerdict::Unknown };
        assert_eq!(run.verdict(), expected, "{}", campaign.cells[number].arm);
        assert!(run.invariants[1..].iter().all(|verdict| verdict.violations == 0));
        assert_eq!(run.recovery, Recovery::Unseen);
    }
}

#[test]
fn one_key_for_two_effects_is_two_keys() {
    let model = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [
  { call = "payment.charge", idempotency_key = "order" },
  { call = "payment.receipt", idempotency_key = "order" },
  { call = "payment.receipt", idempotency_key = "order" },
]

[provider.payment]
concurrency = "unlimited"
latency = "1ms"
effects = ["charge", "receipt"]
"#;
    let experiment =
        "name = \"keys\"\nmodel = \"inline\"\narrivals = \"10s\"\ndrain = \"1s\"\nseeds = \"1..2\"";
    let run = &runs(experiment, model)[0];
    assert_eq!(run.metrics.effects, 2 * run.metrics.requests / 3);
    assert_eq!(run.metrics.ok, run.metrics.requests);
}

#[test]
fn a_log_that_is_flushed_now_and_then_is_on_disk_at_the_end() {
    let model = std::fs::read_to_string("models/checkout.toml").unwrap();
    let model = model.changed("flush = \"each_commit\"", "flush = { every = \"10s\" }");
    let experiment = r#"
name = "flush"
model = "inline"
arrivals = "5s"
drain = "4s"
seeds = "1..2"
[invariants]
paid_has_payment = { paid = "orders.order = paid", payment = "orders.payment = recorded" }
charge_has_order = { effect = "charge", order = "orders.order" }
"#;
    assert_eq!(runs(experiment, &model)[0].verdict(), RunVerdict::Pass);
}

#[test]
fn stale_reads_are_counted_of_own_writes_only() {
    // Every order fails: nobody has written anything that could be read back.
    let model = std::fs::read_to_string("models/checkout.toml").unwrap();
    let failing = model.changed("commit = \"exp 2ms\"", "commit = \"10s\"");
    let experiment = "name = \"reads\"\nmodel = \"inline\"\narrivals = \"5s\"\ndrain = \"20s\"\nseeds = \"1..2\"";
    assert_eq!(runs(experiment, &failing)[0].metrics.reads_back, 0);
    let run = &runs(experiment, &model)[0];
    assert!(run.metrics.reads_back > 500);
    assert!(run.metrics.stale_reads > 0 && run.metrics.stale_reads < run.metrics.reads_back);
}
