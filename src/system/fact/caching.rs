//! What a cache does with a row, beside showing it.

use crate::model::program::{NodeId, TableId};

/// A cache did something with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caching {
    /// Which cache.
    pub cache: NodeId,
    /// The order on whose behalf.
    pub order: u64,
    /// The table.
    pub table: TableId,
    /// The row.
    pub row: u64,
    /// What.
    pub deed: Deed,
}

/// What a cache did with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It keeps this version, which a reader brought.
    Keeps(u64),
    /// It keeps that there is no such row.
    KeepsNothing,
    /// It has nothing to keep: the reader found no row, because nobody had written it.
    FindsNothing,
    /// It does not keep what a reader brought, because the reader had lost the lease.
    Refuses,
    /// It was told to forget the row.
    Forgets,
}
