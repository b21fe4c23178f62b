//! Comparing arms: each with the baseline at the same point, paired by seed.
//!
//! The units are runs, never observations inside one. Amounts are compared by Student's t of the
//! paired differences and, where they are primary, by a BCa bootstrap beside it; what happened or
//! did not by the exact McNemar test and Newcombe's interval; how often a promise is broken as an
//! amount or, where few runs break it, by the exact sign-flip test. P-values of the primary
//! metrics, of a difference and of equivalence, are corrected by Holm over the declared family;
//! everything else is exploratory. A metric that looks better where more is thrown away is not
//! called better.

pub mod answer;
pub mod declared;
mod front;
mod judged;
pub mod language;
mod losses;
pub mod measured;
mod modes;
mod pair;
mod pairs;
pub mod power;
mod stopping;

pub use front::Placed;
pub use losses::Lost;
pub use modes::Modes;
pub use pair::{Faults, Idle, Method, Pair};
pub use stopping::{Missed, PrecisionReached, next_seeds, seeds_added};

use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;

/// What the arms of a campaign come to against each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Every arm against the baseline: by point, then arm, then metric, primary ones first.
    pub pairs: Vec<Pair>,
    /// The place of every arm, in the order of the cells; empty if no front is declared.
    pub front: Vec<Placed>,
    /// Whether the declared precision was reached; `None` if none is declared.
    pub precision: Option<PrecisionReached>,
}

/// Compares the arms of a campaign by its results, which are ordered by their numbers.
#[must_use]
pub fn compare(campaign: &Campaign, results: &[RunResult]) -> Comparison {
    Comparison {
        pairs: pairs::pairs(campaign, results),
        front: front::front(campaign, results),
        precision: stopping::precision(campaign, results),
    }
}
