//! Comparing arms: each with the baseline at the same point, paired by seed.
//!
//! The units are runs, never observations inside one. Amounts are compared by Student's t of the
//! paired differences and, where they are primary, by a BCa bootstrap beside it; what happened or
//! did not by the exact McNemar test and Newcombe's interval. P-values of the primary metrics are
//! corrected by Holm over the declared family; everything else is exploratory.

mod declared;
mod language;
mod measured;
mod pairs;

pub use declared::Declared;
pub use language::{CompareText, Family, Margin, PrecisionText};
pub use measured::{Measured, Source};
pub use pairs::{Method, Pair, compare};
