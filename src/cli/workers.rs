//! The runs of a campaign on all cores, those that are in the journal left out.

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::Failure;
use super::journal::Journal;
use crate::experiment::campaign::Campaign;
use crate::experiment::run::RunResult;

/// Runs everything; the results are in the order of their numbers, whoever was first.
pub(super) fn run_all(
    campaign: &Campaign,
    workers: Option<u16>,
    journal: &Journal,
    bar: &ProgressBar,
) -> Result<Vec<RunResult>, Failure> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers.map_or(0, usize::from))
        .build()
        .map_err(|error| Failure::Machine(format!("error: cannot start the workers: {error}")))?;
    let finished = |number| {
        if let Some(result) = journal.take(campaign.cell_and_seed(number)) {
            return Ok(result);
        }
        let mut result = campaign.run(number);
        journal.append(&result)?;
        // They would be most of the memory of a large campaign.
        result.checkpoints = Vec::new();
        bar.inc(1);
        Ok(result)
    };
    let results = pool.install(|| (0..campaign.runs()).into_par_iter().map(finished).collect());
    bar.finish_and_clear();
    results
}
