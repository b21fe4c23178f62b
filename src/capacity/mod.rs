//! What each node will be offered and what it can take, by visit counts and means: no run is made.
//!
//! The utilisation law says it: `U = X S / c`, with `X` what comes in a second, `S` how long one
//! holds a worker and `c` the workers (Denning and Buzen: "The Operational Analysis of Queueing
//! Network Models", ACM Computing Surveys 10, 1978). `X` follows from how often a user's request
//! visits each node, the forced flow law of the same paper; `S` holds what a worker waits for: the
//! calls that it makes, their timeouts and the waits before retries.
//!
//! Nobody waits in a line here. So a node that is said to be overloaded is, if what was assumed is
//! so, and one that is not may still be driven there by a line somewhere else; that is what runs
//! are for.

mod ahead;
mod bound;
mod call;
mod holding;
mod lists;
mod means;
mod moments;
mod phase;
mod visit;

use std::collections::BTreeMap;

use crate::fault::Plan;
use crate::kernel::time::{Span, Time};
use crate::model::program::{Arrivals, Clients, Kind, NodeId, OperationId, Program, Spike};

pub use ahead::Ahead;
use bound::{Demand, node_load};
use means::Visit;
use phase::calm;
pub use phase::{Phase, phases};
use visit::Visits;

/// More than this of a node's capacity, and it is a question of luck how long its line gets: an
/// M/M/1 queue at 90% waits nine service times.
pub const HIGH: f64 = 0.9;

/// What a model is offered in each phase of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// The calm first, then every set of faults that act at the same time, in the order of time.
    pub phases: Vec<PhaseLoad>,
    /// What was assumed because no mean says it.
    pub assumptions: Vec<String>,
}

/// What each node is offered in one phase.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseLoad {
    /// When, and under which faults.
    pub phase: Phase,
    /// Every node that anything comes to, in the order of the model.
    pub nodes: Vec<NodeLoad>,
}

/// What one node is offered, and what it can take.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeLoad {
    /// Its name.
    pub node: String,
    /// What comes, in requests or messages per second, retries and deliveries again included, also
    /// if that is more than the node can serve.
    pub offered_per_s: f64,
    /// What of it comes whether the users before were answered or not. The rest is of users who
    /// come back (a closed loop): no more than `N / (Z + R)` with `N` of them, `Z` their think time
    /// and `R` the time of a round, and less as soon as they wait in a line.
    pub open_per_s: f64,
    /// How long one holds a worker, in seconds, if nobody waits; `None` if one may hold it for
    /// ever.
    pub service_s: Option<f64>,
    /// How many are served at once; `None` without a limit.
    pub workers: Option<f64>,
    /// How many per second it can serve at the most; `None` without a limit.
    pub capacity_per_s: Option<f64>,
    /// What keeps it from more, such as `workers` or `rate_limit`.
    pub bound_by: Option<String>,
    /// What it is handed ahead of its turn; `None` if nothing is.
    pub ahead: Option<Ahead>,
}

impl NodeLoad {
    /// The share of the capacity that is asked for; above 1 the line grows without end. `None`
    /// without a limit.
    pub fn utilisation(&self) -> Option<f64> {
        let capacity = self.capacity_per_s?;
        Some(if self.offered_per_s == 0.0 { 0.0 } else { self.offered_per_s / capacity })
    }
}

impl NodeLoad {
    /// Whether it is only users who come back that ask for more than this share of its capacity.
    pub fn is_filled_by_closed(&self, share: f64) -> bool {
        let most = self.capacity_per_s.map(|capacity| capacity * share);
        most.is_some_and(|most| self.open_per_s <= most && self.offered_per_s > most)
    }
}

impl PhaseLoad {
    /// The nodes that are asked for more than this share of their capacity, the busiest first.
    pub fn above(&self, share: f64) -> Vec<&NodeLoad> {
        let is_above = |node: &&NodeLoad| node.utilisation().is_some_and(|asked| asked > share);
        let mut busy: Vec<&NodeLoad> = self.nodes.iter().filter(is_above).collect();
        busy.sort_by(|a, b| b.utilisation().partial_cmp(&a.utilisation()).expect("no NaN"));
        busy
    }
}

/// What the nodes of a program are offered while users arrive, calm and under the faults of a plan.
pub fn capacity(program: &Program, plan: &Plan, arrivals_end: Time) -> Capacity {
    in_phases(program, plan, phases(program, plan, arrivals_end))
}

/// The same of the calm alone.
pub fn in_calm(program: &Program, plan: &Plan, arrivals_end: Time) -> Capacity {
    in_phases(program, plan, vec![calm(program, plan, arrivals_end)])
}

fn in_phases(program: &Program, plan: &Plan, phases: Vec<Phase>) -> Capacity {
    let mut assumptions = Vec::new();
    let phases = phases
        .into_iter()
        .map(|phase| {
            let mut visits = Visits::new(program, &phase);
            let nodes = nodes_of(program, plan, &phase, &mut visits);
            visits.assume_of_full(&nodes);
            for assumption in visits.assumptions {
                if !assumptions.contains(&assumption) {
                    assumptions.push(assumption);
                }
            }
            PhaseLoad { phase, nodes }
        })
        .collect();
    Capacity { phases, assumptions }
}

/// How many times a message may bring forth others before what follows is left out: a circle of
/// queues has no end.
const ROUNDS_MAX: usize = 32;

/// What comes to each node.
type Offered = BTreeMap<u16, Demand>;

/// How often what full nodes serve is looked at again: each time it says what comes to those behind
/// them, of which others may be full or not.
const FULL_ROUNDS_MAX: usize = 32;

/// What comes to the nodes if one that is full passes on what it serves, and not what it is asked
/// for.
fn nodes_of(
    program: &Program,
    plan: &Plan,
    phase: &Phase,
    visits: &mut Visits<'_>,
) -> Vec<NodeLoad> {
    let mut nodes = loads(program, plan, phase, visits);
    for _ in 0..FULL_ROUNDS_MAX {
        if !visits.serve(&nodes) {
            break;
        }
        nodes = loads(program, plan, phase, visits);
    }
    if program.nodes.iter().any(|node| is_closed(&node.kind)) {
        let mut open = Visits::new(program, phase);
        open.leaves_closed_out = true;
        let alone = loads(program, plan, phase, &mut open);
        for (node, load) in &mut nodes {
            load.open_per_s = alone.get(node).map_or(0.0, |alone| alone.offered_per_s);
        }
    }
    nodes.into_values().collect()
}

/// Whether these are users who come back.
fn is_closed(kind: &Kind) -> bool {
    matches!(kind, Kind::Clients(Clients { arrivals: Arrivals::Closed(_), .. }))
}

/// What comes to each node with what the nodes serve as `visits` knows it.
fn loads(
    program: &Program,
    plan: &Plan,
    phase: &Phase,
    visits: &mut Visits<'_>,
) -> BTreeMap<u16, NodeLoad> {
    let mut offered = Offered::default();
    let mut sources = users(program, plan, phase, visits);
    for _ in 0..ROUNDS_MAX {
        if sources.is_empty() {
            break;
        }
        let produced = spread(program, visits, &sources, &mut offered);
        sources = messages(program, phase, visits, &produced, &mut offered);
    }
    for &node in offered.keys() {
        visits.assume_all(bound::unknown(program, NodeId(node)));
    }
    let load =
        |(&node, demand): (&u16, &Demand)| (node, node_load(program, phase, NodeId(node), demand));
    offered.iter().map(load).collect()
}

/// The flows of all users, each with how many begin it in a second.
fn users(
    program: &Program,
    plan: &Plan,
    phase: &Phase,
    visits: &mut Visits<'_>,
) -> Vec<(OperationId, f64)> {
    let mut sources = Vec::new();
    for (index, node) in program.nodes.iter().enumerate() {
        let Kind::Clients(clients) = &node.kind else { continue };
        if is_closed(&node.kind) && visits.leaves_closed_out {
            continue;
        }
        let spikes = plan.spikes.iter().filter(|(of, _)| of.0 as usize == index);
        let spikes: Vec<&Spike> = spikes.map(|(_, spike)| spike).collect();
        let shares = shares_of(&clients.flows);
        let rate = match &clients.arrivals {
            Arrivals::Closed(closed) => {
                visits.assume_all(vec![format!(
                    "the {} users of `{}` offer at most users / (think time + time of a round): \
                     they offer less while they wait in a line",
                    closed.users, node.name
                )]);
                let each = shares.iter().map(|&(flow, share)| share * visits.free(flow).time.mean);
                let round = closed.think.mean().map_or(f64::INFINITY, Span::seconds);
                f64::from(closed.users) / (round + each.sum::<f64>()).max(1e-9)
            }
            _ => rate_of(clients, &spikes, phase),
        };
        sources.extend(shares.into_iter().map(|(flow, share)| (flow, share * rate)));
    }
    sources
}

/// The share of each flow, from the last of the draws that choose it.
fn shares_of(flows: &[(u64, OperationId)]) -> Vec<(OperationId, f64)> {
    let mut before = 0.0;
    let share = |&(last, flow): &(u64, OperationId)| {
        let end = last as f64 / u64::MAX as f64;
        (flow, end - std::mem::replace(&mut before, end))
    };
    flows.iter().map(share).collect()
}

/// The highest rate at which users of an open system arrive in a phase, per second.
fn rate_of(clients: &Clients, spikes: &[&Spike], phase: &Phase) -> f64 {
    let spike =
        spikes.iter().rev().find(|spike| phase.from <= spike.from && spike.from < phase.until);
    let during =
        spikes.iter().rev().find(|spike| spike.from <= phase.from && phase.from < spike.until);
    if let Some(spike) = spike.or(during).filter(|_| !phase.faults.is_empty()) {
        return spike.rate;
    }
    match &clients.arrivals {
        Arrivals::Poisson(rates) => {
            let ends = rates.pieces.iter().enumerate().flat_map(|(index, piece)| {
                let until = rates.pieces.get(index + 1).map(|next| next.from);
                let until = until.or(rates.period.map(|period| Time(period.0)));
                let until = until.unwrap_or(phase.until).min(phase.until.max(piece.from));
                [piece.rate, piece.rate + piece.slope * until.since(piece.from).seconds()]
            });
            ends.fold(0.0, f64::max)
        }
        Arrivals::Bursts(bursts) => bursts.rates[0].max(bursts.rates[1]),
        Arrivals::Constant(every) => 1.0 / every.seconds().max(1e-9),
        Arrivals::Trace(trace) => {
            let span = trace.times.last().map_or(0.0, |last| last.since(Time::ZERO).seconds());
            let copies = f64::from(trace.copies) + trace.extra.value();
            trace.times.len() as f64 * copies / span.max(1e-9)
        }
        Arrivals::Closed(_) => unreachable!("a closed loop has users, not a rate"),
    }
}

/// What the calls of these sources come to at every node that they lead to; returns what they put
/// into queues and outboxes, per second.
fn spread(
    program: &Program,
    visits: &mut Visits<'_>,
    sources: &[(OperationId, f64)],
    offered: &mut Offered,
) -> BTreeMap<u16, f64> {
    let mut rates = BTreeMap::new();
    for &(operation, rate) in sources {
        *rates.entry(operation.0).or_insert(0.0) += rate;
    }
    let mut produced: BTreeMap<u16, f64> = BTreeMap::new();
    for operation in visits.order(sources.iter().map(|&(operation, _)| operation)) {
        let rate = rates.get(&operation.0).copied().unwrap_or(0.0);
        let Visit { calls, messages, .. } = visits.of(operation).clone();
        let free = visits.free(operation);
        let node = program.operation(operation).node;
        let served = rate * visits.served(node);
        if !matches!(program.node(node).kind, Kind::Clients(_)) {
            let demand = offered.entry(node.0).or_default();
            demand.per_s += rate;
            demand.held += rate * free.time.mean;
            demand.work += rate * free.work;
            for (pool, time) in free.held {
                *demand.pools.entry(pool).or_insert(0.0) += rate * time;
            }
            for (called, time) in free.calling {
                *demand.calling.entry(called).or_insert(0.0) += rate * time;
            }
        }
        for (called, count) in calls {
            *rates.entry(called.0).or_insert(0.0) += served * count;
        }
        for (node, count) in messages {
            *produced.entry(node.0).or_insert(0.0) += served * count;
        }
    }
    produced
}

/// Who takes up what was put into queues and outboxes, and how often in a second.
fn messages(
    program: &Program,
    phase: &Phase,
    visits: &mut Visits<'_>,
    produced: &BTreeMap<u16, f64>,
    offered: &mut Offered,
) -> Vec<(OperationId, f64)> {
    let mut sources = Vec::new();
    for (&node, &rate) in produced.iter().filter(|(_, rate)| **rate > 0.0) {
        match &program.nodes[node as usize].kind {
            Kind::Queue(queue) => {
                // One that fails each time comes back after so long, until the phase ends.
                let hidden = queue.redelivery.unwrap_or(queue.visibility).seconds();
                let in_time = 1.0 + phase.until.since(phase.from).seconds() / hidden.max(1e-9);
                let most = f64::from(queue.max_receives).min(in_time);
                for group in &queue.groups {
                    let each = rate / (group.consumers.len().max(1)) as f64;
                    for &consumer in &group.consumers {
                        let Kind::Service(service) = &program.node(consumer).kind else { continue };
                        let Some(takes) = service.takes else { continue };
                        let parts = visits.free(takes).parts().into_iter();
                        let deliveries: f64 =
                            parts.map(|(share, kept)| share * call::tries(1.0 - kept, most)).sum();
                        sources.push((takes, each * deliveries));
                    }
                }
            }
            Kind::Outbox(outbox) => {
                let relay = visits.relay(outbox);
                let demand = offered.entry(node).or_default();
                demand.per_s += rate;
                demand.held += rate * relay.held_s;
                let served = rate * visits.served(NodeId(node));
                let calls = relay.calls.iter();
                sources.extend(calls.map(|(&called, &count)| (called, served * count)));
            }
            _ => unreachable!("only queues and outboxes take messages"),
        }
    }
    sources
}
