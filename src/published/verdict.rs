//! Whether runs agree with a published figure.

use super::figure::{Figure, Reading, Statistic};
use crate::statistics::distribution::{normal_critical, t_critical};
use crate::statistics::moments::moments;
use crate::statistics::proportion::wilson;
use crate::statistics::quantile::{Sorted, rank_interval};
use crate::statistics::{Error, Interval};

/// The confidence with which a figure has to be different to be called so.
pub const CONFIDENCE: f64 = 0.999;

/// What runs say of a published figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// It differs by no more than chance and its tolerance explain.
    Agrees,
    /// It agrees, but the runs are so few that much else would as well.
    Imprecise,
    /// It differs by more.
    Differs,
    /// It is about other parameters than those that ran.
    Changed,
}

impl Agreement {
    /// What reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Agreement::Agrees => "agrees",
            Agreement::Imprecise => "imprecise",
            Agreement::Differs => "DIFFERS",
            Agreement::Changed => "changed by --set",
        }
    }
}

/// A published figure beside what runs show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FigureComparison {
    /// The same number of the runs; `None` if no run has it.
    pub simulated: Option<f64>,
    /// How many runs it rests on.
    pub runs: usize,
    /// Where the figure has to lie: chance in the runs and in the figure with 99.9%, and its
    /// tolerance.
    pub interval: Interval,
    /// What follows.
    pub verdict: Agreement,
}

/// How far chance may carry an estimate below and above what it estimates.
#[derive(Clone, Copy, Debug, Default)]
struct Reach {
    below: f64,
    above: f64,
}

impl Reach {
    fn even(half_width: f64) -> Reach {
        Reach { below: half_width, above: half_width }
    }

    fn of(estimate: f64, interval: Interval) -> Reach {
        Reach { below: estimate - interval.low, above: interval.high - estimate }
    }

    fn half_width(self) -> f64 {
        (self.below + self.above) / 2.0
    }
}

/// The least precision that is asked of any figure: 5% of it, or 0.05 of a share of runs.
const PRECISION: f64 = 0.05;

/// Compares a figure with its number in each of several independent runs.
///
/// The interval of the difference is put together from that of the runs and that of the figure as
/// in Zou and Donner, "Construction of confidence intervals about effect measures", Statistics in
/// Medicine 27 (2008); for two shares this is Newcombe's. A mean has Student's interval, a share
/// Wilson's, a quantile that of the order statistics. Where the error of a figure is not published,
/// but the number of its runs is, its runs are taken to vary as these do.
///
/// The figure agrees, but imprecisely, if half of the interval of the runs is wider than 5% of it
/// (0.05 of a share of runs) and wider than twice its own with its tolerance.
///
/// Runs without the number are left out. If a limit ended a run, nothing agrees.
pub fn compare(figure: &Figure, readings: &[Reading], is_changed: bool) -> FigureComparison {
    let numbers = readings.iter().filter_map(|reading| match reading {
        Reading::Number(number) => Some(*number),
        Reading::Nothing | Reading::CutOff => None,
    });
    let sample: Vec<f64> = numbers.collect();
    let runs = sample.len();
    let is_cut_off = readings.contains(&Reading::CutOff);
    let (Ok((simulated, ours, theirs)), false) = (estimate(figure, &sample), is_cut_off) else {
        let verdict = if is_changed { Agreement::Changed } else { Agreement::Differs };
        return FigureComparison { simulated: None, runs, interval: Interval::UNBOUNDED, verdict };
    };
    let off = figure.off() + 1e-9 * figure.value.abs();
    let interval = Interval {
        low: simulated - libm::hypot(ours.below, theirs.above) - off,
        high: simulated + libm::hypot(ours.above, theirs.below) + off,
    };
    let (interval, scale) = match figure.statistic {
        Statistic::Share => {
            (Interval { low: interval.low.max(0.0), high: interval.high.min(1.0) }, 1.0)
        }
        Statistic::Mean | Statistic::Quantile(_) => (interval, figure.value.abs()),
    };
    let precise_enough = (2.0 * theirs.half_width() + figure.off()).max(PRECISION * scale);
    let verdict = match (interval.contains(figure.value), ours.half_width() <= precise_enough) {
        _ if is_changed => Agreement::Changed,
        (false, _) => Agreement::Differs,
        (true, true) => Agreement::Agrees,
        (true, false) => Agreement::Imprecise,
    };
    FigureComparison { simulated: Some(simulated), runs, interval, verdict }
}

/// The number of the runs, how far chance may carry it, and how far the figure.
fn estimate(figure: &Figure, sample: &[f64]) -> Result<(f64, Reach, Reach), Error> {
    let normal = normal_critical(CONFIDENCE)?;
    let published = figure.standard_error.map(|error| Reach::even(normal * error));
    match figure.statistic {
        Statistic::Mean => {
            let ours = moments(sample)?;
            let reach = match ours.n {
                1 => f64::INFINITY,
                n => t_critical(CONFIDENCE, (n - 1) as f64)? * ours.standard_error(),
            };
            let as_ours = |runs: u64| Reach::even(normal * ours.sd / (runs as f64).sqrt());
            let theirs = published.or(figure.runs.map(as_ours)).unwrap_or_default();
            Ok((ours.mean, Reach::even(reach), theirs))
        }
        Statistic::Share => {
            let happened = sample.iter().filter(|number| **number > 0.0).count() as u64;
            let ours = wilson(happened, sample.len() as u64, CONFIDENCE)?;
            let theirs = match (published, figure.runs) {
                (None, Some(runs)) => {
                    let theirs = (figure.value * runs as f64).round() as u64;
                    Reach::of(figure.value, wilson(theirs, runs, CONFIDENCE)?.interval)
                }
                (published, _) => published.unwrap_or_default(),
            };
            Ok((ours.mean, Reach::of(ours.mean, ours.interval), theirs))
        }
        Statistic::Quantile(p) => {
            let sorted = Sorted::new(sample)?;
            let ours = sorted.type7(p)?;
            let reach = Reach::of(ours, sorted.quantile_interval(p, CONFIDENCE)?);
            let theirs = match (published, figure.runs) {
                (None, Some(runs)) => {
                    let ranks = rank_interval(runs, p, CONFIDENCE)?;
                    let at = |rank: u64| sorted.type7((rank as f64 / runs as f64).min(1.0));
                    Reach::of(ours, Interval { low: at(ranks.low)?, high: at(ranks.high)? })
                }
                (published, _) => published.unwrap_or_default(),
            };
            Ok((ours, reach, theirs))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::published::Tolerance;

    fn figure(value: f64, statistic: Statistic) -> Figure {
        Figure {
            metric: "calls".to_owned(),
            statistic,
            value,
            standard_error: None,
            runs: None,
            tolerance: Tolerance::Absolute(0.0),
            remark: String::new(),
        }
    }

    fn verdict(figure: &Figure, sample: &[f64]) -> Agreement {
        let readings: Vec<Reading> = sample.iter().copied().map(Reading::Number).collect();
        compare(figure, &readings, false).verdict
    }

    #[test]
    fn an_exact_figure_lies_in_the_interval_of_the_mean() {
        let sample = [4.999, 5.001, 5.0, 5.0005];
        assert_eq!(verdict(&figure(5.0, Statistic::Mean), &sample), Agreement::Agrees);
        assert_eq!(verdict(&figure(5.1, Statistic::Mean), &sample), Agreement::Differs);
        assert_eq!(verdict(&figure(5.0, Statistic::Mean), &[4.0, 6.0, 5.5]), Agreement::Imprecise);
        assert_eq!(verdict(&figure(64.0, Statistic::Mean), &[64.0, 64.0]), Agreement::Agrees);
        assert_eq!(verdict(&figure(64.0, Statistic::Mean), &[64.1, 64.1]), Agreement::Differs);
        assert_eq!(verdict(&figure(0.0, Statistic::Mean), &[0.0, 0.0]), Agreement::Agrees);
        assert_eq!(verdict(&figure(64.0, Statistic::Mean), &[64.0]), Agreement::Imprecise);
    }

    #[test]
    fn its_error_its_runs_and_its_tolerance_leave_a_figure_room() {
        let sample = [4.999, 5.001, 5.0, 5.0005];
        let off = figure(5.1, Statistic::Mean);
        let erring = Figure { standard_error: Some(0.04), ..off.clone() };
        assert_eq!(verdict(&erring, &sample), Agreement::Agrees);
        let rounded = Figure { tolerance: Tolerance::Relative(0.02), ..off.clone() };
        assert_eq!(verdict(&rounded, &sample), Agreement::Agrees);
        // Of two runs that vary as these: normal quantile 3.29 x 0.0009 / root of 2.
        let of_two = Figure { runs: Some(2), value: 5.0058, ..off };
        assert_eq!(verdict(&of_two, &sample), Agreement::Agrees);
        assert_eq!(verdict(&Figure { value: 5.02, ..of_two }, &sample), Agreement::Differs);
    }

    #[test]
    fn shares_are_compared_as_by_newcombe() {
        let sample: Vec<Reading> =
            (0..70).map(|run| Reading::Number(f64::from(u8::from(run < 28)))).collect();
        let theirs = Figure { runs: Some(80), ..figure(0.6, Statistic::Share) };
        let Interval { low, high } = compare(&theirs, &sample, false).interval;
        // 28 of 70 and 48 of 80 by method 10 of Newcombe, Statistics in Medicine 17 (1998), with
        // z = 3.290_526_731_49 for 99.9%.
        assert!((low - 0.6 + 0.429_223_923_07).abs() < 1e-8, "{low}");
        assert!((high - 0.6 - 0.065_073_076_24).abs() < 1e-8, "{high}");
    }

    #[test]
    fn a_median_has_the_interval_of_order_statistics() {
        let sample: Vec<f64> = (1..=100).map(f64::from).collect();
        let median = |value: f64| verdict(&figure(value, Statistic::Quantile(0.5)), &sample);
        assert_eq!(median(50.0), Agreement::Imprecise);
        assert_eq!(median(80.0), Agreement::Differs);
        let rounded = Figure {
            tolerance: Tolerance::Absolute(20.0),
            ..figure(50.0, Statistic::Quantile(0.5))
        };
        assert_eq!(verdict(&rounded, &sample), Agreement::Agrees);
    }

    #[test]
    fn what_was_cut_off_or_changed_agrees_with_nothing() {
        let good = [Reading::Number(5.0), Reading::Number(5.0)];
        let cut = [Reading::Number(5.0), Reading::CutOff];
        let some = [Reading::Number(5.0), Reading::Number(5.0), Reading::Nothing];
        let five = figure(5.0, Statistic::Mean);
        assert_eq!(compare(&five, &good, true).verdict, Agreement::Changed);
        assert_eq!(compare(&five, &cut, false).verdict, Agreement::Differs);
        assert_eq!(compare(&five, &[Reading::Nothing], false).verdict, Agreement::Differs);
        let left_out = compare(&five, &some, false);
        assert_eq!((left_out.verdict, left_out.runs), (Agreement::Agrees, 2));
    }
}
