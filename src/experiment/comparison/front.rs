//! Rank and Pareto front: which arms are not beaten by another in everything that is declared.

use super::measured::{Measured, Source};
use super::modes::{Modes, modes};
use crate::experiment::campaign::{Campaign, Cell};
use crate::experiment::metrics::MetricId;
use crate::experiment::run::RunResult;
use crate::experiment::statistics::CONFIDENCE;
use crate::experiment::statistics::moments::moments;
use crate::experiment::statistics::paired::paired_t;
use crate::experiment::statistics::verdict::Direction;

/// One arm at one point, by the metrics of the front.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The index of its cell in the campaign.
    pub cell: usize,
    /// Its mean by each metric; `None` where a run has no value.
    pub means: Vec<Option<f64>>,
    /// By each metric the runs that collapsed and the others apart, where there are both.
    pub modes: Vec<Option<Modes>>,
    /// Its rank among the arms by each metric, the best is 1; equal means share the better rank.
    pub ranks: Vec<Option<usize>>,
    /// The cell of an arm at the same point that beats it; `None` for an arm on the front.
    pub dominated_by: Option<usize>,
}

/// Places every arm among those at the same point, in the order of the cells; empty if the
/// experiment declares no front.
///
/// An arm beats another if its mean is at least as good by every metric, and by one of them the 95%
/// interval of their paired difference lies beyond 0: two arms that cannot be told apart are both
/// on the front.
pub(super) fn front(campaign: &Campaign, results: &[RunResult]) -> Vec<Placed> {
    let metrics = &campaign.declared.pareto;
    if metrics.is_empty() {
        return Vec::new();
    }
    let (seeds, arms) = (campaign.seeds.len(), campaign.experiment.arms.len());
    let goodness = |cell: usize| -> Vec<Good> {
        let runs = &results[cell * seeds..(cell + 1) * seeds];
        let of = |measured: &Measured| Good::new(measured, &campaign.cells[cell], runs);
        metrics.iter().map(of).collect()
    };
    let cells: Vec<Vec<Good>> = (0..campaign.cells.len()).map(goodness).collect();
    (0..cells.len())
        .map(|cell| {
            let first = cell / arms * arms;
            let mut rivals = first..first + arms;
            Placed {
                cell,
                means: metrics
                    .iter()
                    .zip(&cells[cell])
                    .map(|(measured, good)| Some(good.mean()? * sign(measured)))
                    .collect(),
                modes: metrics
                    .iter()
                    .map(|measured| modes(campaign, results, cell, measured))
                    .collect(),
                ranks: (0..metrics.len())
                    .map(|metric| rank(&cells[first..first + arms], cell - first, metric))
                    .collect(),
                dominated_by: rivals.find(|&rival| beats(&cells[rival], &cells[cell])),
            }
        })
        .collect()
}

/// 1 where more is better, -1 where less is, so that more is always better.
fn sign(measured: &Measured) -> f64 {
    match measured.better {
        Direction::Higher => 1.0,
        Direction::Lower => -1.0,
    }
}

/// The runs of an arm by one metric, turned so that more is better.
struct Good {
    /// Of the time to recovery, how many runs never came back: an arm of which more did is better,
    /// however fast those are that do. 0 of any other metric.
    never: usize,
    /// The values by seed; `None` where a run has none.
    values: Vec<Option<f64>>,
}

impl Good {
    fn new(measured: &Measured, cell: &Cell, runs: &[RunResult]) -> Good {
        let recovery = match measured.source {
            Source::Metric(index) => Some(&cell.metrics[index]),
            _ => None,
        };
        let recovery = recovery.filter(|metric| metric.id == MetricId::RecoveryS);
        let never = |run: &&RunResult| {
            recovery.is_some_and(|it| run.recovery_of(it.of).came_back() == Some(false))
        };
        let value = |run| Some(measured.value(run)? * sign(measured));
        Good { never: runs.iter().filter(never).count(), values: runs.iter().map(value).collect() }
    }

    /// The mean of the runs that have a value; `None` if one that came back has none.
    fn mean(&self) -> Option<f64> {
        let found: Vec<f64> = self.values.iter().copied().flatten().collect();
        let is_whole = found.len() + self.never == self.values.len();
        is_whole.then(|| moments(&found).ok().map(|moments| moments.mean))?
    }
}

fn rank(arms: &[Vec<Good>], arm: usize, metric: usize) -> Option<usize> {
    let own = &arms[arm][metric];
    let mean = own.mean()?;
    let is_better = |other: &&Good| {
        let fewer = other.never < own.never;
        fewer || (other.never == own.never && other.mean().is_some_and(|other| other > mean))
    };
    Some(arms.iter().map(|other| &other[metric]).filter(is_better).count() + 1)
}

fn beats(rival: &[Good], arm: &[Good]) -> bool {
    let mut is_clear = false;
    for (rival, arm) in rival.iter().zip(arm) {
        let pairs = rival.values.iter().zip(&arm.values);
        let both = pairs.filter_map(|(a, b)| Some(((*a)?, (*b)?)));
        let (first, second): (Vec<f64>, Vec<f64>) = both.unzip();
        if rival.mean().is_none() || arm.mean().is_none() || rival.never > arm.never {
            return false;
        }
        let Ok(paired) = paired_t(&first, &second, CONFIDENCE) else { return false };
        if paired.difference.mean < 0.0 && rival.never == arm.never {
            return false;
        }
        is_clear |= paired.difference.interval.low > 0.0;
    }
    is_clear
}
