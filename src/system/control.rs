//! The public controls of a running system: the only way in which a fault reaches a node.

use super::World;
use super::fact::{Fact, Observer};
use crate::kernel::draw::Probability;
use crate::kernel::time::{Span, Time};
use crate::model::program::{Kind, NodeId, Program};

/// What a fault does while it acts.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The node takes so many times as long for its work.
    Slow {
        /// Which node.
        node: NodeId,
        /// How many times as long.
        factor: f64,
    },
    /// Calls to a provider fail.
    Errors {
        /// Which provider.
        node: NodeId,
        /// Without an effect.
        before: Probability,
        /// Although the effect happened.
        after: Probability,
    },
    /// Requests on these links are lost.
    RequestLoss {
        /// Indices of [`Program::links`].
        links: Vec<usize>,
        /// How many of them.
        share: Probability,
    },
    /// Replies to calls over these links are lost.
    ReplyLoss {
        /// Indices of [`Program::links`].
        links: Vec<usize>,
        /// How many of them.
        share: Probability,
    },
    /// A replica is later than usual.
    ReplicaLag {
        /// Which replica.
        node: NodeId,
        /// By how much.
        added: Span,
    },
    /// A replica applies nothing; it catches up at the end.
    StopReplica {
        /// Which replica.
        node: NodeId,
    },
    /// A primary is cut off from its replicas and from most of those that call it.
    CutOff {
        /// Which database.
        node: NodeId,
        /// The share of the callers' processes that reach it all the same.
        near: Probability,
    },
    /// A replica leads instead of its database.
    Promote {
        /// Which database.
        database: NodeId,
        /// Which replica.
        replica: NodeId,
    },
    /// A cache loses all its rows when this begins.
    FlushCache {
        /// Which cache.
        node: NodeId,
    },
    /// A cache shows what it has, however old, and hears of no invalidation.
    StaleCache {
        /// Which cache.
        node: NodeId,
    },
    /// Rows of a replica or cache fall back by one version when this begins.
    Corrupt {
        /// Which replica or cache.
        node: NodeId,
        /// How many of its rows.
        share: Probability,
    },
    /// Messages on these links travel longer, each way.
    Latency {
        /// Indices of [`Program::links`].
        links: Vec<usize>,
        /// By how much.
        added: Span,
    },
}

/// An action and when it acts.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// What it does.
    pub action: Action,
}

/// What acts on a node now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NodeCondition {
    pub(super) slow: f64,
    pub(super) errors_before: Probability,
    pub(super) errors_after: Probability,
}

/// What acts on a link now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LinkCondition {
    pub(super) request_loss: Probability,
    pub(super) reply_loss: Probability,
    pub(super) added_latency: Span,
}

/// What acts on the data of a node now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct DataCondition {
    /// A replica is later by so much.
    pub(super) added_lag: Span,
    /// A replica applies nothing.
    pub(super) is_stopped: bool,
    /// A primary is reached by this share of the processes only.
    pub(super) cut_off: Option<Probability>,
    /// A cache forgets nothing.
    pub(super) is_stale: bool,
}

/// What acts on every node and link now, by their indices.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    pub(super) nodes: Vec<NodeCondition>,
    pub(super) links: Vec<LinkCondition>,
    pub(super) data: Vec<DataCondition>,
    active: Vec<bool>,
}

impl Conditions {
    /// What the model itself says, without any fault.
    pub(super) fn new(program: &Program, controls: usize) -> Conditions {
        let nodes = program.nodes.iter().map(|node| match node.kind {
            Kind::Provider(ref provider) => NodeCondition {
                slow: 1.0,
                errors_before: provider.errors_before,
                errors_after: provider.errors_after,
            },
            _ => NodeCondition {
                slow: 1.0,
                errors_before: Probability::NEVER,
                errors_after: Probability::NEVER,
            },
        });
        let links = program.links.iter().map(|link| LinkCondition {
            request_loss: link.request_loss,
            reply_loss: link.reply_loss,
            added_latency: Span::ZERO,
        });
        Conditions {
            nodes: nodes.collect(),
            links: links.collect(),
            data: vec![DataCondition::default(); program.nodes.len()],
            active: vec![false; controls],
        }
    }

    fn apply(&mut self, action: &Action) {
        match action {
            Action::Slow { node, factor } => self.nodes[node.0 as usize].slow *= factor,
            Action::Errors { node, before, after } => {
                let condition = &mut self.nodes[node.0 as usize];
                condition.errors_before = condition.errors_before.or(*before);
                condition.errors_after = condition.errors_after.or(*after);
            }
            Action::ReplicaLag { node, added } => {
                self.data[node.0 as usize].added_lag += *added;
            }
            Action::StopReplica { node } => self.data[node.0 as usize].is_stopped = true,
            Action::CutOff { node, near } => self.data[node.0 as usize].cut_off = Some(*near),
            Action::StaleCache { node } => self.data[node.0 as usize].is_stale = true,
            Action::Promote { .. } | Action::FlushCache { .. } | Action::Corrupt { .. } => {}
            Action::RequestLoss { links, share } => {
                for &link in links {
                    let loss = &mut self.links[link].request_loss;
                    *loss = loss.or(*share);
                }
            }
            Action::ReplyLoss { links, share } => {
                for &link in links {
                    let loss = &mut self.links[link].reply_loss;
                    *loss = loss.or(*share);
                }
            }
            Action::Latency { links, added } => {
                for &link in links {
                    self.links[link].added_latency += *added;
                }
            }
        }
    }
}

impl<O: Observer> World<'_, O> {
    /// Switches a control on or off and works out anew what acts on whom.
    pub(super) fn switch(&mut self, control: u32, on: bool) {
        let mut active = std::mem::take(&mut self.conditions.active);
        active[control as usize] = on;
        self.conditions = Conditions::new(self.program, 0);
        for (control, _) in self.controls.iter().zip(&active).filter(|&(_, &active)| active) {
            self.conditions.apply(&control.action);
        }
        self.conditions.active = active;
        let action = &self.controls[control as usize].action;
        match on {
            true => self.begin_at_once(action),
            false => self.end_at_once(action),
        }
        let fault = control;
        self.tell(if on { Fact::FaultBegan { fault } } else { Fact::FaultEnded { fault } });
    }
}
