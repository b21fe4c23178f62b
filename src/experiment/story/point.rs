//! The point of no return: from when on a violation comes whatever chance does.
//!
//! What was drawn up to a moment is kept and the rest is drawn again, several times. Draws are
//! named by what they are for, so nothing before the moment changes.

use std::collections::BTreeMap;

use super::super::campaign::Cell;
use super::super::case::Case;
use super::super::minimize::Target;
use super::super::run::run_case;
use crate::kernel::draw::key_of;
use crate::kernel::time::Time;

/// How many continuations of a moment end in the violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Everything after this time was drawn again.
    pub after: Time,
    /// How many continuations had the violation.
    pub violated: u32,
    /// How many there were.
    pub of: u32,
}

/// From when on a violation could no longer be avoided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoReturn {
    /// The first of the moments from which on most continuations have the violation.
    pub turns: Option<Time>,
    /// The first of the moments from which on every continuation has the violation; `None` if there
    /// is none, and the start of the run if chance never had a say.
    pub at: Option<Time>,
    /// The moments that were looked at, in order.
    pub shares: Vec<Share>,
}

/// What names the seeds of continuations.
const CONTINUATION: u64 = 0x636f_6e74;

/// Looks for the point of no return among moments in ascending order, by halving: a moment later
/// than another leaves less to chance.
#[must_use]
pub fn no_return(
    cell: &Cell,
    case: &Case,
    target: &Target,
    moments: &[Time],
    continuations: u32,
) -> NoReturn {
    let mut looked: BTreeMap<Time, Share> = BTreeMap::new();
    let mut share = |after: Time| {
        *looked.entry(after).or_insert_with(|| {
            let violates = |number: &u32| {
                let seed = key_of(case.seed ^ CONTINUATION, u64::from(*number));
                let case = Case { redraw: Some((after, seed)), ..case.clone() };
                target.found_in(&run_case(cell, 0, &case, &mut ()).0).is_some()
            };
            let violated = (0..continuations).filter(violates).count() as u32;
            Share { after, violated, of: continuations }
        })
    };
    let mut moments: Vec<Time> = moments.iter().copied().filter(|&at| at > Time::ZERO).collect();
    moments.insert(0, Time::ZERO);
    let mut first = |is_reached: fn(Share) -> bool| {
        // The first moment that reaches it lies in `low..=high`.
        let (mut low, mut high) = (0, moments.len());
        while low < high {
            let middle = (low + high) / 2;
            if is_reached(share(moments[middle])) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        if let Some(before) = low.checked_sub(1) {
            share(moments[before]);
        }
        moments.get(low).copied()
    };
    let turns = first(|share| 2 * share.violated > share.of);
    let at = first(|share| share.violated == share.of);
    NoReturn { turns, at, shares: looked.into_values().collect() }
}
