//! I6: no message is about an order that was never committed.
//!
//! Judged at the end of the run: a handler that publishes first and commits afterwards has until
//! then. A transaction that a crash or a failover undid did not happen. What is missing is missing
//! since the first message, or since it was undone, if that is later.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::known::{ByOrder, DurableRows};
use super::names::{queue, table};
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{NodeId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `no_phantom_event = { queue = "payments", committed = "orders.order" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NoPhantomEventText {
    /// The queue that accepts the messages.
    queue: String,
    /// The row without which there must be no message about an order.
    committed: String,
}

impl Promise for NoPhantomEventText {
    const NAME: &'static str = "no_phantom_event";
    const SENTENCE: &'static str = "No message is about an order that was never committed.";
    const LABEL: &'static str = "phantom events";
    const JUDGED: Judged = Judged::AtEnd;

    type Judge = NoPhantomEvent;

    fn judge(&self, program: &Program) -> Result<NoPhantomEvent, Problem> {
        let committed =
            table(&self.committed, program).map_err(|problem| problem.inside("committed"))?;
        Ok(NoPhantomEvent {
            queue: queue(&self.queue, program).map_err(|problem| problem.inside("queue"))?,
            published: ByOrder::default(),
            rows: DurableRows::of(committed),
        })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.fed("queue", &self.queue);
    }
}

/// Compares the messages that a queue accepted with the rows on disk. Exposure: orders about which
/// it accepted a message.
#[derive(Clone, Debug)]
pub(super) struct NoPhantomEvent {
    queue: NodeId,
    /// When the first message about an order was accepted.
    published: ByOrder<Option<Time>>,
    rows: DurableRows,
}

hears!(NoPhantomEvent: Enqueued; DurableRows);

impl Invariant for NoPhantomEvent {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Enqueued { queue, order, .. } if queue == self.queue => {
                self.published.of(order).get_or_insert(now);
            }
            _ => self.rows.observe::<Self>(now, fact),
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        let mut tally = Tally::default();
        for (order, published) in self.published.iter() {
            let Some(published) = *published else { continue };
            tally.exposed();
            if !self.rows.has(order) {
                tally.broken(published.max(self.rows.lost(order)), Some(order));
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::fixture::*;

    fn of(facts: &[Fact]) -> (u64, u64) {
        let (published, rows) = (ByOrder::default(), DurableRows::of((ORDERS, DATABASE)));
        let facts: Vec<(u64, Fact)> = facts.iter().map(|&fact| (1, fact)).collect();
        counts(judge(NoPhantomEvent { queue: QUEUE, published, rows }, &facts, 0, 9))
    }

    #[test]
    fn a_message_about_an_order_that_was_never_committed_breaks_it() {
        assert_eq!(of(&[enqueued(0, 0)]), (1, 1));
        assert_eq!(of(&[enqueued(0, 0), committed(1, PLACED, 1), flushed(1)]), (1, 1));
        assert_eq!(of(&[enqueued(0, 0), committed(0, PLACED, 1), flushed(1)]), (0, 1));
        assert_eq!(of(&[committed(0, PLACED, 1), flushed(1)]), (0, 0), "no message");
        let elsewhere = Fact::Enqueued { queue: DATABASE, order: 0, event: 0 };
        assert_eq!(of(&[elsewhere]), (0, 0), "in another queue");
    }

    #[test]
    fn a_transaction_that_a_crash_undid_did_not_happen() {
        assert_eq!(of(&[committed(0, PLACED, 1), enqueued(0, 1), log_lost(0)]), (1, 1));
        let (published, rows) = (ByOrder::default(), DurableRows::of((ORDERS, DATABASE)));
        let invariant = NoPhantomEvent { queue: QUEUE, published, rows };
        let facts = [(1, committed(0, PLACED, 1)), (2, enqueued(0, 1)), (6, log_lost(0))];
        assert_eq!(judge(invariant, &facts, 0, 9).first.unwrap().at, at(6), "since the loss");
        let again = [committed(0, PLACED, 1), enqueued(0, 1), log_lost(0)];
        assert_eq!(of(&[&again[..], &[committed(0, PLACED, 1), flushed(1)]].concat()), (0, 1));
    }
}
