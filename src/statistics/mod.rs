//! The statistics of comparisons: intervals, tests, corrections, stopping rules and verdicts.
//!
//! Every function here is a pure function of its arguments. What cannot be answered is refused
//! with an [`Error`]: an empty sample, an entry that is not finite, a probability outside its
//! range. What can be answered at the edge (one observation, no variation) is answered, and the
//! documentation says with what.
//!
//! Distribution functions are in [`distribution`] and [`beta`], which say why they are not a
//! library's, with the errors measured.

pub mod beta;
pub mod bootstrap;
pub mod bounded;
pub mod design;
pub mod distribution;
pub mod equivalence;
pub mod error;
pub mod interval;
pub mod isotonic;
pub mod moments;
pub mod multiplicity;
pub mod paired;
pub mod paired_proportion;
pub mod power;
pub mod proportion;
pub mod quantile;
pub mod rank;
pub mod rare;
pub mod selection;
pub mod sensitivity;
pub mod sequential;
pub mod steady_state;
pub mod verdict;

pub use error::Error;
pub use interval::{CONFIDENCE, Estimate, Interval};
