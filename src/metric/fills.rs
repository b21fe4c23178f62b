//! What readers brought to caches.

use serde::{Deserialize, Serialize};

use crate::model::program::{NodeId, TableId};
use crate::system::fact::{Caching, Deed};

/// What readers brought to a cache of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Fills {
    cache: u16,
    table: u16,
    /// Rows that it kept.
    pub kept: u64,
    /// How often there was nothing to keep, because nobody had written the row.
    pub empty: u64,
}

impl Fills {
    /// Which cache.
    #[must_use]
    pub fn cache(&self) -> NodeId {
        NodeId(self.cache)
    }

    /// Of which table.
    #[must_use]
    pub fn table(&self) -> TableId {
        TableId(self.table)
    }

    /// Counts what a cache did.
    pub(super) fn count(all: &mut Vec<Fills>, caching: &Caching) {
        let (kept, empty) = match caching.deed {
            Deed::Keeps(_) => (1, 0),
            Deed::FindsNothing => (0, 1),
            Deed::KeepsNothing | Deed::Refuses | Deed::Forgets => return,
        };
        let (cache, table) = (caching.cache.0, caching.table.0);
        match all.iter_mut().find(|known| (known.cache, known.table) == (cache, table)) {
            Some(known) => {
                known.kept += kept;
                known.empty += empty;
            }
            None => all.push(Fills { cache, table, kept, empty }),
        }
    }
}
