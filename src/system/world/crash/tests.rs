//! No place stays taken by what died.

use super::*;
use crate::kernel::limit::{Ending, Limits};
use crate::kernel::time::Span;
use crate::model::compile;
use crate::model::document::{Sources, Value};
use crate::model::program::Program;
use crate::system::control::{Action, Control, instances_of};
use crate::system::fleet::Station;

/// A service that calls another and a worker, all of them with few places.
const MODEL: &str = r#"
[clients.users]
processes = 3
arrivals = { poisson = "200/s" }
flow = [{ call = "api.order", policy = "again" }]

[service.api]
instances = 3
workers = 5
queue = { limit = 10 }
on.order.steps = [
  { work = "exp 10ms" },
  { call = "back.price", policy = "again" },
  { transaction = "orders", policy = "again", write = ["order = accepted", "outbox = placed"] },
  { reply = "ok" },
]

[service.back]
instances = 2
workers = 4
on.price.steps = [{ work = "exp 5ms" }, { reply = "ok" }]

[database.orders]
connections = 8
commit = "exp 2ms"
read = "1ms"
flush = { group = "1ms" }
tables = { order = {} }

[replica.copy]
of = "orders"
lag = "exp 50ms"
read = "1ms"

[outbox.relay]
database = "orders"
queue = "work"
poll = "20ms"
policy = "again"

[queue.work]
visibility = "1s"
redelivery = "200ms"
max_receives = 1000

[service.worker]
instances = 2
workers = 5
takes = "work"
steps = [
  { call = "payment.charge", policy = "again", idempotency_key = "order" },
  { ack = true, policy = "again" },
]

[provider.payment]
concurrency = 4
latency = "exp 10ms"

[link.default]
latency = "exp 1ms"

[policy.again]
timeout = "200ms"
deadline = "2s"
retry = { attempts = 3, backoff = "constant 50ms", jitter = "full", budget = { ratio = 0.5 } }
breaker = { consecutive = 20, open_for = "100ms" }
"#;

fn program() -> Program {
    let mut sources = Sources::default();
    let source = sources.add("model.toml", MODEL);
    let document = Value::parse(&sources, source).unwrap();
    compile(&document, &|_| unreachable!("this model names no file")).unwrap()
}

/// A crash or a pause of each node in turn, one every 300 ms, some of them at the same time.
fn controls(program: &Program, pause: bool) -> Vec<Control> {
    let nodes = (0..program.nodes.len() * 3).map(|round| {
        let node = NodeId((round % program.nodes.len()) as u16);
        let from = Time(1_000_000_000 + round as u64 * 300_000_000);
        let count = instances_of(program.node(node));
        let instances: Range<u32> = if round % 2 == 0 { 0..count } else { 0..1 };
        let action = match pause {
            true => Action::Pause { node, instances },
            false => Action::Crash { node, instances, unreachable: round % 3 == 0 },
        };
        Control { fault: 0, from, until: from + Span::from_millis(500), action }
    });
    nodes.collect()
}

#[test]
fn after_crashes_and_a_drain_every_place_is_free() {
    let program = program();
    let crashes = controls(&program, false);
    let mut both = controls(&program, true);
    both.extend(crashes.clone());
    both.sort_by_key(|control| control.from);
    for (controls, seed) in [(&crashes, 1), (&both, 2), (&both, 3), (&crashes, 4)] {
        let end = Time(12_000_000_000);
        let horizon = Time(60_000_000_000);
        let limits = Limits::until(horizon);
        let mut world = World::new(&program, controls, seed, end, limits, Box::leak(Box::new(())));
        assert_eq!(world.run_to_the_end(), Ending::Complete);
        assert!(world.nodes.orders > 2000, "the places were taken");
        // The relay never rests: it may be asking the database at the end, and nobody else is.
        let asks = world.cx.calls.len();
        assert_eq!(world.cx.jobs.iter().filter(|(_, job)| is_of_relay(&program, job)).count(), 1);
        assert!(asks <= 1 && world.cx.jobs.len() <= 1 + asks, "only the relay is at work");
        let owners = world.cx.calls.iter().filter_map(|(_, call)| world.cx.jobs.get(call.owner));
        assert!(owners.into_iter().all(|job| is_of_relay(&program, job)));
        let taken: usize = world.cx.fleet.stations().map(Station::outstanding).sum();
        assert_eq!(taken, world.cx.jobs.len() - 1, "every other place is free");
        assert_eq!(world.nodes.queued, 0, "every message was done with");
    }
}

fn is_of_relay(program: &Program, job: &Job) -> bool {
    matches!(program.node(job.node).kind, Kind::Outbox(_))
}
