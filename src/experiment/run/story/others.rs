//! The other side of a story: what other orders did to the rows that one was about.

use std::collections::BTreeMap;

use crate::kernel::time::Time;
use crate::model::program::{NodeId, TableId};
use crate::system::fact::{Caching, Deed, Fact};

/// What other orders did last to each row.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// The transaction that wrote a row.
    commits: BTreeMap<(TableId, u64), (Time, Fact)>,
    /// Who filled a row into a cache.
    fills: BTreeMap<(NodeId, TableId, u64), (Time, Fact)>,
    /// Who told a cache to forget it.
    ends: BTreeMap<(NodeId, TableId, u64), (Time, Fact)>,
    /// The row of each table that the order itself read last.
    read: BTreeMap<TableId, u64>,
}

impl Others {
    /// Takes note of what another order did.
    pub(super) fn note(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Fact::Committed { table, row, .. } => {
                self.commits.insert((table, row), (now, *fact));
            }
            Fact::Caching(Caching { cache, table, row, deed, .. }) => {
                let deeds = match deed {
                    Deed::Keeps(_) | Deed::KeepsNothing => &mut self.fills,
                    Deed::Forgets => &mut self.ends,
                    Deed::Refuses | Deed::FindsNothing => return,
                };
                deeds.insert((cache, table, row), (now, *fact));
            }
            _ => {}
        }
    }

    /// What others did that stands behind a fact about the order, in the order of time: who wrote
    /// the version that is overwritten, or the newer one that is not seen; and who filled the cache
    /// with the older one, and told it to forget the row.
    pub(super) fn behind(&mut self, fact: &Fact) -> Vec<(Time, Fact)> {
        let mut behind = Vec::new();
        match *fact {
            Fact::Read { node, table, row, seen, newest, .. } => {
                self.read.insert(table, row);
                if seen < newest {
                    behind.extend(self.commits.get(&(table, row)));
                    behind.extend(self.fills.get(&(node, table, row)));
                    behind.extend(self.ends.get(&(node, table, row)));
                }
            }
            Fact::Overwrote { table, is_lost: true, .. } => {
                let row = self.read.get(&table);
                behind.extend(row.and_then(|&row| self.commits.get(&(table, row))));
            }
            _ => {}
        }
        behind.sort_by_key(|&(at, _)| at);
        behind
    }
}
