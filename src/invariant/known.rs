//! What judges remember of orders.

use std::collections::BTreeMap;

use crate::kernel::time::Time;
use crate::model::program::{LabelId, NodeId, TableId};
use crate::system::fact::Fact;
use crate::system::fact::kind::{Hears, hears};

/// What an observer knows of each order. Orders are numbered from 0, so this is a vector.
#[derive(Clone, Debug, Default)]
pub(super) struct ByOrder<T>(Vec<T>);

impl<T: Default + Clone> ByOrder<T> {
    /// What is known of an order, to be changed.
    pub(super) fn of(&mut self, order: u64) -> &mut T {
        let index = order as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, T::default());
        }
        &mut self.0[index]
    }

    /// What is known of an order, if anything was noted of it or of a later one.
    pub(super) fn get(&self, order: u64) -> Option<&T> {
        self.0.get(order as usize)
    }

    /// What is known of every order, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.0.iter().enumerate().map(|(order, known)| (order as u64, known))
    }
}

/// How many versions of each order's row are on disk, of a table or of those in one state.
#[derive(Clone, Debug)]
pub(super) struct DurableRows {
    table: TableId,
    database: NodeId,
    which: Which,
    /// Writes whose log has not reached the disk, with their orders and times, by log position and
    /// a number of each. A primary that was replaced may write at an earlier position than the new
    /// one did before.
    waiting: BTreeMap<(u64, u64), (u64, Time)>,
    /// How many numbers were given.
    seen: u64,
    durable: ByOrder<Versions>,
}

/// Which versions of rows count.
#[derive(Clone, Copy, Debug)]
enum Which {
    All,
    /// Those in this state; `None` if the program never writes it.
    InState(Option<LabelId>),
}

/// What is known of the counted versions of an order's row.
#[derive(Clone, Copy, Debug)]
struct Versions {
    /// How many are on disk.
    count: u32,
    /// When the first two of them were committed; [`Time::NEVER`] where there is none.
    committed: [Time; 2],
    /// When one was lost for the last time; the start of the run if none ever was.
    lost: Time,
}

impl Default for Versions {
    fn default() -> Versions {
        Versions { count: 0, committed: [Time::NEVER; 2], lost: Time::ZERO }
    }
}

impl Versions {
    fn add(&mut self, at: Time) {
        if let Some(committed) = self.committed.get_mut(self.count as usize) {
            *committed = at;
        }
        self.count += 1;
    }

    /// The newest is gone.
    fn remove(&mut self, now: Time) {
        self.count = self.count.saturating_sub(1);
        if let Some(committed) = self.committed.get_mut(self.count as usize) {
            *committed = Time::NEVER;
        }
        self.lost = now;
    }
}

hears!(DurableRows: Committed, Flushed, LogLost, WriteLost);

impl DurableRows {
    /// Counts every version of the rows of a table.
    pub(super) fn of((table, database): (TableId, NodeId)) -> DurableRows {
        DurableRows::new(table, database, Which::All)
    }

    /// Counts the versions in one state.
    pub(super) fn in_state(
        (table, database, state): (TableId, NodeId, Option<LabelId>),
    ) -> DurableRows {
        DurableRows::new(table, database, Which::InState(state))
    }

    fn new(table: TableId, database: NodeId, which: Which) -> DurableRows {
        let (waiting, durable) = (BTreeMap::new(), ByOrder::default());
        DurableRows { table, database, which, waiting, seen: 0, durable }
    }

    pub(super) fn observe<Whole: Hears>(&mut self, now: Time, fact: &Fact) {
        Self::is_part_of::<Whole>();
        match *fact {
            Committed { table, order, state, position, .. } if self.counts(table, state) => {
                self.waiting.insert((position, self.seen), (order, now));
                self.seen += 1;
            }
            Flushed { database, position } if database == self.database => {
                let later = self.waiting.split_off(&(position + 1, 0));
                for (order, committed) in std::mem::replace(&mut self.waiting, later).into_values()
                {
                    self.durable.of(order).add(committed);
                }
            }
            LogLost { database, after, .. } if database == self.database => {
                for (order, _) in self.waiting.split_off(&(after + 1, 0)).into_values() {
                    self.durable.of(order).lost = now;
                }
            }
            WriteLost { table, order, state, position, .. } if self.counts(table, state) => {
                let mut there = self.waiting.range((position, 0)..(position + 1, 0));
                match there.find(|&(_, &(of, _))| of == order).map(|(&place, _)| place) {
                    Some(place) => {
                        self.waiting.remove(&place);
                        self.durable.of(order).lost = now;
                    }
                    None => self.durable.of(order).remove(now),
                }
            }
            _ => {}
        }
    }

    /// Whether any counted version of an order's row is on disk.
    pub(super) fn has(&self, order: u64) -> bool {
        self.versions(order) > 0
    }

    /// How many counted versions that an order wrote are on disk.
    pub(super) fn versions(&self, order: u64) -> u32 {
        self.durable.get(order).map_or(0, |versions| versions.count)
    }

    /// When the first or, with 1, the second of the counted versions that are on disk was
    /// committed; [`Time::NEVER`] if there is none.
    pub(super) fn committed(&self, order: u64, place: usize) -> Time {
        self.durable.get(order).map_or(Time::NEVER, |versions| versions.committed[place])
    }

    /// When one was lost for the last time; the start of the run if none ever was.
    pub(super) fn lost(&self, order: u64) -> Time {
        self.durable.get(order).map_or(Time::ZERO, |versions| versions.lost)
    }

    /// The orders with a counted version on disk.
    pub(super) fn orders(&self) -> impl Iterator<Item = u64> {
        self.durable.iter().filter(|(_, versions)| versions.count > 0).map(|(order, _)| order)
    }

    fn counts(&self, table: TableId, state: LabelId) -> bool {
        table == self.table
            && match self.which {
                Which::All => true,
                Which::InState(counted) => counted == Some(state),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{DATABASE, ORDERS, PLACED, at, committed, flushed};
    use super::*;

    #[test]
    fn what_is_flushed_is_told_by_its_position_and_not_by_when_it_was_written() {
        let mut rows = DurableRows::of((ORDERS, DATABASE));
        // The last one was written by a primary that has been replaced.
        for (order, position) in [(1, 101), (2, 103), (3, 7)] {
            rows.observe::<DurableRows>(at(order), &committed(order, PLACED, position));
        }
        rows.observe::<DurableRows>(at(4), &flushed(101));
        assert_eq!(rows.orders().collect::<Vec<_>>(), [1, 3]);
        rows.observe::<DurableRows>(at(5), &flushed(103));
        assert_eq!(rows.orders().collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn two_orders_of_one_transaction_are_both_kept() {
        let mut rows = DurableRows::of((ORDERS, DATABASE));
        for order in [1, 2] {
            rows.observe::<DurableRows>(at(1), &committed(order, PLACED, 5));
        }
        rows.observe::<DurableRows>(at(2), &flushed(5));
        assert_eq!(rows.orders().collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn another_log_and_what_is_before_the_end_of_ours_change_nothing() {
        let elsewhere = NodeId(9);
        let others = Fact::LogLost { database: elsewhere, after: 0, transactions: 1 };
        let ours = Fact::LogLost { database: DATABASE, after: 3, transactions: 1 };
        for lost in [others, ours] {
            let mut rows = DurableRows::of((ORDERS, DATABASE));
            rows.observe::<DurableRows>(at(1), &committed(1, PLACED, 3));
            rows.observe::<DurableRows>(at(2), &lost);
            rows.observe::<DurableRows>(at(3), &Fact::Flushed { database: elsewhere, position: 3 });
            assert!(!rows.has(1), "what another database flushes");
            rows.observe::<DurableRows>(at(4), &flushed(3));
            assert_eq!((rows.has(1), rows.lost(1)), (true, Time::ZERO), "{lost:?}");
        }
    }

    fn write_lost(order: u64, position: u64) -> Fact {
        let (table, state, version) = (ORDERS, PLACED, 1);
        Fact::WriteLost { table, row: order, order, state, version, position }
    }

    #[test]
    fn a_failover_takes_a_version_from_the_disk_and_says_when() {
        let mut rows = DurableRows::of((ORDERS, DATABASE));
        for (seconds, order, position) in [(1, 1, 1), (2, 1, 2), (3, 2, 3)] {
            rows.observe::<DurableRows>(at(seconds), &committed(order, PLACED, position));
        }
        rows.observe::<DurableRows>(at(4), &flushed(3));
        rows.observe::<DurableRows>(at(5), &write_lost(1, 2));
        assert_eq!((rows.versions(1), rows.lost(1), rows.lost(2)), (1, at(5), Time::ZERO));
        assert_eq!((rows.committed(1, 0), rows.committed(1, 1)), (at(1), Time::NEVER));
        rows.observe::<DurableRows>(at(6), &write_lost(1, 1));
        assert_eq!((rows.has(1), rows.has(2), rows.lost(1)), (false, true, at(6)));
    }

    #[test]
    fn a_failover_takes_a_version_that_is_not_on_disk_and_no_other() {
        let mut rows = DurableRows::of((ORDERS, DATABASE));
        for (order, position) in [(1, 7), (2, 7), (1, 8)] {
            rows.observe::<DurableRows>(at(1), &committed(order, PLACED, position));
        }
        rows.observe::<DurableRows>(at(2), &write_lost(1, 7));
        assert_eq!(rows.lost(1), at(2));
        rows.observe::<DurableRows>(at(3), &flushed(8));
        assert_eq!((rows.versions(1), rows.versions(2)), (1, 1));
    }
}
