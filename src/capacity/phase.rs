//! The stretches of an experiment in which the same faults act, and what they do to nodes and
//! links.

use crate::fault::Plan;
use crate::kernel::draw::Probability;
use crate::kernel::time::Time;
use crate::model::program::{Kind, OperationId, Program};
use crate::system::control::{Action, Control, instances_of};

/// A stretch of time in which the same faults act.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub until: Time,
    /// The faults that act, by their numbers in the experiment, from 1; none in the calm.
    pub faults: Vec<usize>,
    /// By node.
    pub(super) nodes: Vec<NodeState>,
    /// By link.
    pub(super) links: Vec<LinkState>,
}

/// What faults do to a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NodeState {
    /// Its work takes so many times as long.
    pub(super) slow: f64,
    /// How likely a call of it is made to fail before its work has its effect.
    before: f64,
    /// How likely it is made to fail although it was done.
    after: f64,
    /// The share of its instances that run.
    pub(super) up: f64,
}

impl NodeState {
    /// How likely a call of it is made to fail: one draw decides of both ways.
    pub(super) fn fails(&self) -> f64 {
        (self.before + self.after).min(1.0)
    }
}

/// What becomes of messages over a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LinkState {
    /// The share of requests that are lost.
    pub(super) request_loss: f64,
    /// The share of replies that are lost.
    pub(super) reply_loss: f64,
    /// The share of requests of which there are two.
    pub(super) duplication: f64,
    /// By how many seconds each is late.
    pub(super) added_s: f64,
}

/// The time in which users arrive, without any fault.
pub(super) fn calm(program: &Program, plan: &Plan, arrivals_end: Time) -> Phase {
    phase(program, plan, Time::ZERO, arrivals_end, Vec::new())
}

/// The calm while users arrive, then each set of faults that act at the same time, once.
pub fn phases(program: &Program, plan: &Plan, arrivals_end: Time) -> Vec<Phase> {
    let mut all = vec![calm(program, plan, arrivals_end)];
    let spans = spans(plan);
    let mut edges: Vec<Time> = spans.iter().flat_map(|&(_, from, until)| [from, until]).collect();
    edges.sort_unstable();
    edges.dedup();
    for pair in edges.windows(2) {
        let (from, until) = (pair[0], pair[1]);
        let mut faults: Vec<usize> = spans
            .iter()
            .filter(|&&(_, begins, ends)| begins <= from && from < ends)
            .map(|&(fault, ..)| fault + 1)
            .collect();
        faults.dedup();
        let is_new = all.iter().all(|known| known.faults != faults);
        if is_new && from < arrivals_end {
            all.push(phase(program, plan, from, until, faults));
        }
    }
    all
}

/// When each fault acts, by its number from 0, in that order.
fn spans(plan: &Plan) -> Vec<(usize, Time, Time)> {
    let controls = plan.controls.iter().map(|one| (one.fault as usize, one.from, one.until));
    let surges = plan.surges.iter().map(|one| (one.fault as usize, one.from, one.until));
    let mut spans: Vec<_> = controls.chain(surges).collect();
    spans.sort_unstable();
    spans
}

fn phase(program: &Program, plan: &Plan, from: Time, until: Time, faults: Vec<usize>) -> Phase {
    let nodes = program.nodes.iter().map(|node| {
        let [before, after] = match &node.kind {
            Kind::Provider(provider) => {
                [provider.errors_before, provider.errors_after].map(Probability::value)
            }
            _ => [0.0; 2],
        };
        NodeState { slow: 1.0, before, after, up: 1.0 }
    });
    let links = program.links.iter().map(|link| LinkState {
        request_loss: link.request_loss.value(),
        reply_loss: link.reply_loss.value(),
        duplication: link.duplication.value(),
        added_s: 0.0,
    });
    let (nodes, links) = (nodes.collect(), links.collect());
    let mut phase = Phase { from, until, faults, nodes, links };
    if !phase.faults.is_empty() {
        for control in plan.controls.iter().filter(|one| one.from <= from && from < one.until) {
            phase.apply(program, control);
        }
    }
    phase
}

impl Phase {
    fn apply(&mut self, program: &Program, control: &Control) {
        match &control.action {
            Action::Slow { node, factor } => self.nodes[node.0 as usize].slow *= factor,
            Action::Errors { node, before, after, .. } => {
                let state = &mut self.nodes[node.0 as usize];
                state.before = either(state.before, *before);
                state.after = either(state.after, *after);
            }
            Action::Crash { node, instances, .. } | Action::Pause { node, instances } => {
                let all = f64::from(instances_of(program.node(*node)));
                let down = f64::from(instances.end - instances.start);
                let up = &mut self.nodes[node.0 as usize].up;
                *up = (*up - down / all).max(0.0);
            }
            Action::RequestLoss { links, share } => {
                self.each(links, |link| link.request_loss = either(link.request_loss, *share));
            }
            Action::ReplyLoss { links, share } => {
                self.each(links, |link| link.reply_loss = either(link.reply_loss, *share));
            }
            Action::Duplicate { links, share } => {
                self.each(links, |link| link.duplication = either(link.duplication, *share));
            }
            Action::Latency { links, added } => {
                self.each(links, |link| link.added_s += added.seconds());
            }
            Action::Reorder { links, share, added } => {
                self.each(links, |link| link.added_s += share.value() * added.seconds());
            }
            Action::Partition { requests, replies } => {
                self.each(requests, |link| link.request_loss = 1.0);
                self.each(replies, |link| link.reply_loss = 1.0);
            }
            Action::Clog { links } => self.each(links, |link| link.request_loss = 1.0),
            // None of these changes what comes to a node, or how long it takes there, by a mean
            // that is known beforehand.
            Action::QueueStall { .. }
            | Action::Redelivery { .. }
            | Action::HotKey { .. }
            | Action::ReplicaLag { .. }
            | Action::StopReplica { .. }
            | Action::CutOff { .. }
            | Action::Promote { .. }
            | Action::FlushCache { .. }
            | Action::StaleCache { .. }
            | Action::Corrupt { .. }
            | Action::Kill { .. }
            | Action::DiskFull { .. }
            | Action::ClockSkew { .. } => {}
        }
    }

    /// How likely a call of an operation fails as soon as it comes, and when it has been done.
    /// Providers fail where they take effect, and messages of a queue are no calls.
    pub(super) fn at_the_door(&self, program: &Program, operation: OperationId) -> [f64; 2] {
        let node = program.operation(operation).node;
        let NodeState { before, after, .. } = self.nodes[node.0 as usize];
        match &program.node(node).kind {
            Kind::Provider(_) => [0.0; 2],
            Kind::Service(service) if service.takes == Some(operation) => [0.0; 2],
            _ => [before, after],
        }
    }

    fn each(&mut self, links: &[usize], change: impl Fn(&mut LinkState)) {
        for &link in links {
            change(&mut self.links[link]);
        }
    }
}

fn either(known: f64, more: Probability) -> f64 {
    1.0 - (1.0 - known) * (1.0 - more.value())
}
