//! What acts on nodes and links while faults do, beside what the model itself says.

use super::{Action, Control};
use crate::kernel::draw::Probability;
use crate::kernel::time::{Span, Time};
use crate::model::program::{Kind, NodeId, Program};

/// What acts on a node now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::system) struct NodeCondition {
    pub(in crate::system) slow: f64,
    /// Queues: nothing is delivered.
    pub(in crate::system) stalled: bool,
    pub(in crate::system) errors_before: Probability,
    pub(in crate::system) errors_after: Probability,
    pub(in crate::system) disk_full: bool,
    /// By how many nanoseconds its clock is fast.
    pub(in crate::system) skew: i64,
    pub(in crate::system) hot_key: Probability,
}

impl NodeCondition {
    /// Nothing acts on it.
    const WELL: NodeCondition = NodeCondition {
        slow: 1.0,
        stalled: false,
        errors_before: Probability::NEVER,
        errors_after: Probability::NEVER,
        disk_full: false,
        skew: 0,
        hot_key: Probability::NEVER,
    };

    /// Whether any call to it fails.
    #[inline]
    pub(in crate::system) fn fails_calls(&self) -> bool {
        !self.errors_before.is_never() || !self.errors_after.is_never()
    }
}

/// What acts on a link now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::system) struct LinkCondition {
    pub(in crate::system) request_loss: Probability,
    pub(in crate::system) reply_loss: Probability,
    pub(in crate::system) added_latency: Span,
    pub(in crate::system) duplication: Probability,
    pub(in crate::system) reordering: Probability,
    pub(in crate::system) requests_cut: bool,
    pub(in crate::system) replies_cut: bool,
    pub(in crate::system) clogged_until: Time,
}

impl LinkCondition {
    /// Whether nothing becomes of a message that leaves now but that it takes its time.
    #[inline]
    pub(in crate::system) fn is_calm(&self, now: Time) -> bool {
        self.request_loss.is_never()
            && self.reply_loss.is_never()
            && self.duplication.is_never()
            && self.reordering.is_never()
            && !self.requests_cut
            && !self.replies_cut
            && self.added_latency == Span::ZERO
            && self.clogged_until <= now
    }
}

/// What acts on the data of a node now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::system) struct DataCondition {
    /// A replica is later by so much.
    pub(in crate::system) added_lag: Span,
    /// A replica applies nothing.
    pub(in crate::system) is_stopped: bool,
    /// A primary is reached by this share of the processes only.
    pub(in crate::system) cut_off: Option<Probability>,
    /// A cache forgets nothing.
    pub(in crate::system) is_stale: bool,
}

/// What acts on every node and link now, by their indices.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    pub(super) nodes: Vec<NodeCondition>,
    pub(super) links: Vec<LinkCondition>,
    pub(super) data: Vec<DataCondition>,
    /// Indices of the controls that are on, in their order.
    pub(super) active: Vec<u32>,
}

impl Conditions {
    /// What the model itself says, without any fault.
    pub(super) fn new(program: &Program) -> Conditions {
        let nodes = program.nodes.iter().map(|node| match &node.kind {
            Kind::Provider(provider) => NodeCondition {
                errors_before: provider.errors_before,
                errors_after: provider.errors_after,
                ..NodeCondition::WELL
            },
            _ => NodeCondition::WELL,
        });
        let links = program.links.iter().map(|link| LinkCondition {
            request_loss: link.request_loss,
            reply_loss: link.reply_loss,
            added_latency: Span::ZERO,
            duplication: link.duplication,
            reordering: link.reordering,
            requests_cut: false,
            replies_cut: false,
            clogged_until: Time::ZERO,
        });
        Conditions {
            nodes: nodes.collect(),
            links: links.collect(),
            data: vec![DataCondition::default(); program.nodes.len()],
            active: Vec::new(),
        }
    }

    fn node(&mut self, node: NodeId) -> &mut NodeCondition {
        &mut self.nodes[node.0 as usize]
    }

    /// Adds what a control does for as long as it is on.
    pub(super) fn apply(&mut self, control: &Control) {
        match &control.action {
            Action::Slow { node, factor } => self.node(*node).slow *= factor,
            Action::Errors { node, before, after, .. } => {
                let condition = self.node(*node);
                condition.errors_before = condition.errors_before.or(*before);
                condition.errors_after = condition.errors_after.or(*after);
            }
            Action::ReplicaLag { node, added } => self.data[node.0 as usize].added_lag += *added,
            Action::StopReplica { node } => self.data[node.0 as usize].is_stopped = true,
            Action::CutOff { node, near } => self.data[node.0 as usize].cut_off = Some(*near),
            Action::StaleCache { node } => self.data[node.0 as usize].is_stale = true,
            Action::DiskFull { node } => self.node(*node).disk_full = true,
            Action::ClockSkew { node, by } => {
                let skew = &mut self.node(*node).skew;
                *skew = skew.saturating_add(*by);
            }
            Action::QueueStall { node } => self.node(*node).stalled = true,
            Action::HotKey { node, share } => {
                let hot_key = &mut self.node(*node).hot_key;
                *hot_key = hot_key.or(*share);
            }
            // These happen once, or when somebody comes to a step.
            Action::Promote { .. }
            | Action::FlushCache { .. }
            | Action::Corrupt { .. }
            | Action::Crash { .. }
            | Action::Pause { .. }
            | Action::Kill { .. }
            | Action::Redelivery { .. } => {}
            // A control that is not listed here does not compile.
            action @ (Action::RequestLoss { .. }
            | Action::ReplyLoss { .. }
            | Action::Latency { .. }
            | Action::Duplicate { .. }
            | Action::Reorder { .. }
            | Action::Partition { .. }
            | Action::Clog { .. }) => self.apply_to_links(action, control.until),
        }
    }

    fn apply_to_links(&mut self, action: &Action, until: Time) {
        let mut each = |links: &[usize], change: &dyn Fn(&mut LinkCondition)| {
            links.iter().for_each(|&link| change(&mut self.links[link]));
        };
        match action {
            Action::RequestLoss { links, share } => {
                each(links, &|link| link.request_loss = link.request_loss.or(*share));
            }
            Action::ReplyLoss { links, share } => {
                each(links, &|link| link.reply_loss = link.reply_loss.or(*share));
            }
            Action::Latency { links, added } => each(links, &|link| link.added_latency += *added),
            Action::Duplicate { links, share } => {
                each(links, &|link| link.duplication = link.duplication.or(*share));
            }
            Action::Reorder { links, share, .. } => {
                each(links, &|link| link.reordering = link.reordering.or(*share));
            }
            Action::Partition { requests, replies } => {
                each(requests, &|link| link.requests_cut = true);
                each(replies, &|link| link.replies_cut = true);
            }
            Action::Clog { links } => {
                each(links, &|link| link.clogged_until = link.clogged_until.max(until));
            }
            other => unreachable!("{other:?} acts on no link"),
        }
    }
}
