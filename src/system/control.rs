//! The public controls of a running system: the only way in which a fault reaches a node.

use std::ops::Range;

use super::World;
use super::crash::ActiveKill;
pub use super::crash::{Kill, Moment};
use super::fact::Fact;
pub use super::life::instances as instances_of;
use crate::kernel::draw::Probability;
use crate::kernel::time::{Span, Time};
use crate::model::program::{Kind, NodeId, Program};
use crate::policy::Outcome;

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
    /// Calls to a node fail.
    Errors {
        /// Which node.
        node: NodeId,
        /// Without an effect.
        before: Probability,
        /// Although the effect happened.
        after: Probability,
        /// What their callers hear; without it, what the node answers of itself.
        outcome: Option<Outcome>,
    },
    /// A queue delivers nothing.
    QueueStall {
        /// Which queue.
        node: NodeId,
    },
    /// A queue delivers again what is in flight, all at once, when the control is switched on.
    Redelivery {
        /// Which queue.
        node: NodeId,
        /// Messages that were acknowledged within this span are delivered again as well.
        since: Span,
    },
    /// A share of the users is about one key, the last one.
    HotKey {
        /// Which clients.
        node: NodeId,
        /// How many of them.
        share: Probability,
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
    /// Instances die: they lose their memory and are down while it acts.
    Crash {
        /// Of which node.
        node: NodeId,
        /// Which of them.
        instances: Range<u32>,
        /// Whether nothing answers for them, not even their hosts.
        unreachable: bool,
    },
    /// Instances stand still.
    Pause {
        /// Of which node.
        node: NodeId,
        /// Which of them.
        instances: Range<u32>,
    },
    /// Instances die when they come to a step.
    Kill {
        /// At which step, and how.
        kill: Kill,
    },
    /// A database cannot write to its disk.
    DiskFull {
        /// Which database.
        node: NodeId,
    },
    /// The clock of a node shows another time.
    ClockSkew {
        /// Which node.
        node: NodeId,
        /// By how much it is fast, in nanoseconds; slow, if this is negative.
        by: i64,
    },
    /// Messages on these links travel longer, each way.
    Latency {
        /// Indices of [`Program::links`].
        links: Vec<usize>,
        /// By how much.
        added: Span,
    },
    /// Messages on these links arrive twice, each way.
    Duplicate {
        /// Indices of [`Program::links`].
        links: Vec<usize>,
        /// How many of them.
        share: Probability,
    },
    /// Messages on these links are late, each way, and so are overtaken.
    Reorder {
        /// Indices of [`Program::links`].
        links: Vec<usize>,
        /// How many of them.
        share: Probability,
        /// By up to how much, all lengths with equal probability.
        added: Span,
    },
    /// Nothing gets through.
    Partition {
        /// Links whose requests are lost, indices of [`Program::links`].
        requests: Vec<usize>,
        /// Links whose replies are lost.
        replies: Vec<usize>,
    },
    /// Messages on these links set out only when the fault ends, each way.
    Clog {
        /// Indices of [`Program::links`].
        links: Vec<usize>,
    },
}

/// An action and when it acts.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// The number of its fault in the plan, from 0.
    pub fault: u32,
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// What it does.
    pub action: Action,
}

/// A time in which users of these clients arrive at another rate because of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surge {
    /// The number of the fault in its plan.
    pub fault: u32,
    /// Which clients.
    pub clients: NodeId,
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
}

/// What acts on a node now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NodeCondition {
    pub(super) slow: f64,
    /// Queues: nothing is delivered.
    pub(super) stalled: bool,
    pub(super) errors_before: Probability,
    pub(super) errors_after: Probability,
    pub(super) disk_full: bool,
    /// By how many nanoseconds its clock is fast.
    pub(super) skew: i64,
    pub(super) hot_key: Probability,
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
}

/// What acts on a link now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LinkCondition {
    pub(super) request_loss: Probability,
    pub(super) reply_loss: Probability,
    pub(super) added_latency: Span,
    pub(super) duplication: Probability,
    pub(super) reordering: Probability,
    pub(super) requests_cut: bool,
    pub(super) replies_cut: bool,
    pub(super) clogged_until: Time,
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

    fn apply(&mut self, control: &Control) {
        match &control.action {
            Action::Slow { node, factor } => self.nodes[node.0 as usize].slow *= factor,
            Action::Errors { node, before, after, .. } => {
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
            Action::DiskFull { node } => self.nodes[node.0 as usize].disk_full = true,
            Action::ClockSkew { node, by } => {
                let skew = &mut self.nodes[node.0 as usize].skew;
                *skew = skew.saturating_add(*by);
            }
            Action::QueueStall { node } => self.nodes[node.0 as usize].stalled = true,
            // These happen once, or when somebody comes to a step.
            Action::Promote { .. }
            | Action::FlushCache { .. }
            | Action::Corrupt { .. }
            | Action::Crash { .. }
            | Action::Pause { .. }
            | Action::Kill { .. }
            | Action::Redelivery { .. } => {}
            Action::HotKey { node, share } => {
                let hot_key = &mut self.nodes[node.0 as usize].hot_key;
                *hot_key = hot_key.or(*share);
            }
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
            Action::Duplicate { links, share } => {
                for &link in links {
                    let duplication = &mut self.links[link].duplication;
                    *duplication = duplication.or(*share);
                }
            }
            Action::Reorder { links, share, .. } => {
                for &link in links {
                    let reordering = &mut self.links[link].reordering;
                    *reordering = reordering.or(*share);
                }
            }
            Action::Partition { requests, replies } => {
                for &link in requests {
                    self.links[link].requests_cut = true;
                }
                for &link in replies {
                    self.links[link].replies_cut = true;
                }
            }
            Action::Clog { links } => {
                for &link in links {
                    let until = &mut self.links[link].clogged_until;
                    *until = control.until.max(*until);
                }
            }
        }
    }
}

impl World<'_> {
    /// Switches a control on or off and works out anew what acts on whom.
    pub(super) fn switch(&mut self, control: u32, on: bool) {
        let mut active = std::mem::take(&mut self.conditions.active);
        active.retain(|&other| other != control);
        if on {
            active.insert(active.partition_point(|&other| other < control), control);
        }
        self.conditions = Conditions::new(self.program);
        for &index in &active {
            self.conditions.apply(&self.controls[index as usize]);
        }
        self.conditions.active = active;
        let fault = self.controls[control as usize].fault;
        self.tell(if on { Fact::FaultBegan(fault) } else { Fact::FaultEnded(fault) });
        self.strike(control, on);
    }

    /// Does what a fault does once, when it begins or ends.
    fn strike(&mut self, control: u32, on: bool) {
        let Control { fault, until, action, .. } = &self.controls[control as usize];
        match action {
            Action::Crash { node, instances, unreachable } if on => {
                self.fired_at(*fault, instances);
                self.crash(*node, instances.clone(), *until, *unreachable);
            }
            Action::Pause { node, instances } if on => {
                self.fired_at(*fault, instances);
                self.pause(*node, instances.clone(), *until);
            }
            Action::Kill { .. } if on => self.kills.push(ActiveKill { control, struck: 0 }),
            Action::Kill { .. } => self.kills.retain(|kill| kill.control != control),
            Action::QueueStall { node } if !on => self.resume_queue(*node),
            Action::Redelivery { node, since } if on => self.redeliver(*node, *since),
            action if on => self.begin_at_once(*fault, action),
            action => self.end_at_once(action),
        }
    }

    /// Tells that a fault struck each of these instances.
    fn fired_at(&mut self, fault: u32, instances: &Range<u32>) {
        for _ in instances.clone() {
            self.tell(Fact::FaultFired(fault, None));
        }
    }

    /// Lets queues keep what a fault will ask for again.
    pub(super) fn remember_for_faults(&mut self) {
        for control in self.controls {
            if let Action::Redelivery { node, since } = control.action {
                self.remember_for(node, since);
            }
        }
    }
}
