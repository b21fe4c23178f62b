//! What the pilots of a campaign have shown of its warm-up.

use crate::experiment::plan::cell::Cell;
use crate::kernel::time::Span;

/// What the pilots of a campaign have shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundWarmUp {
    /// The warm-up of every cell that does not state its own.
    pub span: Span,
    /// The seeds of the pilots.
    pub seeds: Vec<u64>,
    /// The cell that takes so long; none where no cell has anything to warm up.
    pub cell: Option<CellName>,
    /// How many cells had pilots.
    pub piloted: usize,
    /// The cells that were still filling at the latest time that a warm-up may end.
    pub unsettled: Vec<CellName>,
    /// The cells of which nothing is known, because a limit ended a pilot.
    pub limited: Vec<CellName>,
}

/// The name of a cell, which may be one that a command does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellName {
    /// The arm's name.
    pub arm: String,
    /// The point's name.
    pub point: String,
}

impl CellName {
    /// The name of a cell.
    #[must_use]
    pub fn of(cell: &Cell) -> CellName {
        CellName { arm: cell.arm.clone(), point: cell.point.clone() }
    }
}
