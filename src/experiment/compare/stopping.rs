//! When enough seeds have run: at a checkpoint at which every primary metric is precise, and so is
//! its difference from the baseline, which is what is asked about.

use super::language::PrecisionText;
use super::measured::{Measured, Source};
use super::pairs::Both;
use crate::experiment::plan::campaign::{Campaign, RUNS_MAX};
use crate::experiment::run::result::RunResult;
use crate::metric::Unit;
use crate::statistics::interval::mean_interval;
use crate::statistics::proportion::wilson;
use crate::statistics::sequential::{CHECKPOINTS, Precision, Progress, progress};
use crate::statistics::{CONFIDENCE, Estimate, Interval};

/// Whether the declared precision was reached, and where it was not.
#[derive(Clone, Debug, PartialEq)]
pub struct PrecisionReached {
    /// Seeds that ran.
    pub seeds: u64,
    /// Whether any run has a value of what is compared.
    pub is_known: bool,
    /// The primary metrics of cells, and their differences, whose intervals are still too wide.
    pub missed: Vec<Missed>,
}

/// A primary metric of a cell, or its difference from the baseline, whose interval is too wide.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    /// The index of the cell in the campaign.
    pub cell: usize,
    /// The index of the baseline's, if it is the difference from it.
    pub baseline: Option<usize>,
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
    let estimates = estimates(campaign, results)?;
    let is_known = !estimates.is_empty();
    let missed = estimates
        .into_iter()
        .filter(|looked| !looked.precision.reached(&looked.estimate))
        .map(|looked| Missed {
            cell: looked.cell,
            baseline: looked.baseline,
            metric: looked.metric,
            half_width: looked.estimate.interval.half_width(),
        });
    let missed: Vec<Missed> = missed.collect();
    Some(PrecisionReached { seeds: campaign.seeds.len() as u64, is_known, missed })
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

/// A primary metric of a cell or of a difference, and how precise it has to be.
struct Looked {
    cell: usize,
    baseline: Option<usize>,
    metric: String,
    estimate: Estimate,
    precision: Precision,
}

/// Every primary metric of every cell that any run has a value of, then its difference from the
/// baseline at the same point, and how precise each has to be.
fn estimates(campaign: &Campaign, results: &[RunResult]) -> Option<Vec<Looked>> {
    let text = campaign.declared.precision?;
    let arms = campaign.experiment.arms.len();
    let of_cell = |cell: usize| {
        let runs = campaign.runs_of(results, cell);
        let baseline = cell / arms * arms + campaign.declared.baseline;
        let both = Both::of(campaign, results, cell, baseline);
        let mut looked = Vec::new();
        for measured in &campaign.declared.primary {
            let metric = measured.name.clone();
            let seen = seen(measured);
            if let Some(estimate) = estimate(&seen, runs) {
                let (precision, metric) = (seen.precision(text), metric.clone());
                looked.push(Looked { cell, baseline: None, metric, estimate, precision });
            }
            if cell != baseline {
                let found = difference(&both, measured, text);
                looked.extend(found.map(|(estimate, precision)| {
                    let baseline = Some(baseline);
                    Looked { cell, baseline, metric, estimate, precision }
                }));
            }
        }
        looked
    };
    Some((0..campaign.cells.len()).flat_map(of_cell).collect())
}

/// What is looked at of a cell: of a promise whether runs break it, as most never do, and no number
/// of runs makes a rate of nothing precise.
fn seen(measured: &Measured) -> Measured {
    match measured.source {
        Source::Rate(index) => {
            Measured { source: Source::Violated(index), unit: Unit::Share, ..measured.clone() }
        }
        _ => measured.clone(),
    }
}

/// The difference from the baseline, and how precise it has to be: a share as it is, an amount as a
/// share of the larger of the two means. A promise that some runs of both arms keep is looked at by
/// the share of runs. `None` if no pair has a value.
fn difference(
    both: &Both<'_>,
    measured: &Measured,
    text: PrecisionText,
) -> Option<(Estimate, Precision)> {
    let mut pair = both.compare(measured, false);
    let mut precision = measured.precision(text);
    if pair.is_promise() {
        let seen = seen(measured);
        let runs = both.compare(&seen, false);
        if runs.mean? < 1.0 && runs.baseline_mean? < 1.0 {
            precision = seen.precision(text);
            pair = runs;
        }
    }
    let larger = pair.mean?.abs().max(pair.baseline_mean?.abs());
    let precision = match precision {
        Precision::Relative(share) => Precision::Absolute(share * larger),
        Precision::Absolute(_) => precision,
    };
    let interval = pair.interval.unwrap_or(Interval::UNBOUNDED);
    Some((Estimate { mean: pair.difference?, interval, n: pair.pairs }, precision))
}

fn estimate(measured: &Measured, runs: &[RunResult]) -> Option<Estimate> {
    let values: Vec<f64> = runs.iter().filter_map(|run| measured.value(run)).collect();
    if measured.is_event() {
        let happened = values.iter().filter(|value| **value > 0.5).count();
        return wilson(happened as u64, values.len() as u64, CONFIDENCE).ok();
    }
    mean_interval(&values, CONFIDENCE).ok()
}
