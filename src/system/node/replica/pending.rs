//! The transactions that a replica has been sent and has not applied.
//!
//! In the order of commits each waits for those before it. Otherwise each is applied in its own
//! time, unless an earlier one that is not applied wrote one of its rows (MySQL:
//! `replica_preserve_commit_order` is off, and transactions that write the same rows are never
//! applied in parallel). Then there may be gaps: transactions that are applied behind others that
//! are not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::kernel::time::Time;
use crate::model::program::TableId;
use crate::system::node::database::{Commit, Database, Write};

/// A transaction in the log of a database.
#[derive(Clone, Copy, Debug)]
struct Record {
    commit: Commit,
    /// How many rows it wrote.
    rows: usize,
    /// The number of the first of them, counted over all transactions.
    first: u64,
    /// When it is to be applied.
    due: Time,
    /// Whether it is, behind one that is not.
    is_applied: bool,
}

/// Transactions on their way to a replica.
#[derive(Clone, Debug, Default)]
pub(in crate::system) struct Pending {
    /// Whether they are applied in the order of commits.
    in_order: bool,
    /// In that order.
    records: VecDeque<Record>,
    /// The rows that they wrote.
    writes: VecDeque<Write>,
    /// How many transactions and rows have left the front of both.
    gone: (u64, u64),
    /// When the last of them will be applied, in the order of commits.
    last: Time,
    /// Without it: when which transaction is due that is not applied, by its number.
    due: BTreeSet<(Time, u64)>,
    /// Without it: when the last of those is due that write a row.
    held: BTreeMap<(TableId, u64), Time>,
}

impl Pending {
    pub(super) fn new(in_order: bool) -> Pending {
        Pending { in_order, ..Pending::default() }
    }

    /// How many are not applied, or are behind one that is not.
    pub(in crate::system) fn len(&self) -> usize {
        self.records.len()
    }

    /// Adds a transaction that alone would be applied at this time; says when it will be.
    pub(super) fn push(&mut self, commit: Commit, writes: &[Write], at: Time) -> Time {
        let due = if self.in_order {
            self.last = self.last.max(at);
            self.last
        } else {
            let held = writes.iter().filter_map(|&(table, row, _)| self.held.get(&(table, row)));
            let due = held.fold(at, |due, &other| due.max(other));
            let rows = writes.iter().map(|&(table, row, _)| ((table, row), due));
            self.held.extend(rows);
            self.due.insert((due, self.gone.0 + self.records.len() as u64));
            due
        };
        let first = self.gone.1 + self.writes.len() as u64;
        self.writes.extend(writes);
        let rows = writes.len();
        self.records.push_back(Record { commit, rows, first, due, is_applied: false });
        due
    }

    /// Applies the transactions that are due to what a replica keeps; `written` is told each row.
    pub(super) fn apply(
        &mut self,
        now: Time,
        store: &mut Database,
        mut written: impl FnMut(TableId, u64),
    ) {
        while let Some(&(due, number)) = self.due.first().filter(|(due, _)| *due <= now) {
            self.due.pop_first();
            self.apply_early(number, due, store, &mut written);
        }
        let is_next = |record: &&Record| record.is_applied || self.in_order && record.due <= now;
        while let Some(&record) = self.records.front().filter(is_next) {
            self.records.pop_front();
            self.gone = (self.gone.0 + 1, self.gone.1 + record.rows as u64);
            for (table, row, value) in self.writes.drain(..record.rows) {
                if !record.is_applied {
                    store.tables.set(table, row, value, record.commit.at);
                    written(table, row);
                }
            }
            store.position = record.commit.position;
        }
    }

    /// Applies one of them, whatever is before it.
    fn apply_early(
        &mut self,
        number: u64,
        due: Time,
        store: &mut Database,
        written: &mut impl FnMut(TableId, u64),
    ) {
        let record = &mut self.records[(number - self.gone.0) as usize];
        record.is_applied = true;
        let from = (record.first - self.gone.1) as usize;
        for &(table, row, value) in self.writes.range(from..from + record.rows) {
            store.tables.set(table, row, value, record.commit.at);
            written(table, row);
            if self.held.get(&(table, row)) == Some(&due) {
                self.held.remove(&(table, row));
            }
        }
    }

    /// Applies everything before the last transaction that is applied: whoever has that has
    /// received all before it.
    pub(in crate::system) fn fill_gaps(&mut self, store: &mut Database) {
        let applied = self.records.iter().rposition(|record| record.is_applied);
        let Some(last) = applied.map(|index| self.gone.0 + index as u64) else { return };
        let early: Vec<(Time, u64)> =
            self.due.iter().copied().filter(|&(_, number)| number < last).collect();
        for (due, number) in early {
            self.due.remove(&(due, number));
            self.apply_early(number, due, store, &mut |_, _| {});
        }
        self.apply(Time::ZERO, store, |_, _| {});
    }

    /// Forgets all of them, and returns what they wrote.
    pub(in crate::system) fn clear(&mut self) -> Vec<(Commit, Vec<Write>)> {
        let Pending { in_order, records, mut writes, last, .. } = std::mem::take(self);
        *self = Pending { in_order, last, ..Pending::default() };
        let own = |record: Record| (record.commit, writes.drain(..record.rows).collect());
        records.into_iter().map(own).collect()
    }
}
