//! When enough seeds have run: at a checkpoint at which every primary metric is precise.

use super::measured::Measured;
use crate::experiment::campaign::{Campaign, RUNS_MAX};
use crate::experiment::run::RunResult;
use crate::experiment::statistics::interval::mean_interval;
use crate::experiment::statistics::proportion::wilson;
use crate::experiment::statistics::sequential::{CHECKPOINTS, Precision, Progress, progress};
use crate::experiment::statistics::{CONFIDENCE, Estimate};

/// Whether the declared precision was reached, and where it was not.
#[derive(Clone, Debug, PartialEq)]
pub struct PrecisionReached {
    /// Seeds that ran.
    pub seeds: u64,
    /// The primary metrics of cells whose intervals are still too wide.
    pub missed: Vec<Missed>,
}

/// A primary metric of a cell whose interval is too wide.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    /// The index of the cell in the campaign.
    pub cell: usize,
    /// The metric.
    pub metric: String,
    /// Half of the width of its interval.
    pub half_width: f64,
}

/// What the seeds that ran have come to; `None` if no precision is declared.
///
/// `results` are those of the whole campaign in the order of their numbers. It depends on nothing
/// else, so any number of workers stops at the same seed.
pub(super) fn precision(campaign: &Campaign, results: &[RunResult]) -> Option<PrecisionReached> {
    let missed = estimates(campaign, results)?
        .into_iter()
        .filter(|looked| !looked.precision.reached(&looked.estimate))
        .map(|looked| Missed {
            cell: looked.cell,
            metric: looked.metric,
            half_width: looked.estimate.interval.half_width(),
        });
    Some(PrecisionReached { seeds: campaign.seeds.len() as u64, missed: missed.collect() })
}

/// How many seeds to run next; `None` if these are enough, or the last, or if more
/// would be too many runs.
#[must_use]
pub fn next_seeds(campaign: &Campaign, results: &[RunResult]) -> Option<u64> {
    if !campaign.adds_seeds {
        return None;
    }
    let precise: Vec<(Estimate, Precision)> = estimates(campaign, results)?
        .into_iter()
        .map(|looked| (looked.estimate, looked.precision))
        .collect();
    match progress(campaign.seeds.len() as u64, &precise) {
        Progress::Continue(seeds) => fits(campaign, seeds).then_some(seeds),
        Progress::Reached | Progress::NotReached => None,
    }
}

/// Up to how many seeds may be run until the precision is reached; `None` if none are added.
#[must_use]
pub fn seeds_added(campaign: &Campaign) -> Option<u64> {
    let more = |seeds: &u64| *seeds > campaign.seeds.len() as u64 && fits(campaign, *seeds);
    CHECKPOINTS.into_iter().rfind(more).filter(|_| campaign.adds_seeds)
}

/// Whether so many seeds are not too many runs.
fn fits(campaign: &Campaign, seeds: u64) -> bool {
    let fits = campaign.cells.len() as u64 * seeds <= RUNS_MAX as u64;
    fits && campaign.seeds[0].checked_add(seeds).is_some()
}

/// A primary metric of a cell, and how precise it has to be.
struct Looked {
    cell: usize,
    metric: String,
    estimate: Estimate,
    precision: Precision,
}

/// Every primary metric of every cell that any run has a value of, and how precise it has to be.
fn estimates(campaign: &Campaign, results: &[RunResult]) -> Option<Vec<Looked>> {
    let text = campaign.declared.precision?;
    let seeds = campaign.seeds.len();
    let of_cell = |index: usize| {
        let runs = &results[index * seeds..(index + 1) * seeds];
        let estimate = |measured: &Measured| {
            let estimate = estimate(measured, runs)?;
            let precision = measured.precision(text);
            Some(Looked { cell: index, metric: measured.name.clone(), estimate, precision })
        };
        campaign.declared.primary.iter().filter_map(estimate).collect::<Vec<_>>()
    };
    Some((0..campaign.cells.len()).flat_map(of_cell).collect())
}

fn estimate(measured: &Measured, runs: &[RunResult]) -> Option<Estimate> {
    let values: Vec<f64> = runs.iter().filter_map(|run| measured.value(run)).collect();
    if measured.is_event() {
        let happened = values.iter().filter(|value| **value > 0.5).count();
        return wilson(happened as u64, values.len() as u64, CONFIDENCE).ok();
    }
    mean_interval(&values, CONFIDENCE).ok()
}
