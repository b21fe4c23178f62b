//! Rank and Pareto front: which arms are not beaten by another in everything that is declared.

use super::measured::Measured;
use super::modes::{Modes, modes};
use crate::experiment::campaign::Campaign;
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
    let goodness = |cell: usize| -> Vec<Option<Vec<f64>>> {
        let runs = &results[cell * seeds..(cell + 1) * seeds];
        let values = |measured: &Measured| {
            let value = |run| measured.value(&campaign.cells[cell], run);
            runs.iter().map(|run| Some(value(run)? * sign(measured))).collect()
        };
        metrics.iter().map(values).collect()
    };
    let cells: Vec<Vec<Option<Vec<f64>>>> = (0..campaign.cells.len()).map(goodness).collect();
    (0..cells.len())
        .map(|cell| {
            let first = cell / arms * arms;
            let mut rivals = first..first + arms;
            Placed {
                cell,
                means: metrics
                    .iter()
                    .zip(&cells[cell])
                    .map(|(measured, values)| Some(mean(values)? * sign(measured)))
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

fn mean(values: &Option<Vec<f64>>) -> Option<f64> {
    Some(moments(values.as_ref()?).ok()?.mean)
}

fn rank(arms: &[Vec<Option<Vec<f64>>>], arm: usize, metric: usize) -> Option<usize> {
    let own = mean(&arms[arm][metric])?;
    let better = arms.iter().filter_map(|other| mean(&other[metric])).filter(|it| *it > own);
    Some(better.count() + 1)
}

fn beats(rival: &[Option<Vec<f64>>], arm: &[Option<Vec<f64>>]) -> bool {
    let mut is_clear = false;
    for (rival, arm) in rival.iter().zip(arm) {
        let (Some(rival), Some(arm)) = (rival, arm) else { return false };
        let Ok(paired) = paired_t(rival, arm, CONFIDENCE) else { return false };
        if paired.difference.mean < 0.0 {
            return false;
        }
        is_clear |= paired.difference.interval.low > 0.0;
    }
    is_clear
}
