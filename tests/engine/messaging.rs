//! Queues and outbox relays, by what they do to messages: order, poison, visibility, retention,
//! groups, limits, and what relays lose, repeat and turn around.

use std::collections::BTreeMap;

use crate::common::{Changed, campaign, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::Time;
use stormglass::model::program::NodeId;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

/// Everything that happened in a run.
#[derive(Default)]
pub(crate) struct Facts(pub(crate) Vec<(Time, Fact)>);

impl Observer for Facts {
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.0.push((now, *fact));
    }
}

impl Facts {
    /// The facts of a run of 10 s, and the node of a name.
    pub(crate) fn of(faults: &str, model: &str, seed: u64) -> (Facts, impl Fn(&str) -> NodeId) {
        let campaign = campaign(&experiment(faults), model);
        let cell = &campaign.cells[0];
        let (controls, end) = (&cell.plan.controls, cell.measure.arrivals_end);
        let mut facts = Facts::default();
        World::new(&cell.program, controls, seed, end, cell.limits, &mut facts).run();
        let program = cell.program.clone();
        (facts, move |name: &str| program.find_node(name).expect(name))
    }

    /// For each order, the events that reached the queue, in the order in which they did.
    fn events_by_order(&self) -> BTreeMap<u64, Vec<u64>> {
        let mut events: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (_, fact) in &self.0 {
            if let Fact::Enqueued { order, event, .. } = *fact {
                events.entry(order).or_default().push(event);
            }
        }
        events
    }

    /// How many facts are of a kind.
    pub(crate) fn count(&self, is_right: impl Fn(&Fact) -> bool) -> usize {
        self.0.iter().filter(|(_, fact)| is_right(fact)).count()
    }
}

fn experiment(faults: &str) -> String {
    format!(
        "name = \"messages\"\nmodel = \"inline\"\narrivals = \"10005ms\"\ndrain = \"20s\"\n\
         seeds = \"1..2\"\n{faults}"
    )
}

/// A fault of one kind, as strong as can be.
pub(crate) fn fault(kind: &str, target: &str, at: &str, lasts: &str) -> String {
    let share = if kind == "errors" { "share = 1.0\n" } else { "" };
    format!(
        "[[faults]]\nkind = \"{kind}\"\ntarget = \"{target}\"\n\
         at = \"{at}\"\nfor = \"{lasts}\"\n{share}"
    )
}

/// Users who publish to a queue directly; `payer` handles messages.
pub(crate) fn direct(arrivals: &str, queue: &str, payer: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "{arrivals}" }}
keys = {{ uniform = 5 }}
flow = [{{ call = "api.order" }}]

[service.api]
workers = "unlimited"
on.order.steps = [{{ publish = "payments", ignore_failure = true }}, {{ reply = "ok" }}]

[queue.payments]
{queue}

[service.payer]
takes = "payments"
{payer}

[provider.payment]
concurrency = "unlimited"
latency = "10ms"
"#
    )
}

const CHARGE: &str = r#"
workers = 20
steps = [{ call = "payment.charge" }, { ack = true }]
"#;

const SLOW_CHARGE: &str = r#"
workers = "unlimited"
steps = [{ work = "1s" }, { call = "payment.charge" }, { ack = true }]
"#;

fn run(faults: &str, model: &str) -> RunResult {
    runs(&experiment(faults), model).swap_remove(0)
}

// ---- partitions ---------------------------------------------------------------------------------

/// The most messages that were delivered and not acknowledged at once.
fn most_in_flight(queue: &str) -> usize {
    let payer = "workers = 20\nsteps = [{ work = \"exp 100ms\" }, { ack = true }]";
    let (facts, _) = Facts::of("", &direct("40/s", queue, payer), 1);
    let (mut in_flight, mut most) = (0_usize, 0);
    for (_, fact) in &facts.0 {
        match fact {
            Fact::Delivered { .. } => in_flight += 1,
            Fact::Acknowledged { .. } => in_flight -= 1,
            _ => {}
        }
        most = most.max(in_flight);
    }
    most
}

#[test]
fn a_partition_has_one_message_in_flight() {
    assert_eq!(most_in_flight("visibility = \"30s\"\npartitions = 1"), 1);
    assert!((2..=3).contains(&most_in_flight("visibility = \"30s\"\npartitions = 3")));
    assert!(most_in_flight("visibility = \"30s\"") > 3);
    assert_eq!(most_in_flight("visibility = \"30s\"\nin_flight = 2"), 2);
}

#[test]
fn one_partition_delivers_in_order_and_none_does_not() {
    // The first receive fails for a third of the messages: they come back later.
    let payer = "workers = 20\nsteps = [{ call = \"payment.charge\" }, { ack = true }]";
    let orders = |queue: &str| {
        let model = direct("20/s", queue, payer)
            .changed("latency = \"10ms\"", "latency = \"10ms\"\nerrors_before = \"33%\"");
        let (facts, _) = Facts::of("", &model, 1);
        let acknowledged = facts.0.iter().filter_map(|(_, fact)| match fact {
            Fact::Effect { order, .. } => Some(*order),
            _ => None,
        });
        acknowledged.collect::<Vec<u64>>()
    };
    let queue = "visibility = \"30s\"\nredelivery = \"20ms\"\nmax_receives = 100";
    let ordered = orders(&format!("{queue}\npartitions = 1"));
    assert_eq!(ordered.len(), 200);
    assert!(ordered.is_sorted(), "head of line: nothing overtakes what failed");
    let unordered = orders(queue);
    assert_eq!(unordered.len(), 200);
    assert!(!unordered.is_sorted(), "without partitions the others go on");
}

/// When the first message is poison: when the others are charged.
fn charged_behind_poison(queue: &str) -> (RunResult, Vec<(f64, u64)>) {
    // Errors until 2 s: the first message is received again and again, and dies before they end.
    let model = direct("1/s", queue, CHARGE);
    let faults = &fault("errors", "payment", "0s", "1500ms");
    let (facts, _) = Facts::of(faults, &model, 1);
    let charges = facts.0.iter().filter_map(|(now, fact)| match fact {
        Fact::Effect { order, .. } => Some((now.seconds(), *order)),
        _ => None,
    });
    (run(faults, &model), charges.collect())
}

#[test]
fn a_poison_message_blocks_its_partition_until_it_is_a_dead_letter() {
    let queue = "visibility = \"30s\"\nmax_receives = 3\nredelivery = \"3s\"";
    let (partitioned, charges) = charged_behind_poison(&format!("{queue}\npartitions = 1"));
    // Constant arrivals: orders at 1 s, 2 s, … The first fails at 1 s, is received again at 4 s.
    assert_eq!(charges[0].1, 0);
    assert!(charges[0].0 > 4.0, "{charges:?}");
    assert!(charges.iter().map(|&(_, order)| order).is_sorted(), "the rest followed in order");
    assert_eq!(partitioned.metrics.dead_letters, 0);
    let (_, charges) = charged_behind_poison(queue);
    assert_eq!(charges[0].1, 1, "without partitions the second one overtakes");

    // One receive, then a dead letter: the next receive, after the redelivery, puts it aside.
    let once = queue.changed("max_receives = 3", "max_receives = 1");
    let (partitioned, charges) = charged_behind_poison(&format!("{once}\npartitions = 1"));
    assert_eq!(partitioned.metrics.dead_letters, 1);
    assert_eq!(charges[0].1, 1);
    assert!(charges[0].0 > 4.0, "blocked until the dead letter left: {charges:?}");
}

// ---- receives and dead letters ------------------------------------------------------------------

#[test]
fn an_outage_of_a_dependency_floods_the_dead_letters_and_a_worker_drains_them() {
    let model = |dead: &str| {
        direct(
            "20/s",
            &format!("visibility = \"30s\"\nmax_receives = 3\nredelivery = \"200ms\"\n{dead}"),
            CHARGE,
        )
    };
    let faults = &fault("errors", "payment", "2s", "4s");
    let counted = run(faults, &model(""));
    // Three receives 200 ms apart: what came at least 0.6 s before the end of the outage is dead.
    assert!((60..80).contains(&counted.metrics.dead_letters), "{}", counted.metrics.dead_letters);
    assert_eq!(counted.metrics.effects + counted.metrics.dead_letters, 200);
    assert_eq!(counted.metrics.unprocessed, 0);

    let kept = "dead_letters = \"dead\"\n[queue.dead]\nvisibility = \"30s\"";
    let at_rest = run(faults, &model(kept));
    assert_eq!(at_rest.metrics.dead_letters, counted.metrics.dead_letters);
    assert_eq!(at_rest.metrics.unprocessed, 0, "nobody takes them: they are not on their way");

    let drain = format!(
        "{kept}\ndelay = \"5s\"\n[service.redrive]\n\
         takes = \"dead\"\nworkers = 1\nsteps = [{{ publish = \"payments\" }}, {{ ack = true }}]"
    );
    let drained = run(faults, &model(&drain));
    assert_eq!(drained.metrics.dead_letters, counted.metrics.dead_letters);
    assert_eq!(drained.metrics.effects, 200, "every order is charged in the end");
}

#[test]
fn a_message_is_received_as_often_as_the_limit_says() {
    let queue = "visibility = \"30s\"\nmax_receives = 4\nredelivery = \"10ms\"";
    let model = direct("5/s", queue, CHARGE)
        .changed("latency = \"10ms\"", "latency = \"10ms\"\nerrors_before = 1.0");
    let (facts, _) = Facts::of("", &model, 1);
    assert_eq!(facts.count(|fact| matches!(fact, Fact::Delivered { .. })), 4 * 50);
    let most = facts.0.iter().filter_map(|(_, fact)| match fact {
        Fact::Delivered { receives, .. } => Some(*receives),
        _ => None,
    });
    assert_eq!(most.max(), Some(4));
    assert_eq!(facts.count(|fact| matches!(fact, Fact::DeadLettered { .. })), 50);
}

// ---- visibility, retention, delay, limits -------------------------------------------------------

/// Fifty messages, each tried ten times a second until the run ends: none is put aside.
#[test]
fn a_queue_without_a_limit_redelivers_for_ever() {
    let queue = "visibility = \"30s\"\nmax_receives = \"unlimited\"\nredelivery = \"100ms\"";
    let model = direct("5/s", queue, CHARGE)
        .changed("latency = \"10ms\"", "latency = \"10ms\"\nerrors_before = 1.0");
    let (facts, _) = Facts::of("", &model, 1);
    assert_eq!(facts.count(|fact| matches!(fact, Fact::DeadLettered { .. })), 0);
    let most = facts.0.iter().filter_map(|(_, fact)| match fact {
        Fact::Delivered { receives, .. } => Some(*receives),
        _ => None,
    });
    assert!(most.max().is_some_and(|most| most > 150));
}

#[test]
fn handling_longer_than_the_visibility_doubles_effects_unless_it_is_extended() {
    let payer = SLOW_CHARGE.changed("1s", "1500ms");
    let charges = |queue: &str| run("", &direct("10/s", queue, &payer)).metrics.effects;
    assert_eq!(charges("visibility = \"2s\""), 100);
    // At 1 s a second worker starts, and the first one acknowledges at 1.5 s.
    assert_eq!(charges("visibility = \"1s\""), 200);
    assert_eq!(charges("visibility = \"1s\"\nheartbeat = \"300ms\""), 100);
}

#[test]
fn retention_forgets_exactly_what_is_too_old() {
    // Nobody takes messages until 6 s: those of the first three seconds are older than 3 s then.
    let queue = "visibility = \"30s\"\nretention = \"3s\"";
    let stall = &fault("queue_stall", "payments", "0s", "6005ms");
    let (facts, _) = Facts::of(stall, &direct("10/s", queue, CHARGE), 1);
    let expired: Vec<(f64, u64)> = facts
        .0
        .iter()
        .filter_map(|(now, fact)| match fact {
            Fact::Expired { order, .. } => Some((now.seconds(), *order)),
            _ => None,
        })
        .collect();
    // Orders arrive at 0.1 s, 0.2 s, …: the 30 that came by 3.0 s.
    let orders: Vec<u64> = expired.iter().map(|&(_, order)| order).collect();
    assert_eq!(orders, (0..30).collect::<Vec<u64>>());
    assert!(expired.iter().all(|&(at, order)| (at - 3.1 - order as f64 / 10.0).abs() < 1e-6));
    assert_eq!(facts.count(|fact| matches!(fact, Fact::Effect { .. })), 70);
}

#[test]
fn a_delayed_message_waits_and_a_full_queue_rejects() {
    let delayed = "visibility = \"30s\"\ndelay = \"2s\"";
    let (facts, _) = Facts::of("", &direct("1/s", delayed, CHARGE), 1);
    let first = facts.0.iter().find(|(_, fact)| matches!(fact, Fact::Delivered { .. }));
    assert!((first.unwrap().0.seconds() - 3.0).abs() < 1e-6, "order at 1 s, delivered at 3 s");

    let payer = "workers = 1\nsteps = [{ work = \"1s\" }, { ack = true }]";
    let full = run("", &direct("10/s", "visibility = \"30s\"\nlimit = 5", payer));
    // Nine are acknowledged while users come, and five more are there then.
    assert_eq!(full.metrics.refused, 100 - 9 - 5);
}

// ---- groups -------------------------------------------------------------------------------------

#[test]
fn each_group_gets_every_message_once_and_its_workers_share_them() {
    let model = direct("20/s", "visibility = \"30s\"\nredelivery = \"1s\"", CHARGE)
        .changed("takes = \"payments\"", "takes = \"payments\"\ngroup = \"billing\"")
        .changed("latency = \"10ms\"", "latency = \"10ms\"\neffects = [\"charge\", \"mail\"]")
        + r#"
[service.mailer]
takes = "payments"
group = "mail"
workers = 1
steps = [{ call = "payment.mail" }, { ack = true }]

[service.second_mailer]
takes = "payments"
group = "mail"
workers = 1
steps = [{ call = "payment.mail" }, { ack = true }]
"#;
    let (facts, node) = Facts::of("", &model, 1);
    let mut effects: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for (_, fact) in &facts.0 {
        if let Fact::Effect { effect, order, .. } = *fact {
            effects.entry(effect.0).or_default().push(order);
        }
    }
    assert_eq!(effects.len(), 2);
    for orders in effects.values_mut() {
        orders.sort_unstable();
        assert_eq!(*orders, (0..200).collect::<Vec<u64>>(), "every message once");
    }
    let worked = |name: &str| {
        let name = node(name);
        facts.count(|fact| matches!(fact, Fact::Acknowledged { queue, .. } if *queue == name))
    };
    assert_eq!(worked("payments"), 400, "each group acknowledges for itself");
}

// ---- faults -------------------------------------------------------------------------------------

#[test]
fn a_stalled_queue_delivers_nothing_and_everything_afterwards() {
    let stall = &fault("queue_stall", "payments", "2s", "3s");
    let (facts, _) = Facts::of(stall, &direct("20/s", "visibility = \"30s\"", CHARGE), 1);
    let within = |from: f64, until: f64| {
        let delivered = facts.0.iter().filter(|(now, fact)| {
            matches!(fact, Fact::Delivered { .. }) && (from..until).contains(&now.seconds())
        });
        delivered.count()
    };
    assert_eq!(within(2.0, 5.0), 0);
    assert!(within(5.0, 5.1) >= 60, "the backlog of three seconds");
    assert_eq!(facts.count(|fact| matches!(fact, Fact::Effect { .. })), 200);
}

#[test]
fn a_redelivery_burst_doubles_what_is_in_hand_and_what_was_done_with_lately() {
    let payer = SLOW_CHARGE;
    let model = direct("10/s", "visibility = \"30s\"", payer);
    let burst = |since: &str| {
        let fault =
            "[[faults]]\nkind = \"redelivery_burst\"\ntarget = \"payments\"\nat = \"5005ms\"";
        run(&format!("{fault}\n{since}"), &model).metrics.effects
    };
    // A handler takes 1.01 s: the ten orders of the last second are in hand.
    assert_eq!(burst(""), 100 + 11);
    // Those acknowledged within two seconds more: twenty.
    assert_eq!(burst("since = \"2s\""), 100 + 11 + 20);
}

// ---- relays -------------------------------------------------------------------------------------

/// Orders that are accepted and then shipped, each with an event, and a relay.
fn outbox(relay: &str, link: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "50/s" }}
flow = [{{ call = "api.order" }}, {{ call = "api.ship" }}]

[service.api]
workers = "unlimited"
on.order.steps = [
  {{ transaction = "orders", write = ["order = accepted", "outbox = accepted"] }},
  {{ reply = "ok" }},
]
on.ship.steps = [
  {{ transaction = "orders", write = ["order = shipped", "outbox = shipped"] }},
  {{ reply = "ok" }},
]

[database.orders]
commit = "1ms"
read = "1ms"
tables = {{ order = {{}} }}

[outbox.relay]
database = "orders"
queue = "events"
poll = "20ms"
policy = "once"
{relay}

[queue.events]
visibility = "30s"

[service.sink]
workers = "unlimited"
takes = "events"
steps = [{{ work = "1ms" }}, {{ ack = true }}]

[link.default]
latency = "1ms"

[link."relay -> events"]
{link}

[policy.once]
timeout = "50ms"
"#
    )
}

/// How many orders had their events in another order, how many events came more than once, and how
/// many never came.
fn relayed(relay: &str, link: &str) -> (usize, usize, usize) {
    let (facts, _) = Facts::of("", &outbox(relay, link), 1);
    let written = facts.count(|fact| matches!(fact, Fact::Outboxed { .. }));
    assert_eq!(written, 1000);
    let by_order = facts.events_by_order();
    let (mut turned, mut twice, mut seen) = (0, 0, 0);
    for events in by_order.into_values() {
        let mut first: Vec<u64> = Vec::new();
        for event in events {
            match first.contains(&event) {
                true => twice += 1,
                false => first.push(event),
            }
        }
        turned += usize::from(!first.is_sorted());
        seen += first.len();
    }
    (turned, twice, written - seen)
}

const SLOW: &str = "latency = \"uniform 1ms..10ms\"";
const LOSSY: &str = "latency = \"1ms\"\nreply_loss = \"10%\"\nrequest_loss = \"10%\"";

#[test]
fn one_relay_keeps_the_order_and_three_that_skip_locked_rows_do_not() {
    assert_eq!(relayed("", SLOW), (0, 0, 0));
    let (turned, twice, lost) = relayed("relays = 3\nclaim = \"skip_locked\"\nbatch = 1", SLOW);
    assert!(turned > 10, "{turned} orders were turned around");
    assert_eq!((twice, lost), (0, 0), "locks keep relays apart");
}

#[test]
fn relays_that_claim_nothing_publish_everything_more_than_once() {
    let (_, twice, lost) = relayed("relays = 3", SLOW);
    assert!(twice > 900, "{twice} repetitions of 1000 events");
    assert_eq!(lost, 0);
}

#[test]
fn publishing_first_repeats_and_marking_first_loses() {
    let (_, twice, lost) = relayed("", LOSSY);
    assert!(twice > 50 && lost == 0, "{twice} {lost}: at least once");
    let (_, twice, lost) = relayed("mark_first = true", LOSSY);
    // A tenth of the requests is lost: 100 expected, sd 9.5, and the batches whose mark was lost.
    assert!(twice == 0 && lost > 60, "{twice} {lost}: at most once");
    let (_, twice, lost) = relayed("relays = 2\nclaim = \"skip_locked\"", LOSSY);
    assert!(twice > 50 && lost == 0, "{twice} {lost}: what was not marked is taken again");
}

#[test]
fn a_relay_that_follows_the_log_is_early_asks_nothing_and_keeps_the_order() {
    let tail = "tail = { latency = \"5ms\", checkpoint = \"1s\" }";
    assert_eq!(relayed(tail, "latency = \"1ms\""), (0, 0, 0));
    let (turned, twice, lost) = relayed(tail, LOSSY);
    assert_eq!((turned, lost), (0, 0));
    assert!(twice > 50, "{twice}: the reply was lost, so it is published again");
    let model = outbox(tail, "latency = \"1ms\"");
    let (facts, _) = Facts::of("", &model, 1);
    let mut committed: Vec<Time> = Vec::new();
    for (now, fact) in &facts.0 {
        match fact {
            Fact::Outboxed { .. } => committed.push(*now),
            Fact::Enqueued { event, .. } => {
                let waited = now.since(committed[*event as usize - 1]).millis();
                // The latency, the way to the queue, and those before it: two events in 20 ms.
                assert!((5.9..12.0).contains(&waited), "{waited} ms");
            }
            _ => {}
        }
    }
    // Ten seconds of one checkpoint each, against five hundred polls.
    let attempts = |model: &str| run("", model).metrics.edges.iter().map(|e| e.attempts).sum();
    let (tailing, polling): (u64, u64) = (attempts(&model), attempts(&outbox("", SLOW)));
    assert!(tailing + 400 < polling, "{tailing} {polling}");
    assert_eq!(run("", &model).metrics.unprocessed, 0, "the last position is stored as well");
}
