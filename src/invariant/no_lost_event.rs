//! I7: what was committed is published.
//!
//! For each transaction that brings a row into the state and stands: if it put events into the
//! outbox that feeds the queue, the queue accepts each of them within the bound after the commit
//! or, if the experiment says `after_faults`, after the end of all faults if that is later; if it
//! put none there, the queue accepts some message about the order by then. A transaction whose time
//! is not up when the run ends is not judged.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judge::{Invariant, Judgement, Tally};
use super::known::ByOrder;
use super::names::{brought, fed_by, queue, row_state};
use super::promise::{Judged, Promise};
use super::standing::{Commit, Standing};
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::model::program::{LabelId, NodeId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `no_lost_event = { committed = "orders.order = accepted", queue = "payments", within = "30s" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NoLostEventText {
    /// The row and state that must be published.
    committed: String,
    /// The queue that must accept the message.
    queue: String,
    /// How long after the commit, whatever goes wrong meanwhile.
    within: Span,
    /// Whether the time begins with the end of all faults if that is later.
    #[serde(default)]
    after_faults: bool,
}

impl Promise for NoLostEventText {
    const NAME: &'static str = "no_lost_event";
    const SENTENCE: &'static str = "What was committed is published.";
    const LABEL: &'static str = "lost events";
    const JUDGED: Judged = Judged::AtEnd;
    const IS_LOSS: bool = true;

    type Judge = NoLostEvent;

    fn judge(&self, program: &Program) -> Result<NoLostEvent, Problem> {
        let (table, database, committed) =
            row_state(&self.committed, program).map_err(|problem| problem.inside("committed"))?;
        let inside = |problem: Problem| problem.inside("queue");
        let queue = queue(&self.queue, program).map_err(inside)?;
        Ok(NoLostEvent {
            queue,
            fed_by: fed_by(queue, program).map_err(inside)?.filter(|&feeds| feeds == database),
            brought: brought(queue, program),
            within: self.within,
            after_faults: self.after_faults,
            rows: Standing::orders((table, database)),
            committed,
            events: ByOrder::default(),
            messages: ByOrder::default(),
            published: ByOrder::default(),
        })
    }
}

/// Compares the transactions of a database with the messages that a queue accepted. Exposure:
/// transactions whose time is up.
#[derive(Clone, Debug)]
pub(super) struct NoLostEvent {
    queue: NodeId,
    /// The database whose outbox feeds the queue.
    fed_by: Option<NodeId>,
    /// For each label, whether that event goes to this queue.
    brought: Vec<bool>,
    within: Span,
    after_faults: bool,
    rows: Standing,
    /// `None` if the program never writes it.
    committed: Option<LabelId>,
    /// The events of each order.
    events: ByOrder<Vec<Event>>,
    /// When the first message about an order was accepted.
    messages: ByOrder<Option<Time>>,
    /// When an event was accepted for the first time, by its place in the outbox.
    published: ByOrder<Option<Time>>,
}

/// An event in the outbox: when its transaction was made and its position, which is given again
/// after a crash.
#[derive(Clone, Copy, Debug)]
struct Event {
    at: Time,
    position: u64,
    place: u64,
}

impl NoLostEvent {
    /// Whether what a transaction was to publish was accepted by a time.
    fn is_published(&self, order: u64, commit: &Commit, due: Time) -> bool {
        let in_time = |accepted: Option<&Option<Time>>| {
            accepted.copied().flatten().is_some_and(|accepted| accepted <= due)
        };
        let events = self.events.get(order).map_or(&[][..], Vec::as_slice);
        let mut own = events
            .iter()
            .filter(|event| (event.at, event.position) == (commit.at, commit.position))
            .peekable();
        match own.peek() {
            None => in_time(self.messages.get(order)),
            Some(_) => own.all(|event| in_time(self.published.get(event.place))),
        }
    }
}

hears!(NoLostEvent: Outboxed, Enqueued; Standing);

impl Invariant for NoLostEvent {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Outboxed { event, order, database, place, position, .. }
                if Some(database) == self.fed_by && self.brought[event.0 as usize] =>
            {
                self.events.of(order).push(Event { at: now, position, place });
            }
            Enqueued { queue, order, event } if queue == self.queue => {
                self.messages.of(order).get_or_insert(now);
                self.published.of(event).get_or_insert(now);
            }
            _ => self.rows.observe::<Self>(now, fact),
        }
    }

    fn tally(&self, judgement: Judgement) -> Tally {
        let mut tally = Tally::default();
        for (order, commits) in self.rows.iter() {
            for commit in commits.iter().filter(|commit| Some(commit.state) == self.committed) {
                let due = judgement.due(commit.at, self.within, self.after_faults);
                if due > judgement.end {
                    tally.not_judged();
                    continue;
                }
                tally.exposed();
                if !self.is_published(order, commit, due) {
                    tally.broken(due, Some(order));
                }
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::example::outboxes;
    use crate::invariant::fixture::*;

    fn invariant(fed_by: Option<NodeId>) -> NoLostEvent {
        NoLostEvent {
            queue: QUEUE,
            fed_by,
            brought: vec![true; 9],
            within: Span::from_secs(10),
            after_faults: true,
            rows: Standing::orders((ORDERS, DATABASE)),
            committed: Some(PAID),
            events: ByOrder::default(),
            messages: ByOrder::default(),
            published: ByOrder::default(),
        }
    }

    fn of(facts: &[(u64, Fact)]) -> (u64, u64) {
        counts(judge(invariant(Some(DATABASE)), facts, 0, 20))
    }

    #[test]
    fn the_very_event_of_a_transaction_must_be_published() {
        let placed = [(1, committed(0, PLACED, 1)), (1, outboxed(0, 1, 1))];
        let paid = [(2, committed(0, PAID, 2)), (2, outboxed(0, 2, 2))];
        let facts = [placed, paid].concat();
        assert_eq!(of(&[&facts[..], &[(3, enqueued(0, 1))]].concat()), (1, 1));
        assert_eq!(of(&[&facts[..], &[(3, enqueued(0, 2))]].concat()), (0, 1));
        assert_eq!(of(&[&facts[..], &[(12, enqueued(0, 2))]].concat()), (0, 1), "just in time");
        assert_eq!(of(&[&facts[..], &[(13, enqueued(0, 2))]].concat()), (1, 1), "too late");
        assert_eq!(of(&placed), (0, 0), "not the state that is watched");
    }

    #[test]
    fn every_event_of_a_transaction_must_be_published() {
        let two = [(2, committed(0, PAID, 1)), (2, outboxed(0, 1, 1)), (2, outboxed(0, 2, 1))];
        let published = [(3, enqueued(0, 1)), (3, enqueued(0, 2))];
        assert_eq!(of(&[&two[..], &published].concat()), (0, 1));
        assert_eq!(of(&[&two[..], &published[..1]].concat()), (1, 1), "the second is lost");
        assert_eq!(of(&[&two[..], &published[1..]].concat()), (1, 1), "the first is lost");
    }

    #[test]
    fn an_outbox_counts_where_the_database_is_its_own() {
        let fed_by = |database: &str| {
            let program = outboxes("events", "others");
            let text = NoLostEventText {
                committed: format!("{database}.order = placed"),
                queue: "events".to_owned(),
                within: Span::from_secs(1),
                after_faults: false,
            };
            let found = text.judge(&program).unwrap().fed_by;
            found.map(|node| program.node(node).name.clone())
        };
        assert_eq!((fed_by("one").as_deref(), fed_by("two")), (Some("one"), None));
    }

    #[test]
    fn without_an_outbox_any_message_about_the_order_will_do() {
        let paid = (2, committed(0, PAID, 1));
        let of = |facts: &[(u64, Fact)]| counts(judge(invariant(None), facts, 0, 20));
        assert_eq!(of(&[paid]), (1, 1));
        assert_eq!(of(&[(1, enqueued(0, 0)), paid]), (0, 1));
        assert_eq!(of(&[(1, enqueued(1, 0)), paid]), (1, 1));
        let elsewhere = Fact::Enqueued { queue: DATABASE, order: 0, event: 0 };
        assert_eq!(of(&[(1, elsewhere), paid]), (1, 1), "in another queue");
        let (event, key, database) = (PLACED, 7, NodeId(9));
        let other = Fact::Outboxed { event, order: 0, key, database, place: 1, position: 1 };
        let facts = [paid, (2, other), (3, enqueued(0, 0))];
        assert_eq!(self::of(&facts), (0, 1), "another outbox promises nothing for this one");
    }

    #[test]
    fn nothing_is_said_before_the_time_is_up_nor_of_what_a_crash_undid() {
        let paid = [(2, committed(0, PAID, 1)), (2, outboxed(0, 1, 1))];
        let judged = |healed, end| counts(judge(invariant(Some(DATABASE)), &paid, healed, end));
        assert_eq!((judged(0, 11), judged(0, 12)), ((0, 0), (1, 1)));
        let early = judge(invariant(Some(DATABASE)), &paid, 0, 11);
        assert_eq!((early.exposure, early.unjudged), (0, 1));
        assert_eq!((judged(5, 14), judged(5, 15)), ((0, 0), (1, 1)));
        let through_faults = NoLostEvent { after_faults: false, ..invariant(Some(DATABASE)) };
        let broken = judge(through_faults, &paid, 5, 14);
        assert_eq!((counts(broken), broken.first.unwrap().at), ((1, 1), at(12)));
        assert_eq!(of(&[&paid[..], &[(3, log_lost(0))]].concat()), (0, 0));
        // The position is given again: the first event is not that of the second transaction.
        let again = [
            (3, log_lost(0)),
            (4, enqueued(0, 1)),
            (5, committed(0, PAID, 1)),
            (5, outboxed(0, 2, 1)),
        ];
        assert_eq!(of(&[&paid[..], &again].concat()), (1, 1));
    }
}
