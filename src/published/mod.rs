//! Published figures: what others measured, and whether runs agree with it.
//!
//! A CSV file has a row for each figure. Which cell of an experiment and which number of a run a
//! row is about is `experiment::validation`'s to say.

mod figure;
mod read;
pub mod verdict;

pub use figure::{Figure, Reading, Statistic, Tolerance};
pub(crate) use read::{Row, rows};
