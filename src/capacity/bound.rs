//! What a node can serve at the most, and what keeps it from more: the least of several bounds.

use std::collections::BTreeMap;

use super::NodeLoad;
use super::ahead::ahead;
use super::phase::Phase;
use crate::model::language::OrderingKey;
use crate::model::program::{ConcurrencyCost, Kind, NodeId, Pauses, Program, Station};
use crate::policy::rate_limit::Rule;

/// What comes to a node in a second, and what that takes, in seconds per second.
#[derive(Clone, Debug, Default)]
pub(super) struct Demand {
    /// Requests or messages.
    pub(super) per_s: f64,
    /// The time of its workers.
    pub(super) held: f64,
    /// What of it is work, and no wait for others.
    pub(super) work: f64,
    /// What its calls take, by the node that is called.
    pub(super) calling: BTreeMap<NodeId, f64>,
    /// For how long places of its pools are held, by pool.
    pub(super) pools: BTreeMap<u16, f64>,
}

impl Demand {
    /// How many a second can be served if so much of something is there all the time, and all that
    /// comes takes so much of it; `None` if it takes nothing.
    fn served_by(&self, there: f64, taken: f64) -> Option<f64> {
        match (there, self.per_s) {
            (0.0, _) => Some(0.0),
            (_, 0.0) => None,
            _ if taken == 0.0 => None,
            _ if taken.is_infinite() => Some(0.0),
            (there, per_s) => Some(there / (taken / per_s)),
        }
    }
}

/// What a node is offered and can take.
pub(super) fn node_load(
    program: &Program,
    phase: &Phase,
    node: NodeId,
    demand: &Demand,
) -> NodeLoad {
    let text = program.node(node);
    let (station, up) = (&text.station, phase.nodes[node.0 as usize].up);
    let instances = f64::from(station.instances) * up;
    let workers = match &text.kind {
        Kind::Outbox(outbox) => Some(f64::from(outbox.relays) * up),
        _ if station.workers == u32::MAX && up > 0.0 => None,
        _ => Some(f64::from(station.workers) * instances),
    };
    let pauses = match &text.kind {
        Kind::Service(service) => service.pauses.as_ref(),
        _ => None,
    };
    let awake = pauses.map_or(1.0, awake);
    let mut bounds: Vec<(String, f64)> = Vec::new();
    let mut by_time = |name: String, there: f64, taken: f64| {
        let name = if awake < 1.0 { format!("{name}, pauses") } else { name };
        bounds.extend(demand.served_by(there * awake, taken).map(|most| (name, most)));
    };
    if let Some(workers) = workers {
        by_time("workers".to_owned(), workers, demand.held);
    }
    if let Some(cost) = &station.cost {
        let name = if cost.cores < station.workers { "cores" } else { "concurrency_cost" };
        by_time(name.to_owned(), speed(cost, station.workers) * instances, demand.work);
    }
    for (name, at_once) in of_queues(program, node) {
        by_time(name, at_once, demand.held);
    }
    for bulkhead in &station.bulkheads {
        let name = format!("bulkhead {}", program.node(bulkhead.target).name);
        let taken = demand.calling.get(&bulkhead.target).copied().unwrap_or_default();
        by_time(name, f64::from(bulkhead.rule.limit) * instances, taken);
    }
    for (pool, index) in station.pools.iter().zip(0..) {
        let taken = demand.pools.get(&index).copied().unwrap_or_default();
        by_time(format!("pool {}", pool.name), f64::from(pool.size) * instances, taken);
    }
    let rate = rate_limit(&text.kind, station, instances);
    bounds.extend(rate.map(|most| ("rate_limit".to_owned(), most)));
    let least =
        bounds.into_iter().reduce(|least, other| if other.1 < least.1 { other } else { least });
    let (bound_by, capacity_per_s) = least.unzip();
    let service_s =
        (demand.held.is_finite() && demand.per_s > 0.0).then(|| demand.held / demand.per_s);
    NodeLoad {
        node: text.name.clone(),
        offered_per_s: demand.per_s,
        open_per_s: demand.per_s,
        service_s,
        workers,
        capacity_per_s,
        bound_by,
        ahead: ahead(program, node, service_s.map_or(f64::INFINITY, |span| span / awake)),
    }
}

/// The share of the time in which an instance does not stand still: a gap counts from the end of a
/// pause to the beginning of the next.
fn awake(pauses: &Pauses) -> f64 {
    match (pauses.every.mean(), pauses.lasts.mean()) {
        (Some(gap), Some(pause)) => {
            gap.seconds().max(1e-9) / (gap.seconds().max(1e-9) + pause.seconds())
        }
        (None, _) => 1.0,
        (Some(_), None) => 0.0,
    }
}

/// How many seconds of work an instance does in a second at its best: `C(N)` of the Universal
/// Scalability Law at its peak, `N = sqrt((1 - sigma) / kappa)` (Gunther: "Guerrilla Capacity
/// Planning", 2007, chapter 4), or as near to it as workers and cores allow.
fn speed(cost: &ConcurrencyCost, workers: u32) -> f64 {
    let most = cost.cores.min(workers);
    let peak = ((1.0 - cost.contention).max(0.0) / cost.coherency).sqrt();
    let near = |jobs: f64| if jobs < f64::from(most) { (jobs as u32).max(1) } else { most };
    let jobs = if peak.is_nan() { [most; 2] } else { [near(peak), near(peak + 1.0)] };
    let speeds = jobs.map(|jobs| f64::from(jobs) / cost.factor(jobs));
    speeds[0].max(speeds[1])
}

/// How many messages of a queue a worker can have at once, as far as the queue says it: its equal
/// share where several services take from it.
fn of_queues(program: &Program, node: NodeId) -> Vec<(String, f64)> {
    let mut bounds = Vec::new();
    for other in &program.nodes {
        let Kind::Queue(queue) = &other.kind else { continue };
        let group = queue.groups.iter().find(|group| group.consumers.contains(&node));
        let Some(group) = group else { continue };
        let each = |count: u32| f64::from(count) / group.consumers.len() as f64;
        if queue.partitions > 0 {
            bounds.push((format!("partitions of {}", other.name), each(queue.partitions)));
        }
        if queue.in_flight < u32::MAX {
            bounds.push((format!("in_flight of {}", other.name), each(queue.in_flight)));
        }
    }
    bounds
}

/// How many a second the limit at the door of a node lets in, in the long run.
fn rate_limit(kind: &Kind, station: &Station, instances: f64) -> Option<f64> {
    if let Kind::Provider(provider) = kind {
        return provider.rate_limit.map(|limit| per_second(&Rule::Gcra(limit.rule)));
    }
    station.rate_limit.map(|limit| per_second(&limit.rule) * instances)
}

fn per_second(rule: &Rule) -> f64 {
    let each = |permits: u32, seconds: f64| f64::from(permits) / seconds.max(1e-9);
    match rule {
        Rule::Gcra(rule) => each(1, rule.interval.seconds()),
        Rule::Debt(rule) => rule.rate,
        Rule::Smooth(rule) => rule.rate,
        Rule::Cycles(rule) => each(rule.permits, rule.period.seconds()),
    }
}

/// What of the limits of a node that something comes to is no simple bound, in words.
pub(super) fn unknown(program: &Program, node: NodeId) -> Vec<String> {
    let text = program.node(node);
    let name = &text.name;
    let mut said = Vec::new();
    if let Some(cost) = &text.station.cost
        && (cost.contention > 0.0 || cost.coherency > 0.0)
    {
        said.push(format!(
            "`{name}` works at the best that its `concurrency_cost` allows; with more at work at \
             once it may be slower"
        ));
    }
    if text.station.limit.is_some() {
        said.push(format!("the learned limit of `{name}` lets everybody in"));
    }
    match &text.kind {
        Kind::Queue(queue) if queue.partitions > 0 => said.push(format!(
            "messages are spread evenly over the partitions of `{name}`, whatever they have in \
             common"
        )),
        Kind::Outbox(outbox)
            if outbox.publish.is_some_and(|it| it.ordering_key != OrderingKey::None) =>
        {
            said.push(format!("no event of `{name}` waits for another of its `ordering_key`"));
        }
        _ => {}
    }
    said
}
