//! I8: the events of one order, or of one key, are delivered in the order of their commits.
//!
//! What counts is the first delivery of each event to any consumer; a repetition breaks nothing,
//! and neither does an event that is never delivered. Events are those of the outbox that feeds
//! the queue. One that a crash or a failover undid has no place in the order.

use std::collections::{BTreeMap, BTreeSet};

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::names::{brought, fed_by, queue};
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, NodeId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `event_order = { queue = "events", per = "order" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct EventOrderText {
    /// The queue that delivers the events.
    queue: String,
    /// Which events are ordered among each other: those of one order, or of one key.
    #[serde(default)]
    per: Per,
}

/// Which events are ordered among each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Per {
    /// Those of one order.
    #[default]
    Order,
    /// Those of all orders about one key.
    Key,
}

impl Promise for EventOrderText {
    const NAME: &'static str = "event_order";
    const SENTENCE: &'static str = "Events are delivered in the order of their commits.";
    const LABEL: &'static str = "events out of order";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = EventOrder;

    fn judge(&self, program: &Program) -> Result<EventOrder, Problem> {
        let inside = |problem: Problem| problem.inside("queue");
        let queue = queue(&self.queue, program).map_err(inside)?;
        let fed_by = fed_by(queue, program).map_err(inside)?;
        Ok(EventOrder::of(queue, fed_by, brought(queue, program), self.per))
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.fed("queue", &self.queue);
    }
}

/// Follows events from the outbox to their first delivery, and forgets them then. Exposure: events
/// that were delivered.
#[derive(Clone, Debug)]
pub(super) struct EventOrder {
    queue: NodeId,
    /// The database whose outbox feeds the queue.
    fed_by: Option<NodeId>,
    /// For each label, whether that event goes to this queue.
    brought: Vec<bool>,
    per: Per,
    /// Events that were never delivered, by their places in the outbox.
    waiting: BTreeMap<u64, Waiting>,
    /// The same: what they are ordered by, and their places.
    lines: BTreeSet<(u64, u64)>,
    /// The same: positions of their transactions, and their places.
    positions: BTreeSet<(u64, u64)>,
    /// Those whose log is not on disk, in the same way.
    unflushed: BTreeSet<(u64, u64)>,
    tally: Tally,
}

/// An event that was never delivered.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    order: u64,
    /// The order or the key.
    line: u64,
    position: u64,
    /// Whether a later event of its line was delivered.
    is_overtaken: bool,
}

impl EventOrder {
    fn of(queue: NodeId, fed_by: Option<NodeId>, brought: Vec<bool>, per: Per) -> EventOrder {
        EventOrder {
            queue,
            fed_by,
            brought,
            per,
            waiting: BTreeMap::new(),
            lines: BTreeSet::new(),
            positions: BTreeSet::new(),
            unflushed: BTreeSet::new(),
            tally: Tally::default(),
        }
    }

    fn forget(&mut self, place: u64) -> Option<Waiting> {
        let event = self.waiting.remove(&place)?;
        self.lines.remove(&(event.line, place));
        self.positions.remove(&(event.position, place));
        Some(event)
    }

    fn delivered(&mut self, now: Time, place: u64) {
        let Some(event) = self.forget(place) else { return };
        self.tally.exposed();
        if event.is_overtaken {
            self.tally.broken(now, Some(event.order));
        }
        // Those before one that was overtaken already were so by the same event.
        for &(_, earlier) in self.lines.range((event.line, 0)..(event.line, place)).rev() {
            match self.waiting.get_mut(&earlier) {
                Some(earlier) if !earlier.is_overtaken => earlier.is_overtaken = true,
                _ => break,
            }
        }
    }

    /// What was committed after a position has not happened.
    fn lose(&mut self, after: u64) {
        for (_, place) in self.unflushed.split_off(&(after.saturating_add(1), 0)) {
            self.forget(place);
        }
    }
}

hears!(EventOrder: Outboxed, Delivered, Flushed, LogLost, CommitLost);

impl Invariant for EventOrder {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let is_ours = |database: NodeId| Some(database) == self.fed_by;
        let is_brought = |event: LabelId| self.brought[event.0 as usize];
        match *fact {
            Outboxed { event, order, key, database, place, position }
                if is_ours(database) && is_brought(event) =>
            {
                let line = match self.per {
                    Per::Order => order,
                    Per::Key => u64::from(key),
                };
                let event = Waiting { order, line, position, is_overtaken: false };
                self.waiting.insert(place, event);
                self.lines.insert((line, place));
                self.positions.insert((position, place));
                self.unflushed.insert((position, place));
            }
            Delivered { queue, event, .. } if queue == self.queue => {
                self.delivered(now, event);
            }
            Flushed { database, position } if is_ours(database) => {
                while self.unflushed.first().is_some_and(|&(waiting, _)| waiting <= position) {
                    self.unflushed.pop_first();
                }
            }
            LogLost { database, after, .. } if is_ours(database) => self.lose(after),
            CommitLost { database, position, .. } if is_ours(database) => {
                let of_it = self.positions.range((position, 0)..=(position, u64::MAX));
                let places: Vec<u64> = of_it.map(|&(_, place)| place).collect();
                for place in places {
                    self.forget(place);
                }
            }
            _ => {}
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::fixture::*;

    /// What it says of the events of some orders, committed one after the other, and then this.
    fn of(per: Per, orders: &[u64], then: &[Fact]) -> (u64, u64) {
        let places = 1..=orders.len() as u64;
        let committed = orders.iter().zip(places).map(|(&order, n)| (n, outboxed(order, n, n)));
        let then = then.iter().map(|&fact| (9, fact));
        let facts: Vec<(u64, Fact)> = committed.chain(then).collect();
        counts(judge(EventOrder::of(QUEUE, Some(DATABASE), vec![true; 9], per), &facts, 0, 9))
    }

    #[test]
    fn an_event_that_is_first_delivered_after_a_later_one_breaks_it() {
        let two = [delivered(0, 2), delivered(0, 1)];
        assert_eq!(of(Per::Order, &[0, 0], &two), (1, 2));
        assert_eq!(of(Per::Order, &[0, 0], &[two[1], two[0]]), (0, 2));
        assert_eq!(of(Per::Order, &[0, 0], &[two[1], two[0], two[1]]), (0, 2), "a repetition");
        let other =
            |event, queue| Fact::Delivered { queue, order: 0, message: event, event, receives: 1 };
        let elsewhere = [other(2, DATABASE), two[1], two[0]];
        assert_eq!(of(Per::Order, &[0, 0], &elsewhere), (0, 2), "another queue");
        assert_eq!(of(Per::Order, &[0, 0], &[two[0]]), (0, 1), "the other was never delivered");
        // Every event that was overtaken counts.
        let three = [delivered(0, 3), delivered(0, 2), delivered(0, 1)];
        assert_eq!(of(Per::Order, &[0, 0, 0], &three), (2, 3));
    }

    #[test]
    fn orders_do_not_wait_for_each_other_unless_they_are_about_one_key() {
        let two = [delivered(1, 2), delivered(0, 1)];
        assert_eq!(of(Per::Order, &[0, 1], &two), (0, 2));
        assert_eq!(of(Per::Key, &[0, 1], &two), (1, 2));
    }

    #[test]
    fn what_another_database_does_changes_no_order() {
        let database = NodeId(9);
        let late = [delivered(0, 2), delivered(0, 1)];
        let of = |facts: &[Fact]| of(Per::Order, &[0, 0], facts);
        let (event, order, key) = (PLACED, 0, 7);
        let other = Fact::Outboxed { event, order, key, database, place: 3, position: 3 };
        assert_eq!(of(&[other, delivered(0, 3), delivered(0, 1)]), (0, 1));
        let lost = Fact::LogLost { database, after: 0, transactions: 1 };
        assert_eq!(of(&[lost, late[0], late[1]]), (1, 2));
        let lost = Fact::CommitLost { database, position: 1, order: 0 };
        assert_eq!(of(&[lost, late[0], late[1]]), (1, 2));
        let flushed = Fact::Flushed { database, position: 2 };
        assert_eq!(of(&[flushed, log_lost(0), late[0], late[1]]), (0, 0), "none is on disk");
    }

    #[test]
    fn what_was_undone_has_no_place_in_the_order() {
        let late = [delivered(0, 2), delivered(0, 1)];
        let crash = [&[log_lost(0)][..], &late].concat();
        assert_eq!(of(Per::Order, &[0, 0], &crash), (0, 0));
        let half = [&[flushed(1), log_lost(0)][..], &late[1..]].concat();
        assert_eq!(of(Per::Order, &[0, 0], &half), (0, 1), "the first is on disk");
        let lost = Fact::CommitLost { database: DATABASE, position: 1, order: 0 };
        assert_eq!(of(Per::Order, &[0, 0], &[flushed(2), lost, late[0], late[1]]), (0, 1));
        assert_eq!(of(Per::Order, &[0, 0], &[flushed(2), log_lost(2), late[0], late[1]]), (1, 2));
        let lost = Fact::CommitLost { database: DATABASE, position: 2, order: 0 };
        let around = [flushed(3), lost, delivered(0, 3), delivered(0, 1)];
        assert_eq!(of(Per::Order, &[0, 0, 0], &around), (1, 2), "the one between hides none");
    }
}
