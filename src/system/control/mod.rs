//! The public controls of a running system: the only way in which a fault reaches a node.

mod cause;
mod conditions;
mod kill;

use std::ops::Range;

use crate::kernel::draw::Probability;
use crate::kernel::time::{Span, Time};
use crate::model::program::NodeId;
use crate::policy::Outcome;

pub use super::fleet::instances_of;
pub use kill::{Kill, Moment};

pub(super) use cause::Disturbances;
pub(super) use conditions::{DataCondition, LinkCondition, NodeCondition};

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
        /// Indices of [`crate::model::program::Program::links`].
        links: Vec<usize>,
        /// How many of them.
        share: Probability,
    },
    /// Replies to calls over these links are lost.
    ReplyLoss {
        /// Indices of [`crate::model::program::Program::links`].
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
        /// Indices of [`crate::model::program::Program::links`].
        links: Vec<usize>,
        /// By how much.
        added: Span,
    },
    /// Messages on these links arrive twice, each way.
    Duplicate {
        /// Indices of [`crate::model::program::Program::links`].
        links: Vec<usize>,
        /// How many of them.
        share: Probability,
    },
    /// Messages on these links are late, each way, and so are overtaken.
    Reorder {
        /// Indices of [`crate::model::program::Program::links`].
        links: Vec<usize>,
        /// How many of them.
        share: Probability,
        /// By up to how much, all lengths with equal probability.
        added: Span,
    },
    /// Nothing gets through.
    Partition {
        /// Links whose requests are lost, indices of [`crate::model::program::Program::links`].
        requests: Vec<usize>,
        /// Links whose replies are lost.
        replies: Vec<usize>,
    },
    /// Messages on these links set out only when the fault ends, each way.
    Clog {
        /// Indices of [`crate::model::program::Program::links`].
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
