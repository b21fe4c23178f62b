//! The paired comparison of every arm with the baseline, at every point, by every metric.

use super::judged::judge_all;
use super::language::Margin;
use super::losses::{Lost, lost};
use super::measured::{Measured, Source};
use super::modes::modes;
use super::pair::{Faults, Idle, Method, Pair};
use crate::experiment::measure::most::most;
use crate::experiment::measure::rate::variance_min_per_10_000;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;
use crate::kernel::digest::digest_of;
use crate::metric::Unit;
use crate::statistics::bootstrap;
use crate::statistics::bounded::{AWAY_MIN, RUNS_MIN};
use crate::statistics::equivalence::{equivalence_by_interval, equivalence_normal, equivalence_t};
use crate::statistics::moments::moments;
use crate::statistics::paired::{paired_t_at_least, ratio_of_means};
use crate::statistics::paired_proportion::{PairedCounts, mcnemar_exact, newcombe_paired};
use crate::statistics::rank::sign_flip_exact;
use crate::statistics::verdict::{Conclusion, Region};
use crate::statistics::{CONFIDENCE, Error, Estimate, Interval};

/// Compares every arm with the baseline: by point, then arm, then metric, primary ones first.
///
/// `results` are those of the whole campaign in the order of their numbers.
pub(super) fn pairs(campaign: &Campaign, results: &[RunResult]) -> Vec<Pair> {
    let (declared, arms) = (&campaign.declared, campaign.experiment.arms.len());
    let mut pairs = Vec::new();
    for first in (0..campaign.cells.len()).step_by(arms) {
        let baseline = first + declared.baseline;
        for cell in (first..first + arms).filter(|cell| *cell != baseline) {
            let both = Both::of(campaign, results, cell, baseline);
            pairs.extend(declared.primary.iter().map(|measured| both.compare(measured, true)));
            pairs.extend(declared.exploratory.iter().map(|measured| both.compare(measured, false)));
        }
    }
    judge_all(campaign, &mut pairs);
    pairs
}

/// Two cells and their runs.
pub(super) struct Both<'a> {
    pub(super) campaign: &'a Campaign,
    pub(super) results: &'a [RunResult],
    pub(super) cell: usize,
    pub(super) baseline: usize,
    untested: Vec<Faults>,
}

impl<'a> Both<'a> {
    pub(super) fn of(
        campaign: &'a Campaign,
        results: &'a [RunResult],
        cell: usize,
        baseline: usize,
    ) -> Both<'a> {
        let mut both = Both { campaign, results, cell, baseline, untested: Vec::new() };
        both.untested = [Faults::Listed, Faults::Random]
            .into_iter()
            .filter(|&faults| both.never_strike(faults))
            .collect();
        both
    }

    /// Whether an arm has such faults, and none of them had an effect in a run of either.
    fn never_strike(&self, faults: Faults) -> bool {
        let cells = [self.cell, self.baseline];
        let listed = |cell: usize| self.campaign.cells[cell].plan.faults.len();
        let has_any = |cell: usize| match faults {
            Faults::Listed => listed(cell) > 0,
            Faults::Random => self.campaign.cells[cell].random.is_some(),
        };
        let strikes = |cell: usize| {
            self.runs(cell).iter().any(|run| {
                let mut numbers = match faults {
                    Faults::Listed => 0..listed(cell),
                    Faults::Random => listed(cell)..listed(cell) + run.drawn.len(),
                };
                numbers.any(|number| run.metrics.times_fired(number) > 0)
            })
        };
        cells.into_iter().any(has_any) && !cells.into_iter().any(strikes)
    }

    fn runs(&self, cell: usize) -> &[RunResult] {
        self.campaign.runs_of(self.results, cell)
    }

    fn values(&self, measured: &Measured, cell: usize) -> Vec<Option<f64>> {
        self.runs(cell).iter().map(|run| measured.value(run)).collect()
    }

    /// Compares the two by one metric; corrections and the verdict are for all of them together.
    pub(super) fn compare(&self, measured: &Measured, is_primary: bool) -> Pair {
        let arm = self.values(measured, self.cell);
        let baseline = self.values(measured, self.baseline);
        let whole = arm.iter().zip(&baseline).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
        let (first, second): (Vec<f64>, Vec<f64>) = whole.unzip();
        let mean = |both: &[f64], own: &[Option<f64>]| {
            // One that has numbers is told by them, though there is nothing to compare it with.
            let own: Vec<f64> = own.iter().copied().flatten().collect();
            let sample = if both.is_empty() { own.as_slice() } else { both };
            moments(sample).ok().map(|moments| moments.mean)
        };
        let mut pair = Pair {
            cell: self.cell,
            baseline: self.baseline,
            metric: measured.name.clone(),
            source: measured.source.clone(),
            is_primary,
            method: if measured.is_event() { Method::McNemar } else { Method::PairedT },
            better: measured.better,
            pairs: first.len() as u64,
            missing: (arm.len() - first.len()) as u64,
            mean: mean(&first, &arm),
            baseline_mean: mean(&second, &baseline),
            modes: modes(self.campaign, self.results, self.cell, measured),
            baseline_modes: modes(self.campaign, self.results, self.baseline, measured),
            difference: None,
            interval: None,
            bootstrap: None,
            p: None,
            p_holm: None,
            p_equivalent: None,
            p_equivalent_holm: None,
            effect_size: None,
            ratio: ratio_of_means(&first, &second).ok(),
            ratio_interval: None,
            equivalent: None,
            lost: self.lost(measured),
            untested: self.untested.clone(),
            idle: self.idle(measured, self.cell),
            baseline_idle: self.idle(measured, self.baseline),
            verdict: Conclusion::Undecided,
        };
        pair.equivalent = region(measured.equivalent, pair.baseline_mean);
        match measured.source {
            Source::Rate(index) => rates(&mut pair, &first, &second, self.error_min(index)),
            Source::Metric(_) => {
                amounts(&mut pair, &first, &second, 0.0);
                if measured.unit == Unit::Share {
                    self.doubt(&mut pair, &first, &second);
                }
            }
            _ => events(&mut pair, &first, &second),
        }
        if !pair.untested.is_empty() {
            // Without what was to tell them apart arms are alike.
            pair.p_equivalent = None;
        }
        if measured.unit == Unit::Share {
            pair.interval = pair.interval.map(|it| it.within(-1.0, 1.0));
        }
        if let Some(most) = self.most(measured) {
            pair.interval = pair.interval.map(|it| it.within(-most, most));
        }
        if is_primary && pair.method == Method::PairedT && pair.interval.is_some() {
            self.bootstrap(&mut pair, &first, &second);
        }
        pair
    }

    /// The most that a number can be in one of the two, if that is known.
    fn most(&self, measured: &Measured) -> Option<f64> {
        let Source::Metric(index) = measured.source else { return None };
        let cells = [self.cell, self.baseline];
        let of = |cell: usize| {
            let own = &self.campaign.cells[cell];
            most(&own.metrics[index], own, self.runs(cell).iter())
        };
        cells.into_iter().filter_map(of).reduce(f64::max)
    }

    /// Of what one arm lost more than the other.
    pub(super) fn lost(&self, measured: &Measured) -> Vec<Lost> {
        let declared = &self.campaign.declared;
        let others = declared.primary.iter().chain(&declared.exploratory);
        let values =
            |other: &Measured| [self.values(other, self.cell), self.values(other, self.baseline)];
        lost(measured, &others, &self.campaign.cells[self.cell], values)
    }

    /// Why no run of a cell says how a promise was broken; `None` if one does, or of no promise.
    fn idle(&self, measured: &Measured, cell: usize) -> Option<Idle> {
        let (Source::Rate(index) | Source::Violated(index)) = measured.source else { return None };
        let verdicts = || self.runs(cell).iter().filter_map(|run| run.invariants.get(index));
        match verdicts().all(|verdict| verdict.exposure == 0) {
            false => None,
            true if verdicts().any(|verdict| verdict.unjudged > 0) => Some(Idle::NotJudged),
            true => Some(Idle::NotExercised),
        }
    }

    /// The least standard error of the mean difference of the rates of a promise, over the seeds
    /// under which both arms have one.
    fn error_min(&self, index: usize) -> f64 {
        let runs = self.runs(self.cell).iter().zip(self.runs(self.baseline));
        let verdicts = runs.filter_map(|(arm, baseline)| {
            let verdicts = [arm, baseline].map(|run| run.invariants[index]);
            verdicts.iter().all(|verdict| verdict.exposure > 0).then_some(verdicts)
        });
        let (mut variance, mut pairs) = (0.0, 0.0);
        for verdict in verdicts {
            variance += verdict.iter().map(variance_min_per_10_000).sum::<f64>();
            pairs += 1.0;
        }
        if pairs > 0.0 { variance.sqrt() / pairs } else { 0.0 }
    }

    /// A share that is the same in both arms may be so because nothing has happened yet. There is
    /// no equivalence where it differs in a few pairs only, nor, where it is 0 or 1 in all runs,
    /// one that the number of requests does not bear.
    fn doubt(&self, pair: &mut Pair, first: &[f64], second: &[f64]) {
        let differ = first.iter().zip(second).filter(|(a, b)| a != b).count() as u64;
        let is_sparse = differ > 0 && differ < pair.pairs && differ < AWAY_MIN;
        if is_sparse {
            pair.p_equivalent = None;
            return;
        }
        let all_are = |end: f64| first.iter().chain(second).all(|share| *share == end);
        let (Some(region), Some(p)) = (pair.equivalent, pair.p_equivalent) else { return };
        if !all_are(0.0) && !all_are(1.0) {
            return;
        }
        let requests = |cell| self.runs(cell).iter().map(|run| run.metrics.measured).sum::<u64>();
        let variance = [self.cell, self.baseline].map(|cell| variance_of_none(requests(cell)));
        let least = equivalence_normal(0.0, (variance[0] + variance[1]).sqrt(), region).ok();
        pair.p_equivalent = least.map(|least| least.max(p));
    }

    /// Bootstraps in a random stream of this comparison's own, so that the same comparison of the
    /// same values gives the same interval, whatever else is compared.
    fn bootstrap(&self, pair: &mut Pair, first: &[f64], second: &[f64]) {
        let cells = &self.campaign.cells;
        let (arm, baseline) = (&cells[self.cell], &cells[self.baseline]);
        let name = [&arm.point, &arm.arm, &baseline.arm, &pair.metric].map(String::as_str);
        let seed = digest_of(&name.join("\n")).0 as u64;
        let source = |stream: u64| bootstrap::Source { seed, stream };
        let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
        let interval =
            |estimate: Result<Estimate, Error>| estimate.ok().map(|estimate| estimate.interval);
        pair.bootstrap = interval(bootstrap::mean(&differences, CONFIDENCE, source(1)));
        pair.ratio_interval =
            interval(bootstrap::ratio_of_means(first, second, CONFIDENCE, source(2)));
    }
}

/// The variance of the share of so many independent requests to which something has happened, if it
/// has to none, with two more of each outcome: it is not certain to stay 0. Agresti and Coull,
/// "Approximate is better than exact for interval estimation of binomial proportions", The American
/// Statistician 52 (1998).
fn variance_of_none(requests: u64) -> f64 {
    let requests_more = requests as f64 + 4.0;
    let share = 2.0 / requests_more;
    share * (1.0 - share) / requests_more
}

fn region(margin: Margin, baseline: Option<f64>) -> Option<Interval> {
    let region = match margin {
        Margin::Absolute(margin) => Region::absolute(margin),
        Margin::Relative(share) => Region::relative(share, baseline?),
    };
    region.ok().map(|region| region.interval())
}

/// Two pairs or one differ by something, but nothing is known of how it would vary.
fn amounts(pair: &mut Pair, first: &[f64], second: &[f64], error_min: f64) {
    if pair.pairs == 0 {
        return;
    }
    pair.difference = pair.mean.zip(pair.baseline_mean).map(|(a, b)| a - b);
    if pair.pairs < RUNS_MIN {
        return;
    }
    let Ok(paired) = paired_t_at_least(first, second, error_min, CONFIDENCE) else { return };
    pair.difference = Some(paired.difference.mean);
    pair.interval = Some(paired.difference.interval);
    pair.p = Some(paired.p);
    pair.effect_size = Some(paired.effect_size);
    let freedom = (pair.pairs - 1) as f64;
    let equivalence =
        |region| equivalence_t(paired.difference.mean, paired.error, freedom, region).ok();
    pair.p_equivalent = pair.equivalent.and_then(equivalence);
}

/// How often a promise is broken. Where ten runs or more break it, or all do, rates vary about as
/// the amounts of other metrics do. Where fewer do, what has been seen are a few clusters, and only
/// their signs say something: in which arm they are.
fn rates(pair: &mut Pair, first: &[f64], second: &[f64], error_min: f64) {
    let broken = first.iter().zip(second).filter(|(a, b)| **a > 0.0 || **b > 0.0).count() as u64;
    if broken == pair.pairs || broken >= AWAY_MIN {
        return amounts(pair, first, second, error_min);
    }
    pair.method = Method::SignFlip;
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    pair.difference = moments(&differences).ok().map(|moments| moments.mean);
    pair.p = sign_flip_exact(&differences).ok();
}

fn events(pair: &mut Pair, first: &[f64], second: &[f64]) {
    let happened = |sample: &[f64]| -> Vec<bool> { sample.iter().map(|v| *v > 0.5).collect() };
    let Ok(counts) = PairedCounts::count(&happened(first), &happened(second)) else { return };
    let Ok(difference) = newcombe_paired(counts, CONFIDENCE) else { return };
    pair.difference = Some(difference.mean);
    pair.interval = Some(difference.interval);
    pair.p = Some(mcnemar_exact(counts.first_only, counts.second_only));
    let interval = |confidence| newcombe_paired(counts, confidence).map(|it| it.interval);
    let equivalence = |region| equivalence_by_interval(interval, region).ok();
    pair.p_equivalent = pair.equivalent.and_then(equivalence);
}
