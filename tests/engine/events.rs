//! Events of several kinds in one outbox: which one a consumer handles, and to which queue it goes.

use stormglass::capacity::capacity;

use crate::common::{Changed, campaign};
use stormglass::experiment::run::result::RunResult;
use stormglass::model::program::Program;

/// Every order is placed and paid, or placed and refunded: two events of one outbox.
const SHOP: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "api.order" }]

[service.api]
workers = "unlimited"
on.order.steps = [
  { transaction = "orders", write = ["order = placed", "outbox = placed"] },
  { when = { share_of_orders = "30%" },
    then = [{ transaction = "orders", write = ["order = refunded", "outbox = refunded"] }],
    otherwise = [{ transaction = "orders", write = ["order = paid", "outbox = paid"] }] },
  { reply = "ok" },
]

[database.orders]
commit = "1ms"
read = "1ms"
tables = { order = {} }

[outbox.relay]
database = "orders"
queue = "events"
poll = "20ms"
RELAY

[queue.events]
visibility = "60s"

[queue.refunds]
visibility = "60s"

[service.ledger]
workers = "unlimited"
takes = "events"
steps = [
  { when = { event = "paid" }, then = [{ call = "bank.charge" }] },
  { when = { event = "refunded" }, then = [{ call = "desk.refund" }] },
  { ack = true },
]

[service.desk]
workers = "unlimited"
takes = "refunds"
on.refund.steps = [
  { when = { event = "refunded" }, then = [{ call = "bank.refund" }] },
  { reply = "ok" },
]
steps = [
  { when = { event = "refunded" }, then = [{ call = "bank.refund" }] },
  { publish = "events", event = "paid" },
  { ack = true },
]

[provider.bank]
concurrency = "unlimited"
latency = "1ms"
effects = ["charge", "refund"]
"#;

const EXPERIMENT: &str = r#"
name = "events"
model = "inline"
arrivals = "100.05s"
drain = "30s"
seeds = "1..2"
measure = { warm_up = "0s" }
[invariants]
event_order = { queue = "events" }
no_lost_event = { committed = "orders.order = refunded", queue = "QUEUE", within = "5s" }
"#;

/// How many attempts there were from one node to another one, or to its operation.
fn attempts(program: &Program, run: &RunResult, from: &str, to: &str) -> u64 {
    let edges = program.edges.iter().zip(&run.metrics.edges);
    let own = edges.filter(|(edge, _)| edge.name.starts_with(&format!("{from} -> {to}")));
    own.map(|(_, counts)| counts.attempts).sum()
}

fn kept(run: &RunResult) -> bool {
    run.invariants.iter().all(|verdict| verdict.violations == 0 && verdict.exposure > 0)
}

#[test]
fn a_consumer_sees_which_event_it_handles_and_so_does_whom_it_calls() {
    let experiment = EXPERIMENT.changed("QUEUE", "events");
    for relay in ["", "publish = {}", "publish = { batch = 10 }", "tail = {}", "mark_first = true"]
    {
        let campaign = campaign(&experiment, &SHOP.changed("RELAY", relay));
        let (program, run) = (&campaign.cells[0].program, campaign.run(0));
        let charges = attempts(program, &run, "ledger", "bank.charge");
        let refunds = attempts(program, &run, "desk", "bank.refund");
        assert_eq!(charges + refunds, 1000, "{relay}");
        // Six standard deviations: false alarm 2e-9.
        assert!((213..=387).contains(&refunds), "{relay}: {refunds}");
        assert!(kept(&run), "{relay}: {:?}", run.invariants);
        assert_eq!(run.metrics.relayed, 2000, "{relay}");
    }
}

#[test]
fn a_relay_publishes_an_event_to_its_own_queue() {
    let routes = "routes = [{ event = \"refunded\", queue = \"refunds\" }]";
    let experiment = EXPERIMENT.changed("QUEUE", "refunds");
    for more in ["", "tail = {}", "mark_first = true"] {
        let model = SHOP.changed("RELAY", &format!("{routes}\n{more}"));
        let campaign = campaign(&experiment, &model);
        let (cell, run) = (&campaign.cells[0], campaign.run(0));
        let program = &cell.program;
        let refunds = attempts(program, &run, "relay", "refunds");
        assert!((213..=387).contains(&refunds), "{more}: {refunds}");
        assert_eq!(attempts(program, &run, "relay", "events") + refunds, 2000, "{more}");
        assert!(kept(&run), "{more}: {:?}", run.invariants);
        // The desk says `paid` of what it publishes itself, and the ledger charges that too.
        let charged = run.metrics.effects - refunds;
        assert_eq!(charged, 1000, "{more}: the paid ones, and one for each refund");
        let planned = capacity(program, &cell.plan, cell.measure.arrivals_end);
        let mut loads = planned.phases[0].nodes.iter();
        let desk = loads.find(|load| load.node == "desk").expect("it has work");
        // Half of 20 events a second, and a third of what the ledger gets: the other half, and what
        // the desk publishes.
        assert!((desk.offered_per_s - (10.0 + 20.0 / 3.0)).abs() < 0.01, "{desk:?}");
    }
}
