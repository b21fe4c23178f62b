//! The runs of a campaign on all cores, those that are in the journal left out.

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::Failure;
use super::journal::Journal;
use crate::experiment::campaign::Campaign;
use crate::experiment::run::RunResult;

/// Runs everything that is not `known`; the results are in the order of their numbers, whoever was
/// first.
pub(super) fn run_all(
    campaign: &Campaign,
    workers: Option<u16>,
    journal: &Journal,
    bar: &ProgressBar,
    mut known: Vec<Option<RunResult>>,
) -> Result<Vec<RunResult>, Failure> {
    let pool = pool(workers)?;
    known.resize_with(campaign.runs(), || None);
    let finished = |(number, known): (usize, Option<RunResult>)| match known {
        Some(result) => Ok(result),
        None => run_one(campaign, journal, bar, number, |_| {}),
    };
    pool.install(|| known.into_par_iter().enumerate().map(finished).collect())
}

/// Runs the runs of these numbers, without their time series; the results are in this order.
pub(super) fn run_some(
    campaign: &Campaign,
    pool: &rayon::ThreadPool,
    journal: &Journal,
    bar: &ProgressBar,
    numbers: Vec<usize>,
) -> Result<Vec<RunResult>, Failure> {
    // A search has so many runs that their series would fill memory and disk, and writes none.
    let without_series = |result: &mut RunResult| result.metrics.windows = Vec::new();
    let finished = |number| run_one(campaign, journal, bar, number, without_series);
    pool.install(|| numbers.into_par_iter().map(finished).collect())
}

/// Runs one run, or takes it from the journal. `trim` takes away what is not needed of it.
fn run_one(
    campaign: &Campaign,
    journal: &Journal,
    bar: &ProgressBar,
    number: usize,
    trim: impl Fn(&mut RunResult),
) -> Result<RunResult, Failure> {
    if let Some(result) = journal.take(campaign.cell_and_seed(number)) {
        return Ok(result);
    }
    let mut result = campaign.run(number);
    trim(&mut result);
    journal.append(&result)?;
    result.keep_what_is_written();
    bar.inc(1);
    Ok(result)
}

/// Threads for so many runs at once; one for each core if nobody says how many.
pub(super) fn pool(workers: Option<u16>) -> Result<rayon::ThreadPool, Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(workers.map_or(0, usize::from))
        .build()
        .map_err(|error| Failure::Machine(format!("error: cannot start the workers: {error}")))
}
