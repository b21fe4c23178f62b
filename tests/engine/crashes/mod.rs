//! What instances lose and keep: crashes, restarts, pauses, deaths at a step, full disks, clocks.

mod durable;
mod instances;
mod steps;

use crate::common::{Changed, campaign, run_all, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::draw::Purpose;
use stormglass::kernel::time::{Span, Time};
use stormglass::model::program::Program;
use stormglass::policy::Outcome;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

/// An experiment of `seconds` of arrivals and as many to drain, with these faults.
fn experiment(seconds: u32, seeds: &str, faults: &str) -> String {
    format!(
        "name = \"crashes\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"60s\"\n\
         seeds = \"{seeds}\"\n{faults}\n"
    )
}

/// One run of a model with these faults.
fn run(model: &str, seconds: u32, faults: &str) -> RunResult {
    runs(&experiment(seconds, "1..2", faults), model).remove(0)
}

fn fault(text: &str) -> String {
    format!("[[faults]]\n{text}\n")
}

/// Notes every fact.
#[derive(Default)]
struct Notes(Vec<(Time, Fact)>);

impl Observer for Notes {
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.0.push((now, *fact));
    }
}

/// Every fact of one run.
fn facts(model: &str, seconds: u32, faults: &str) -> (Program, Vec<(Time, Fact)>) {
    let campaign = campaign(&experiment(seconds, "1..2", faults), model);
    let cell = &campaign.cells[0];
    let controls = &cell.plan.controls;
    let end = cell.measure.arrivals_end;
    let mut notes = Notes::default();
    World::new(&cell.program, controls, 1, end, cell.limits, &mut notes).run();
    (cell.program.clone(), notes.0)
}

fn answers(facts: &[(Time, Fact)]) -> Vec<(u64, Outcome, Span)> {
    let answers = facts.iter().filter_map(|&(at, fact)| match fact {
        Fact::Answered { request, outcome, .. } => {
            Some((request.order, outcome, at.since(request.started)))
        }
        _ => None,
    });
    answers.collect()
}

fn ms(span: Span) -> u64 {
    span.0 / 1_000_000
}

/// What must hold of the shop, whatever happens to its parts.
const PROMISES: &str = r#"
[invariants]
one_charge = { effect = "charge" }
paid_has_payment = { paid = "orders.order = paid", payment = "orders.payment = recorded" }
charge_has_order = { effect = "charge", order = "orders.order" }
accepted_order_kept = { accepted = "api.place_order", order = "orders.order", settled = "orders.order = paid" }
"#;

/// The shop, without its crowd.
fn shop() -> String {
    let model = std::fs::read_to_string("models/checkout.toml").unwrap();
    model.changed("200/s", "50/s")
}

/// A shop whose relay publishes three orders, one after the other, with time between all steps.
const RELAY: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "api.order" }]

[service.api]
workers = 10
on.order.steps = [
  { transaction = "orders", write = ["order = accepted", "outbox = order placed"] },
  { reply = "ok" },
]

[database.orders]
commit = "1ms"
read = "1ms"
tables = { order = {} }

[outbox.relay]
database = "orders"
queue = "work"
poll = "1s"

[queue.work]
visibility = "10s"
latency = "1ms"

[service.worker]
workers = 10
takes = "work"
steps = [{ call = "payment.charge", idempotency_key = "order" },
         { transaction = "orders", write = ["order = paid"] }, { ack = true }]

[provider.payment]
concurrency = "unlimited"
latency = "1ms"
"#;

#[test]
fn the_same_seed_gives_the_same_digest_with_crashes() {
    let faults = format!(
        "{}{}{}",
        fault("kind = \"crash\"\ntarget = \"api[1]\"\nat = \"3s\"\nfor = \"2s\""),
        fault("kind = \"pause\"\ntarget = \"payer\"\nat = \"4s\"\nfor = \"1s\""),
        fault(
            "kind = \"worker_kill\"\ntarget = \"payer\"\nstep = \"payment.charge\"\nat = \"5s\"\n\
             for = \"3s\"\nshare = 0.05"
        ),
    );
    let campaign = campaign(&experiment(10, "1..4", &faults), &shop());
    let digests = || run_all(&campaign).iter().map(|run| run.digest).collect::<Vec<_>>();
    let first = digests();
    assert_eq!(first, digests());
    assert_ne!(first[0], first[1]);
}

#[test]
fn without_a_crash_all_exogenous_draws_are_as_they_were() {
    let crash = fault("kind = \"crash\"\ntarget = \"api\"\nat = \"3s\"\nfor = \"2s\"");
    let calm = run(&shop(), 10, "");
    let struck = run(&shop(), 10, &crash);
    assert_ne!(calm.digest, struck.digest);
    for purpose in [Purpose::Arrival, Purpose::Key, Purpose::Process] {
        let index = purpose as usize;
        assert_eq!(calm.draws[index], struck.draws[index], "{purpose:?}");
    }
}
