//! Where two runs part: the first event that is not the same in both.
//!
//! Checkpoints of the digests tell in which 4096 events that is; only those are kept and compared
//! when both are run again.

use super::case::Case;
use super::run_case;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::digest::{CHECKPOINT_EVENTS, Folded};

/// Where two runs part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// Nowhere: their digests are equal.
    Nowhere,
    /// At this event; `None` where a run was over.
    At {
        /// How many events were the same before it.
        number: u64,
        /// What happened in the first run.
        first: Option<Folded>,
        /// What happened in the second run.
        second: Option<Folded>,
    },
    /// The digests differed once and do not any more: the runs do not repeat themselves.
    Unsteady,
}

/// Compares two runs event by event.
#[must_use]
pub fn compare(first: (&Cell, &Case), second: (&Cell, &Case)) -> Parting {
    let plain = |(cell, case): (&Cell, &Case)| run_case(cell, 0, case, &mut ()).0;
    let (one, other) = (plain(first), plain(second));
    if one.digest == other.digest {
        return Parting::Nowhere;
    }
    let from = equal_events(&one, &other);
    let window = from..from + CHECKPOINT_EVENTS;
    let watched = |(cell, case): (&Cell, &Case)| {
        run_case(cell, 0, &Case { watch: window.clone(), ..case.clone() }, &mut ()).1
    };
    let (one, other) = (watched(first), watched(second));
    let longest = one.len().max(other.len());
    match (0..longest).find(|&index| one.get(index) != other.get(index)) {
        None => Parting::Unsteady,
        Some(index) => Parting::At {
            number: from + index as u64,
            first: one.get(index).copied(),
            second: other.get(index).copied(),
        },
    }
}

/// How many events two runs have in common at least, by their checkpoints.
fn equal_events(one: &RunResult, other: &RunResult) -> u64 {
    let pairs = one.checkpoints.iter().zip(&other.checkpoints);
    pairs.take_while(|(one, other)| one == other).last().map_or(0, |(one, _)| one.events)
}
