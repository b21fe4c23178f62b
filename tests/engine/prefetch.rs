//! Messages that are handed over ahead of their turn: they are in flight, and their visibility
//! runs, while they wait at their instance for a worker.

use std::collections::BTreeMap;

use crate::common::{Changed, runs};
use crate::messaging::{Facts, direct, fault};
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::Time;
use stormglass::system::fact::Fact;

/// One worker that takes a second for each message, and what it is handed ahead.
fn payer(prefetch: &str) -> String {
    format!(
        "workers = 1\n{prefetch}\n\
         steps = [{{ work = \"1s\" }}, {{ call = \"payment.charge\" }}, {{ ack = true }}]"
    )
}

/// Ten messages that come within a second, each of a user who then goes away, and what becomes of
/// them.
fn facts(faults: &str, queue: &str, payer: &str) -> Facts {
    let users = "{ closed = { users = 10, think = \"uniform 100ms..1s\" } }";
    let model = direct("1/s", queue, payer)
        .changed("{ constant = \"1/s\" }", users)
        .changed("[{ call = \"api.order\" }]", "[{ call = \"api.order\" }, { think = \"1h\" }]");
    Facts::of(faults, &model, 1).0
}

impl Facts {
    /// When messages were handed over that had been before so often.
    fn handed_over(&self, receives: u32) -> Vec<Time> {
        let is_right =
            |fact: &Fact| matches!(*fact, Fact::Delivered { receives: own, .. } if own == receives);
        self.0.iter().filter(|(_, fact)| is_right(fact)).map(|&(at, _)| at).collect()
    }

    /// When the first message was acknowledged.
    fn first_acknowledged(&self) -> Time {
        let acknowledged = |(_, fact): &&(Time, Fact)| matches!(fact, Fact::Acknowledged { .. });
        self.0.iter().find(acknowledged).expect("one is").0
    }

    /// How often each order had its effect.
    fn effects(&self) -> BTreeMap<u64, usize> {
        let mut effects = BTreeMap::new();
        for (_, fact) in &self.0 {
            if let Fact::Effect { order, .. } = *fact {
                *effects.entry(order).or_default() += 1;
            }
        }
        effects
    }
}

/// How many messages are handed over before the first one is done with.
fn at_once(queue: &str, payer: &str) -> usize {
    let facts = facts("", queue, payer);
    let end = facts.first_acknowledged();
    facts.handed_over(1).iter().filter(|&&at| at < end).count()
}

#[test]
fn each_instance_is_handed_so_many_messages_ahead_of_its_workers() {
    let hidden = "visibility = \"30s\"";
    assert_eq!(at_once(hidden, &payer("")), 1);
    assert_eq!(at_once(hidden, &payer("prefetch = 0")), 1);
    assert_eq!(at_once(hidden, &payer("prefetch = 3")), 4);
    assert_eq!(at_once(hidden, &payer("prefetch = \"unlimited\"")), 10);
    let two = payer("prefetch = 3").changed("workers = 1", "workers = 1\ninstances = 2");
    assert_eq!(at_once(hidden, &two), 8);
    // They are in flight, and one of a partition is at a time.
    let few = format!("{hidden}\nin_flight = 2");
    assert_eq!(at_once(&few, &payer("prefetch = 3")), 2);
    let one = format!("{hidden}\npartitions = 1");
    assert_eq!(at_once(&one, &payer("prefetch = 3")), 1);
}

#[test]
fn what_waits_in_hand_is_worked_on_in_its_order_as_soon_as_a_worker_is_free() {
    let facts = facts("", "visibility = \"30s\"", &payer("prefetch = \"unlimited\""));
    let orders = |is_right: fn(&Fact) -> Option<u64>| -> Vec<u64> {
        facts.0.iter().filter_map(|(_, fact)| is_right(fact)).collect()
    };
    let handed_over = orders(|fact| match *fact {
        Fact::Delivered { order, .. } => Some(order),
        _ => None,
    });
    let charged = orders(|fact| match *fact {
        Fact::Effect { order, .. } => Some(order),
        _ => None,
    });
    assert_eq!(handed_over.len(), 10);
    assert_eq!(charged, handed_over);
    let ends = facts.0.iter().filter(|(_, fact)| matches!(fact, Fact::Acknowledged { .. }));
    let ends: Vec<f64> = ends.map(|(at, _)| at.seconds()).collect();
    let gaps: Vec<f64> = ends.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (gap - 1.01).abs() < 1e-9), "{gaps:?}");
}

/// A task of 90 min that is hidden for 60, after arvkevi/openhumansimputer issue 38.
const TASKS: &str = r#"
[clients.users]
arrivals = { profile = [{ at = "0s", rate = "22/min" }, { at = "1min", rate = "0/s" }] }
flow = [{ call = "web.submit" }]

[service.web]
workers = 50
on.submit.steps = [{ publish = "tasks" }, { reply = "ok" }]

[queue.tasks]
visibility = "60min"
max_receives = "unlimited"

[service.worker]
workers = 1
prefetch = 22
takes = "tasks"
steps = [{ work = "normal 90min sigma 5min" }, { call = "store.imputed" }, { ack = true }]

[provider.store]
concurrency = 100
latency = "10ms"
effects = ["imputed"]
"#;

#[test]
fn tasks_whose_visibility_ends_in_hand_run_more_than_once_and_without_prefetch_none_does() {
    let experiment = "name = \"tasks\"\nmodel = \"inline\"\narrivals = \"2min\"\n\
                      drain = \"200h\"\nseeds = \"1..4\"\nmeasure = { window = \"1h\" }";
    let doubled = |model: &str| -> Vec<(u64, u64)> {
        let counts = |run: &RunResult| {
            let (tasks, effects) = (run.metrics.requests, run.metrics.effects);
            (tasks, effects.checked_sub(tasks).expect("every task is done"))
        };
        runs(experiment, model).iter().map(counts).collect()
    };
    for (tasks, doubled) in doubled(TASKS) {
        assert!(doubled as f64 > 0.9 * tasks as f64, "{doubled} of {tasks}");
    }
    for (tasks, doubled) in doubled(&TASKS.changed("prefetch = 22", "prefetch = 0")) {
        assert!(tasks > 10 && doubled == 0, "{doubled} of {tasks}");
    }
    for (tasks, doubled) in doubled(&TASKS.changed("60min", "200h")) {
        assert!(tasks > 10 && doubled == 0, "{doubled} of {tasks}");
    }
}

#[test]
fn a_message_whose_visibility_ends_in_hand_goes_to_another_and_is_worked_on_here_too() {
    // The second consumer is quick, so it takes what comes back; the first one has up to ten.
    let quick = "\n[service.quick]\ntakes = \"payments\"\nworkers = 1\n\
                 steps = [{ call = \"payment.charge\" }, { ack = true }]\n";
    let slow = payer("prefetch = \"unlimited\"") + quick;
    let patient = facts("", "visibility = \"30s\"", &slow).effects();
    assert!(patient.values().all(|&times| times == 1), "{patient:?}");
    let short = facts("", "visibility = \"1500ms\"", &slow);
    assert!(short.handed_over(2).len() >= 2, "the slow one has more than two in hand");
    let effects: usize = short.effects().values().sum();
    let handed_over = short.count(|fact| matches!(fact, Fact::Delivered { .. }));
    assert_eq!(effects, handed_over, "each copy is worked on");
    // The late acknowledgements of the slow one acknowledge nothing.
    assert_eq!(short.count(|fact| matches!(fact, Fact::Acknowledged { .. })), 10);
}

#[test]
fn a_heartbeat_comes_from_work_and_not_from_waiting() {
    let extended = "visibility = \"1500ms\"\nheartbeat = \"300ms\"";
    // The second begins in time, and then is kept: the third waits for two seconds.
    let two = payer("prefetch = 1");
    assert_eq!(facts("", extended, &two).handed_over(2), []);
    assert!(!facts("", extended, &payer("prefetch = 3")).handed_over(2).is_empty());
    assert!(!facts("", "visibility = \"1500ms\"", &two).handed_over(2).is_empty());
}

#[test]
fn a_crash_loses_what_is_in_hand_and_all_of_it_comes_back() {
    let crash = fault("crash", "payer", "1500ms", "500ms");
    let facts = facts(&crash, "visibility = \"10s\"", &payer("prefetch = 4"));
    // One was at work, or the second one already, and four waited.
    let again = facts.handed_over(2);
    assert_eq!(again.len(), 5, "{again:?}");
    assert!(again.iter().all(|at| at.seconds() >= 10.0), "not before their visibility ends");
    let effects = facts.effects();
    assert!(effects.len() == 10 && effects.values().all(|&times| times == 1), "{effects:?}");
}

#[test]
fn receives_are_counted_when_a_message_is_handed_over() {
    let queue = "visibility = \"1s\"\nmax_receives = 2";
    let facts = facts("", queue, &payer("prefetch = \"unlimited\""));
    let dead = facts.count(|fact| matches!(fact, Fact::DeadLettered { .. }));
    assert!(dead >= 6, "those that wait for more than two seconds: {dead}");
    // Whoever has them works on them all the same, once for each time that they were handed over.
    let effects: usize = facts.effects().values().sum();
    let handed_over = facts.count(|fact| matches!(fact, Fact::Delivered { .. }));
    assert_eq!(effects, handed_over);
    assert_eq!(facts.count(|fact| matches!(fact, Fact::Acknowledged { .. })), 10 - dead);
}

#[test]
fn what_is_ahead_hides_how_long_messages_travel() {
    let far = direct("100/s", "visibility = \"30s\"", &payer("").changed("1s", "100ms"))
        + "[link.\"payments -> payer\"]\nlatency = \"150ms\"\n";
    let done = |model: &str| {
        let (facts, _) = Facts::of("", model, 1);
        let of = |(at, fact): &&(Time, Fact)| {
            matches!(fact, Fact::Acknowledged { .. }) && at.seconds() < 10.0
        };
        facts.0.iter().filter(of).count() as f64
    };
    let without = done(&far);
    let with = done(&far.changed("workers = 1", "workers = 1\nprefetch = 5"));
    // A message travels for 150 ms and takes 110 of a worker.
    assert!((without / (10.0 / 0.260) - 1.0).abs() < 0.05, "{without}");
    assert!((with / (9.85 / 0.110) - 1.0).abs() < 0.05, "{with}");
}
