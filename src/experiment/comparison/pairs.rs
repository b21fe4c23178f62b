//! The paired comparison of every arm with the baseline, at every point, by every metric.

use super::language::{Family, Margin};
use super::measured::Measured;
use super::modes::{Modes, modes};
use crate::experiment::campaign::Campaign;
use crate::experiment::run::RunResult;
use crate::experiment::statistics::bootstrap::{self, Source};
use crate::experiment::statistics::moments::moments;
use crate::experiment::statistics::multiplicity::holm;
use crate::experiment::statistics::paired::{paired_t, ratio_of_means};
use crate::experiment::statistics::paired_proportion::{
    PairedCounts, mcnemar_exact, newcombe_paired,
};
use crate::experiment::statistics::verdict::{Direction, Region, Verdict, verdict};
use crate::experiment::statistics::{CONFIDENCE, Error, Interval};
use crate::kernel::digest::digest_of;

/// One arm against the baseline at one point, by one metric: arm - baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The index of the arm's cell in the campaign.
    pub cell: usize,
    /// The index of the baseline's.
    pub baseline: usize,
    /// What is compared.
    pub metric: String,
    /// Whether it belongs to the declared family; otherwise it is exploratory.
    pub is_primary: bool,
    /// How it was compared.
    pub method: Method,
    /// Which way it is good.
    pub better: Direction,
    /// Seeds under which both have a value.
    pub pairs: u64,
    /// Seeds under which one has none.
    pub missing: u64,
    /// The arm's mean over these seeds.
    pub mean: Option<f64>,
    /// The baseline's.
    pub baseline_mean: Option<f64>,
    /// The arm's runs that collapsed and the others apart, where there are both.
    pub modes: Option<Modes>,
    /// The baseline's.
    pub baseline_modes: Option<Modes>,
    /// The mean difference: exactly 0 for an arm and itself.
    pub difference: Option<f64>,
    /// Its interval, Student's or Newcombe's; `None` for fewer than two pairs.
    pub interval: Option<Interval>,
    /// Its BCa bootstrap interval, of primary amounts.
    pub bootstrap: Option<Interval>,
    /// The two-sided p-value of no difference.
    pub p: Option<f64>,
    /// The same, corrected over the declared family.
    pub p_holm: Option<f64>,
    /// The mean difference in standard deviations of the differences: Cohen's d_z.
    pub effect_size: Option<f64>,
    /// The arm's mean over the baseline's.
    pub ratio: Option<f64>,
    /// Its BCa bootstrap interval, of primary amounts.
    pub ratio_interval: Option<Interval>,
    /// The differences that make no difference in practice.
    pub equivalent: Option<Interval>,
    /// What may be said.
    pub verdict: Verdict,
}

/// How two arms are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// An amount: Student's t of paired differences.
    PairedT,
    /// Whether something happened: exact McNemar, Newcombe's interval.
    McNemar,
}

impl Method {
    /// The word for files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::PairedT => "paired t",
            Method::McNemar => "mcnemar",
        }
    }
}

/// Compares every arm with the baseline: by point, then arm, then metric, primary ones first.
///
/// `results` are those of the whole campaign in the order of their numbers.
pub(super) fn pairs(campaign: &Campaign, results: &[RunResult]) -> Vec<Pair> {
    let (declared, arms) = (&campaign.declared, campaign.experiment.arms.len());
    let mut pairs = Vec::new();
    for first in (0..campaign.cells.len()).step_by(arms) {
        let baseline = first + declared.baseline;
        for cell in (first..first + arms).filter(|cell| *cell != baseline) {
            let both = Both { campaign, results, cell, baseline };
            pairs.extend(declared.primary.iter().map(|measured| both.compare(measured, true)));
            pairs.extend(declared.exploratory.iter().map(|measured| both.compare(measured, false)));
        }
    }
    correct(campaign, &mut pairs);
    for pair in &mut pairs {
        pair.verdict = judge(pair);
    }
    pairs
}

/// Two cells and their runs.
struct Both<'a> {
    campaign: &'a Campaign,
    results: &'a [RunResult],
    cell: usize,
    baseline: usize,
}

impl Both<'_> {
    fn values(&self, measured: &Measured, cell: usize) -> Vec<Option<f64>> {
        let seeds = self.campaign.seeds.len();
        let runs = &self.results[cell * seeds..(cell + 1) * seeds];
        runs.iter().map(|run| measured.value(&self.campaign.cells[cell], run)).collect()
    }

    fn compare(&self, measured: &Measured, is_primary: bool) -> Pair {
        let arm = self.values(measured, self.cell);
        let baseline = self.values(measured, self.baseline);
        let whole = arm.iter().zip(&baseline).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
        let (first, second): (Vec<f64>, Vec<f64>) = whole.unzip();
        let mean = |sample: &[f64]| moments(sample).ok().map(|moments| moments.mean);
        let mut pair = Pair {
            cell: self.cell,
            baseline: self.baseline,
            metric: measured.name.clone(),
            is_primary,
            method: if measured.is_event() { Method::McNemar } else { Method::PairedT },
            better: measured.better,
            pairs: first.len() as u64,
            missing: (arm.len() - first.len()) as u64,
            mean: mean(&first),
            baseline_mean: mean(&second),
            modes: modes(self.campaign, self.results, self.cell, measured),
            baseline_modes: modes(self.campaign, self.results, self.baseline, measured),
            difference: None,
            interval: None,
            bootstrap: None,
            p: None,
            p_holm: None,
            effect_size: None,
            ratio: ratio_of_means(&first, &second).ok(),
            ratio_interval: None,
            equivalent: None,
            verdict: Verdict::Undecided,
        };
        pair.equivalent = region(measured.equivalent, pair.baseline_mean);
        match pair.method {
            Method::PairedT => amounts(&mut pair, &first, &second),
            Method::McNemar => events(&mut pair, &first, &second),
        }
        if is_primary && pair.method == Method::PairedT {
            self.bootstrap(&mut pair, &first, &second);
        }
        pair
    }

    /// Bootstraps in a random stream of this comparison's own, so that the same comparison of the
    /// same values gives the same interval, whatever else is compared.
    fn bootstrap(&self, pair: &mut Pair, first: &[f64], second: &[f64]) {
        let cells = &self.campaign.cells;
        let (arm, baseline) = (&cells[self.cell], &cells[self.baseline]);
        let name = [&arm.point, &arm.arm, &baseline.arm, &pair.metric].map(String::as_str);
        let seed = digest_of(&name.join("\n")).0 as u64;
        let source = |stream: u64| Source { seed, stream };
        let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
        let interval = |estimate: Result<crate::experiment::statistics::Estimate, Error>| {
            estimate.ok().map(|estimate| estimate.interval)
        };
        pair.bootstrap = interval(bootstrap::mean(&differences, CONFIDENCE, source(1)));
        pair.ratio_interval =
            interval(bootstrap::ratio_of_means(first, second, CONFIDENCE, source(2)));
    }
}

fn region(margin: Margin, baseline: Option<f64>) -> Option<Interval> {
    let region = match margin {
        Margin::Absolute(margin) => Region::absolute(margin),
        Margin::Relative(share) => Region::relative(share, baseline?),
    };
    region.ok().map(|region| region.interval())
}

fn amounts(pair: &mut Pair, first: &[f64], second: &[f64]) {
    match paired_t(first, second, CONFIDENCE) {
        Ok(paired) => {
            pair.difference = Some(paired.difference.mean);
            pair.interval = Some(paired.difference.interval);
            pair.p = Some(paired.p);
            pair.effect_size = Some(paired.effect_size);
        }
        // One pair differs by something, but nothing is known of how it would vary.
        Err(_) => pair.difference = pair.mean.zip(pair.baseline_mean).map(|(a, b)| a - b),
    }
}

fn events(pair: &mut Pair, first: &[f64], second: &[f64]) {
    let happened = |sample: &[f64]| -> Vec<bool> { sample.iter().map(|v| *v > 0.5).collect() };
    let Ok(counts) = PairedCounts::count(&happened(first), &happened(second)) else { return };
    if let Ok(difference) = newcombe_paired(counts, CONFIDENCE) {
        pair.difference = Some(difference.mean);
        pair.interval = Some(difference.interval);
        pair.p = Some(mcnemar_exact(counts.first_only, counts.second_only));
    }
}

/// Holm's correction over the declared family; a primary comparison without a p-value counts as one
/// that shows nothing.
fn correct(campaign: &Campaign, pairs: &mut [Pair]) {
    let arms = campaign.experiment.arms.len();
    let family_of = |pair: &Pair| match campaign.declared.family {
        Family::Campaign => 0,
        Family::Point => pair.cell / arms,
    };
    for family in 0..campaign.cells.len() / arms {
        let members: Vec<usize> = (0..pairs.len())
            .filter(|&index| pairs[index].is_primary && family_of(&pairs[index]) == family)
            .collect();
        let p_values: Vec<f64> =
            members.iter().map(|&index| pairs[index].p.unwrap_or(1.0)).collect();
        let corrected = holm(&p_values).expect("p-values are between 0 and 1");
        for (index, p) in members.into_iter().zip(corrected) {
            pairs[index].p_holm = pairs[index].p.map(|_| p);
        }
    }
}

/// What may be said: only what both intervals say, of primary metrics only what is left after the
/// correction, and nothing where a run had no value.
fn judge(pair: &Pair) -> Verdict {
    let (Some(interval), Some(equivalent)) = (pair.interval, pair.equivalent) else {
        return Verdict::Undecided;
    };
    let Ok(region) = Region::absolute(equivalent.high) else { return Verdict::Undecided };
    let said = verdict(interval, region, pair.better);
    let confirmed = pair.bootstrap.is_none_or(|other| verdict(other, region, pair.better) == said);
    let by_chance = pair.p_holm.is_some_and(|p| p > 1.0 - CONFIDENCE);
    match said {
        _ if pair.missing > 0 || !confirmed => Verdict::Undecided,
        Verdict::Better | Verdict::Worse if by_chance => Verdict::Undecided,
        said => said,
    }
}
