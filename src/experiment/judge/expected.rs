//! How the runs of a cell meet what is expected of them.

use super::expect::Expectation;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;

/// How the runs of one cell meet one expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectationSummary {
    /// What is expected.
    pub text: String,
    /// Runs that are as expected.
    pub met: u64,
    /// Runs that are not; the others say nothing of it.
    pub unmet: u64,
}

/// How the runs of a cell meet each of its expectations.
pub(in crate::experiment) fn summarise_expectations(
    cell: &Cell,
    runs: &[RunResult],
) -> Vec<ExpectationSummary> {
    let with = |place: usize, met: bool| {
        let judged = |run: &RunResult| run.expectations.get(place).and_then(|one| one.met);
        runs.iter().filter(|run| judged(run) == Some(met)).count() as u64
    };
    let numbered = cell.expect.iter().enumerate();
    let summary = |(place, expectation): (usize, &Expectation)| ExpectationSummary {
        text: expectation.to_string(),
        met: with(place, true),
        unmet: with(place, false),
    };
    numbered.map(summary).collect()
}
