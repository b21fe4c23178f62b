//! Rank and Pareto front: which arms are not beaten by another in everything that is declared.

use super::losses::Lost;
use super::measured::{Measured, Source};
use super::modes::{Modes, modes};
use super::pairs::Both;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::metric::MetricId;
use crate::statistics::CONFIDENCE;
use crate::statistics::moments::moments;
use crate::statistics::paired::paired_t;

/// One arm at one point, by the metrics of the front.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The index of its cell in the campaign.
    pub cell: usize,
    /// Its mean by each metric; `None` where a run has no value.
    pub means: Vec<Option<f64>>,
    /// By each metric the runs that collapsed and the others apart, where there are both.
    pub modes: Vec<Option<Modes>>,
    /// Its rank among the arms by each metric, the best is 1; equal means share the better rank,
    /// and an arm that looks better because it lost more is not before it.
    pub ranks: Vec<Option<usize>>,
    /// What it lost more of than an arm than which it looks better; the baseline of each is the one
    /// of these arms that lost least.
    pub lost: Vec<Lost>,
    /// The cell of an arm at the same point that beats it; `None` for an arm on the front.
    pub dominated_by: Option<usize>,
}

/// Places every arm among those at the same point, in the order of the cells; empty if the
/// experiment declares no front.
///
/// An arm beats another if its mean is at least as good by every metric, and by one of them the 95%
/// interval of their paired difference lies beyond 0: two arms that cannot be told apart are both
/// on the front. What it lost more of takes that away as it takes a verdict away.
pub(super) fn front(campaign: &Campaign, results: &[RunResult]) -> Vec<Placed> {
    if campaign.declared.pareto.is_empty() {
        return Vec::new();
    }
    let arms = campaign.experiment.arms.len();
    let points = (0..campaign.cells.len()).step_by(arms);
    points.flat_map(|first| Rivals::new(campaign, results, first).placed()).collect()
}

/// The arms of one point.
struct Rivals<'a> {
    campaign: &'a Campaign,
    results: &'a [RunResult],
    /// The cell of the first.
    first: usize,
    /// Of each arm its runs by each metric.
    arms: Vec<Vec<Good>>,
}

impl Rivals<'_> {
    fn new<'a>(campaign: &'a Campaign, results: &'a [RunResult], first: usize) -> Rivals<'a> {
        let goodness = |cell: usize| -> Vec<Good> {
            let runs = campaign.runs_of(results, cell);
            let of = |measured: &Measured| Good::new(measured, &campaign.cells[cell], runs);
            campaign.declared.pareto.iter().map(of).collect()
        };
        let arms = (first..first + campaign.experiment.arms.len()).map(goodness).collect();
        Rivals { campaign, results, first, arms }
    }

    fn placed(&self) -> Vec<Placed> {
        let metrics = &self.campaign.declared.pareto;
        let mut all: Vec<Placed> = (0..self.arms.len()).map(|arm| self.unranked(arm)).collect();
        for metric in 0..metrics.len() {
            for arm in 0..self.arms.len() {
                for other in 0..self.arms.len() {
                    let Some(gap) = self.gap(arm, other, metric) else { continue };
                    let mut taken = self.lost_more(arm, other, metric);
                    // What the front has itself stands beside it, with a rank of its own.
                    taken.retain(|lost| metrics.iter().all(|it| it.name != lost.metric));
                    taken.retain(|lost| lost.outweighs(gap, 0.0));
                    if taken.is_empty() {
                        all[other].ranks[metric].iter_mut().for_each(|rank| *rank += 1);
                    }
                    taken.into_iter().for_each(|lost| note(&mut all[arm].lost, lost));
                }
            }
        }
        all
    }

    /// The place of an arm as if no other were before it.
    fn unranked(&self, arm: usize) -> Placed {
        let (campaign, metrics) = (self.campaign, &self.campaign.declared.pareto);
        let (cell, own) = (self.first + arm, &self.arms[arm]);
        let mean =
            |(measured, good): (&Measured, &Good)| Some(-measured.better.badness(good.mean()?));
        let beaten_by = (0..self.arms.len()).find(|&rival| self.beats(rival, arm));
        Placed {
            cell,
            means: metrics.iter().zip(own).map(mean).collect(),
            modes: metrics.iter().map(|it| modes(campaign, self.results, cell, it)).collect(),
            ranks: own.iter().map(|good| good.mean().map(|_| 1)).collect(),
            lost: Vec::new(),
            dominated_by: beaten_by.map(|rival| self.first + rival),
        }
    }

    /// By how much an arm is better than another by a metric, as it looks; `None` if it is not.
    fn gap(&self, arm: usize, other: usize, metric: usize) -> Option<f64> {
        let [arm, other] = [arm, other].map(|arm| &self.arms[arm][metric]);
        let gap = arm.mean()? - other.mean()?;
        let is_better = arm.never < other.never || (arm.never == other.never && gap > 0.0);
        is_better.then_some(gap)
    }

    /// Of what an arm lost more than another, of all that makes a metric look better.
    fn lost_more(&self, arm: usize, other: usize, metric: usize) -> Vec<Lost> {
        let (campaign, results) = (self.campaign, self.results);
        let (cell, baseline) = (self.first + arm, self.first + other);
        let both = Both::of(campaign, results, cell, baseline);
        let lost = both.lost(&campaign.declared.pareto[metric]).into_iter();
        lost.filter(Lost::is_more).collect()
    }

    fn beats(&self, rival: usize, arm: usize) -> bool {
        let mut gaps = Vec::new();
        for (rival, arm) in self.arms[rival].iter().zip(&self.arms[arm]) {
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
            gaps.push(paired.difference);
        }
        if gaps.iter().all(|gap| gap.interval.low <= 0.0) {
            return false;
        }
        let mut is_clear = false;
        for (metric, gap) in gaps.iter().enumerate() {
            let more = self.lost_more(rival, arm, metric);
            // As good as the other is enough here, if all that is open went badly.
            if more.iter().any(|lost| lost.open.is_none_or(|open| gap.mean < open)) {
                return false;
            }
            let low = gap.interval.low;
            is_clear |= low > 0.0 && !more.iter().any(|lost| lost.outweighs(low, 0.0));
        }
        is_clear
    }
}

/// Keeps of what was lost once, with the arm that lost least.
fn note(noted: &mut Vec<Lost>, lost: Lost) {
    let gap = |lost: &Lost| (lost.mean - lost.baseline_mean).abs();
    match noted.iter_mut().find(|known| known.metric == lost.metric) {
        None => noted.push(lost),
        Some(known) if gap(&lost) > gap(known) => *known = lost,
        Some(_) => {}
    }
}

/// The runs of an arm by one metric, turned so that more is better.
struct Good {
    /// Of the time to recovery, how many runs never recovered: an arm of which more did is better,
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
        let value = |run| Some(-measured.better.badness(measured.value(run)?));
        Good { never: runs.iter().filter(never).count(), values: runs.iter().map(value).collect() }
    }

    /// The mean of the runs that have a value; `None` if one that came back has none.
    fn mean(&self) -> Option<f64> {
        let found: Vec<f64> = self.values.iter().copied().flatten().collect();
        let is_whole = found.len() + self.never == self.values.len();
        is_whole.then(|| moments(&found).ok().map(|moments| moments.mean))?
    }
}
