//! What invariants remember.

use std::collections::VecDeque;

use super::Violation;
use crate::kernel::time::Time;
use crate::model::program::{LabelId, NodeId, TableId};
use crate::system::fact::Fact;

/// How often an invariant was broken, and how often it could have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often it was broken.
    pub violations: u64,
    /// How many operations could have broken it.
    pub exposure: u64,
    /// The earliest violation.
    pub first: Option<Violation>,
}

impl Tally {
    /// An operation could have broken it.
    pub fn exposed(&mut self) {
        self.exposure += 1;
    }

    /// It was broken.
    pub fn broken(&mut self, at: Time, order: Option<u64>) {
        self.violations += 1;
        if self.first.is_none_or(|first| at < first.at) {
            self.first = Some(Violation { at, order });
        }
    }
}

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
    /// Writes whose log has not reached the disk: log position and order, in log order.
    waiting: VecDeque<(u64, u64)>,
    durable: ByOrder<u32>,
}

/// Which versions of rows count.
#[derive(Clone, Copy, Debug)]
enum Which {
    All,
    /// Those in this state; `None` if the program never writes it.
    InState(Option<LabelId>),
}

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
        let (waiting, durable) = (VecDeque::new(), ByOrder::default());
        DurableRows { table, database, which, waiting, durable }
    }

    pub(super) fn observe(&mut self, fact: &Fact) {
        match *fact {
            Fact::Committed { table, order, state, position, .. } if self.counts(table, state) => {
                self.waiting.push_back((position, order));
            }
            Fact::Flushed { database, position } if database == self.database => {
                let durable = self.waiting.partition_point(|&(at, _)| at <= position);
                for (_, order) in self.waiting.drain(..durable) {
                    *self.durable.of(order) += 1;
                }
            }
            Fact::LogLost { database, after, .. } if database == self.database => {
                self.waiting.retain(|&(at, _)| at <= after);
            }
            Fact::WriteLost { table, order, state, position, .. } if self.counts(table, state) => {
                let lost = (position, order);
                match self.waiting.iter().position(|&waiting| waiting == lost) {
                    Some(place) => drop(self.waiting.remove(place)),
                    None => {
                        let durable = self.durable.of(order);
                        *durable = durable.saturating_sub(1);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether any counted version of an order's row is on disk.
    pub(super) fn has(&self, order: u64) -> bool {
        self.durable.get(order).is_some_and(|&versions| versions > 0)
    }

    /// The orders with a counted version on disk.
    pub(super) fn orders(&self) -> impl Iterator<Item = u64> {
        self.durable.iter().filter(|&(_, &versions)| versions > 0).map(|(order, _)| order)
    }

    fn counts(&self, table: TableId, state: LabelId) -> bool {
        table == self.table
            && match self.which {
                Which::All => true,
                Which::InState(counted) => counted == Some(state),
            }
    }
}
