//! Which order a fact is about.

use super::{Fact, Transit, Waiting};
use crate::model::program::{NodeId, Program};

impl Fact {
    /// Whether it is about what a relay asks of its own database: that is about a batch and no
    /// order.
    #[must_use]
    pub fn is_upkeep(&self, program: &Program) -> bool {
        let between = |a: NodeId, b: NodeId| program.is_upkeep(a, b) || program.is_upkeep(b, a);
        match *self {
            Fact::Sent(Transit { from, to, .. })
            | Fact::Duplicated(Transit { from, to, .. })
            | Fact::Lost(Transit { from, to, .. })
            | Fact::Arrived(Transit { from, to, .. }) => between(from, to),
            Fact::Attempted { edge, .. }
            | Fact::Denied { edge, .. }
            | Fact::Settled { edge, .. }
            | Fact::Stale { edge, .. } => {
                let edge = program.edge(edge);
                between(edge.caller, edge.target)
            }
            _ => false,
        }
    }

    /// The order that it is about, if it is about one.
    #[must_use]
    pub fn order(&self) -> Option<u64> {
        match *self {
            Fact::Came(came) => Some(came.order),
            Fact::Ejected(_) | Fact::EjectionRefused(_) | Fact::Returned(_) => None,
            Fact::Caching(caching) => Some(caching.order),
            Fact::Pooled(pooling) => Some(pooling.order),
            Fact::FaultFired(_, order) => order,
            Fact::Requested(request)
            | Fact::Unanswered(request)
            | Fact::Degraded(request)
            | Fact::Answered { request, .. } => Some(request.order),
            Fact::Sent(transit)
            | Fact::Duplicated(transit)
            | Fact::Lost(transit)
            | Fact::Arrived(transit) => Some(transit.order),
            Fact::Worked(work) | Fact::Working(work) => Some(work.order),
            Fact::Attempted { order, .. }
            | Fact::Denied { order, .. }
            | Fact::Settled { order, .. }
            | Fact::Stale { order, .. }
            | Fact::Refused { order, .. }
            | Fact::NobodyThere { order, .. }
            | Fact::TurnedAway { order, .. }
            | Fact::Diverted { order, .. }
            | Fact::Committed { order, .. }
            | Fact::Repeated { order, .. }
            | Fact::Conflict { order, .. }
            | Fact::Overwrote { order, .. }
            | Fact::CommitLost { order, .. }
            | Fact::WriteLost { order, .. }
            | Fact::Read { order, .. }
            | Fact::ReadBack { order, .. }
            | Fact::ReadAgain { order, .. }
            | Fact::Outboxed { order, .. }
            | Fact::Audited { order, .. }
            | Fact::Enqueued { order, .. }
            | Fact::Delivered { order, .. }
            | Fact::Acknowledged { order, .. }
            | Fact::DeadLettered { order, .. }
            | Fact::Expired { order, .. }
            | Fact::MessageLost { order, .. }
            | Fact::Unprocessed(Waiting { order, .. })
            | Fact::UnderWay(order)
            | Fact::Effect { order, .. }
            | Fact::Replayed { order, .. }
            | Fact::Throttled { order, .. }
            | Fact::Mismatched { order, .. }
            | Fact::Failed { order, .. }
            | Fact::KeyAnswered { order, .. }
            | Fact::StaleEpoch { order, .. } => Some(order),
            Fact::Flushed { .. }
            | Fact::LogLost { .. }
            | Fact::WaitedForReplica { .. }
            | Fact::AnsweredAlone(_)
            | Fact::Connected(_)
            | Fact::CacheFlushed { .. }
            | Fact::Corrupted { .. }
            | Fact::Crashed { .. }
            | Fact::Restarted { .. }
            | Fact::Paused { .. }
            | Fact::Killed { .. }
            | Fact::FaultBegan(_)
            | Fact::FaultEnded(_)
            | Fact::Panicked(_)
            | Fact::Forgotten(_)
            | Fact::Left(_)
            | Fact::Staying(_)
            | Fact::FellBack { .. } => None,
        }
    }
}
