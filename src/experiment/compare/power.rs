//! How many seeds a verdict of the declared size takes, from a pilot.

use crate::experiment::compare::language::Margin;
use crate::experiment::compare::measured::Measured;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;
use crate::statistics::CONFIDENCE;
use crate::statistics::moments::moments;
use crate::statistics::power::pairs_for_margin;

/// The power with which equal arms are to come out equivalent: the usual four of five (Cohen,
/// *Statistical Power Analysis*, 1988).
pub const POWER: f64 = 0.8;

/// What a pilot says of one arm against the baseline by one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Needed {
    /// The cell of the arm.
    pub cell: usize,
    /// The metric, by its name in results.
    pub metric: String,
    /// The standard deviation of the differences over the pilot's seeds.
    pub sd: f64,
    /// The difference that makes none in practice.
    pub margin: f64,
    /// How many seeds it takes; `None` where the margin is 0, which no number tells.
    pub seeds: Option<u64>,
}

/// What a pilot says of each arm against the baseline, by each primary metric of which it has
/// values, point by point. Over several comparisons the confidence is Bonferroni's, so that what
/// Holm's correction makes of them is no less sure.
#[must_use]
pub fn needed(campaign: &Campaign, pilot: &[RunResult]) -> Vec<Needed> {
    let (arms, baseline) = (campaign.experiment.arms.len(), campaign.declared.baseline);
    let cells = (0..campaign.cells.len()).filter(|cell| cell % arms != baseline);
    let compared: Vec<(usize, &Measured)> =
        cells.flat_map(|cell| campaign.declared.primary.iter().map(move |it| (cell, it))).collect();
    let error = (1.0 - CONFIDENCE) / compared.len().max(1) as f64;
    let one = |(cell, measured): (usize, &Measured)| {
        let beside = cell / arms * arms + baseline;
        let runs =
            |cell: usize| campaign.runs_of(pilot, cell).iter().map(|run| measured.value(run));
        let both = runs(cell).zip(runs(beside)).filter_map(|(arm, base)| Some((arm?, base?)));
        let (differences, bases): (Vec<f64>, Vec<f64>) =
            both.map(|(arm, base)| (arm - base, base)).unzip();
        let sd = moments(&differences).ok().filter(|_| differences.len() > 1)?.sd;
        let margin = match measured.equivalent {
            Margin::Absolute(margin) => margin,
            Margin::Relative(share) => share * moments(&bases).ok()?.mean.abs(),
        };
        let seeds = pairs_for_margin(sd, margin, 1.0 - error, POWER).ok();
        Some(Needed { cell, metric: measured.name.clone(), sd, margin, seeds })
    };
    compared.into_iter().filter_map(one).collect()
}
