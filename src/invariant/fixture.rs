//! Hand-made facts for the tests of invariants.

use super::judge::{Invariant, Judgement, Tally};
use crate::kernel::time::{Span, Time};
use crate::model::program::{LabelId, NodeId, TableId};
use crate::system::fact::Fact;

pub(super) const DATABASE: NodeId = NodeId(0);
pub(super) const QUEUE: NodeId = NodeId(1);
pub(super) const ORDERS: TableId = TableId(0);
pub(super) const PLACED: LabelId = LabelId(0);
pub(super) const PAID: LabelId = LabelId(1);
pub(super) const CANCELLED: LabelId = LabelId(2);
pub(super) const CHARGE: LabelId = LabelId(3);
pub(super) const REFUND: LabelId = LabelId(4);

/// So many seconds after the start.
pub(super) fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

/// An order's row is written in a state, at a position of the log.
pub(super) fn committed(order: u64, state: LabelId, position: u64) -> Fact {
    Fact::Committed {
        table: ORDERS,
        row: order,
        order,
        state,
        before: None,
        version: 1,
        position,
        amount: 0,
    }
}

/// The log is on disk up to a position.
pub(super) fn flushed(position: u64) -> Fact {
    Fact::Flushed { database: DATABASE, position }
}

/// A crash undoes what was committed after a position.
pub(super) fn log_lost(after: u64) -> Fact {
    Fact::LogLost { database: DATABASE, after, transactions: 1 }
}

/// An event of an order is put into the outbox.
pub(super) fn outboxed(order: u64, place: u64, position: u64) -> Fact {
    let (event, key, database) = (PLACED, 7, DATABASE);
    Fact::Outboxed { event, order, key, database, place, position }
}

/// The queue accepts a message.
pub(super) fn enqueued(order: u64, event: u64) -> Fact {
    Fact::Enqueued { queue: QUEUE, order, event }
}

/// The queue hands out a message.
pub(super) fn delivered(order: u64, event: u64) -> Fact {
    Fact::Delivered { queue: QUEUE, order, message: event, event, receives: 1 }
}

/// A provider has an effect.
pub(super) fn had(effect: LabelId, order: u64) -> Fact {
    Fact::Effect { effect, order, key: 7, amount: 0 }
}

/// What an invariant says after these facts, each with its time in seconds, if all faults were
/// over after `healed` seconds and the run ended after `end`.
pub(super) fn judge(
    mut invariant: impl Invariant,
    facts: &[(u64, Fact)],
    healed: u64,
    end: u64,
) -> Tally {
    for (seconds, fact) in facts {
        invariant.observe(at(*seconds), fact);
    }
    invariant.tally(Judgement { healed: at(healed), end: at(end) })
}

/// How often an invariant was broken, of how many times that it could have been.
pub(super) fn counts(tally: Tally) -> (u64, u64) {
    (tally.violations, tally.exposure)
}
