//! The mean over runs of what has an end: amounts, which are never below 0, and shares, which lie
//! between 0 and 1. Student's interval on the plain scale reaches beyond the end, and is too short
//! for values that are crowded at it.

use super::distribution::t_critical;
use super::error::{Error, require};
use super::interval::Interval;
use super::moments::moments;

/// The fewest runs whose mean has an interval. The spread of two says nothing of that of others.
pub const RUNS_MIN: u64 = 3;

/// Runs away from the end of the range that an interval needs, unless all are: with fewer, most of
/// what the mean could be stands in runs that have not been seen.
pub const AWAY_MIN: u64 = 10;

/// The values that a quantity can have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// From 0 up.
    Amount,
    /// From 0 to the most that there can be.
    AmountTo(f64),
    /// From 0 to 1.
    Share,
}

/// The mean of a quantity over runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averaged {
    /// The mean.
    pub mean: f64,
    /// Its interval; `None` where none can be estimated.
    pub interval: Option<Interval>,
    /// The least value of a run.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
    /// How many runs had a value.
    pub n: u64,
}

/// The mean of independent runs, with an interval inside the range of what it measures.
///
/// Student's interval on the logarithmic scale of an amount, m exp(±t s / m), cut off at the most
/// that it can be, and on the logit
/// scale of a share, logit m ± t s / (m (1 - m)), with m the mean and s its standard error, by the
/// delta method; s is not taken to be less than `error_min`. There is no interval of fewer than
/// [`RUNS_MIN`] runs, and none where fewer than [`AWAY_MIN`], and not all, are away from the nearer
/// end of the range; equal values have one of width 0, unless `error_min` says more. Lehmann,
/// *Elements of Large-Sample Theory* (1999), section 2.5; the coverage is in the tests.
///
/// # Errors
/// As [`moments`], and [`Error::OutOfRange`] for a value outside the range, an `error_min` that is
/// negative or not finite, or a `confidence` not strictly between 0 and 1.
pub fn mean_within(
    sample: &[f64],
    range: Range,
    error_min: f64,
    confidence: f64,
) -> Result<Averaged, Error> {
    let moments = moments(sample)?;
    let least = sample.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = sample.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    require(least >= 0.0, "value", least, "from 0")?;
    require(range != Range::Share || greatest <= 1.0, "value", greatest, "from 0 to 1")?;
    require(error_min >= 0.0 && error_min.is_finite(), "error_min", error_min, "from 0")?;
    let error = moments.standard_error().max(error_min);
    let critical = t_critical(confidence, moments.n.max(2) as f64 - 1.0)?;
    let end = if range == Range::Share && moments.mean > 0.5 { 1.0 } else { 0.0 };
    let away = sample.iter().filter(|value| **value != end).count() as u64;
    let is_sparse = away > 0 && away < moments.n && away < AWAY_MIN;
    let is_known = moments.n >= RUNS_MIN && !is_sparse;
    let most = if let Range::AmountTo(most) = range { most.max(greatest) } else { f64::INFINITY };
    let interval =
        is_known.then(|| around(moments.mean, critical * error, range).within(0.0, most));
    Ok(Averaged { mean: moments.mean, interval, least, greatest, n: moments.n })
}

/// The interval that is `half` wide to both sides on the plain scale, and stays inside the range.
fn around(mean: f64, half: f64, range: Range) -> Interval {
    let at_end = mean <= 0.0 || (range == Range::Share && mean >= 1.0);
    if half == 0.0 || at_end {
        return Interval { low: mean, high: mean };
    }
    match range {
        Range::Amount | Range::AmountTo(_) => {
            let factor = libm::exp(half / mean);
            Interval { low: mean / factor, high: mean * factor }
        }
        Range::Share => {
            let factor = libm::exp(half / (mean * (1.0 - mean)));
            let rest = 1.0 - mean;
            Interval {
                low: mean / (mean + rest * factor),
                high: mean * factor / (mean * factor + rest),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(sample: &[f64]) -> Averaged {
        mean_within(sample, Range::Amount, 0.0, 0.95).unwrap()
    }

    /// By hand: the mean 2, its standard error 1 / sqrt(3), t(0.975, 2) = 4.302653.
    #[test]
    fn an_amount_has_equal_factors_to_both_sides() {
        let interval = amount(&[1.0, 2.0, 3.0]).interval.unwrap();
        let factor = libm::exp(4.302_652_729_749_462 / 3.0_f64.sqrt() / 2.0);
        assert!((interval.high - 2.0 * factor).abs() < 1e-12, "{interval:?}");
        assert!((interval.low - 2.0 / factor).abs() < 1e-12, "{interval:?}");
    }

    /// By hand: the logit of 0.9 is ln 9.
    #[test]
    fn a_share_has_equal_odds_ratios_to_both_sides() {
        let sample = [0.85, 0.9, 0.95];
        let interval = mean_within(&sample, Range::Share, 0.0, 0.95).unwrap().interval.unwrap();
        let half = 4.302_652_729_749_462 * 0.05 / 3.0_f64.sqrt() / 0.09;
        let logit = |share: f64| libm::log(share / (1.0 - share));
        for (end, expected) in [(interval.low, -half), (interval.high, half)] {
            assert!((logit(end) - libm::log(9.0) - expected).abs() < 1e-12, "{interval:?}");
        }
    }

    #[test]
    fn no_interval_leaves_the_range() {
        for far in [0.1, 1.0, 10.0, 1e9] {
            let interval = amount(&[far, 1.0, 2.0]).interval.unwrap();
            assert!(interval.low > 0.0 && interval.high.is_finite(), "{interval:?}");
            let share = [0.999, 1.0 / (1.0 + far), 0.5];
            let interval = mean_within(&share, Range::Share, 0.0, 0.95).unwrap().interval.unwrap();
            assert!(interval.low > 0.0 && interval.high < 1.0, "{interval:?}");
        }
    }

    #[test]
    fn no_interval_ends_beyond_the_most_that_there_can_be() {
        let to = |most| {
            let found = mean_within(&[25.9, 0.9, 3.9], Range::AmountTo(most), 0.0, 0.95).unwrap();
            found.interval.unwrap()
        };
        assert_eq!(
            (to(30.0).high, to(30.0).low),
            (30.0, amount(&[25.9, 0.9, 3.9]).interval.unwrap().low)
        );
        assert_eq!(Some(to(1e9)), amount(&[25.9, 0.9, 3.9]).interval);
        assert_eq!(to(20.0).high, 25.9, "what was seen can be");
    }

    #[test]
    fn what_cannot_be_estimated_has_its_values_and_no_interval() {
        let two = amount(&[52.0, 60.0]);
        assert_eq!((two.mean, two.interval, two.least, two.greatest), (56.0, None, 52.0, 60.0));
        let mut rare = [0.0; 30];
        rare[..9].fill(100.0);
        assert_eq!(amount(&rare).interval, None, "nine of thirty runs");
        rare[9] = 100.0;
        assert!(amount(&rare).interval.is_some(), "ten of thirty runs");
        let shares = rare.map(|value| 1.0 - value / 1000.0);
        assert!(mean_within(&shares, Range::Share, 0.0, 0.95).unwrap().interval.is_some());
        assert_eq!(mean_within(&shares[5..], Range::Share, 0.0, 0.95).unwrap().interval, None);
    }

    #[test]
    fn equal_values_have_no_width_unless_the_least_error_is_known() {
        let equal = Interval { low: 4.0, high: 4.0 };
        assert_eq!(amount(&[4.0; 3]).interval, Some(equal));
        assert_eq!(amount(&[0.0; 3]).interval, Some(Interval { low: 0.0, high: 0.0 }));
        let wide = mean_within(&[4.0; 3], Range::Amount, 1.0, 0.95).unwrap().interval.unwrap();
        assert!(wide.low < 3.0 && wide.high > 5.0, "{wide:?}");
        assert_eq!(
            mean_within(&[1.0; 9], Range::Share, 0.0, 0.95).unwrap().interval,
            Some(Interval { low: 1.0, high: 1.0 })
        );
    }

    #[test]
    fn values_outside_the_range_are_refused() {
        assert!(mean_within(&[-1.0, 1.0], Range::Amount, 0.0, 0.95).is_err());
        assert!(mean_within(&[0.5, 1.5], Range::Share, 0.0, 0.95).is_err());
        assert!(mean_within(&[1.0], Range::Amount, f64::NAN, 0.95).is_err());
        assert!(mean_within(&[], Range::Amount, 0.0, 0.95).is_err());
        assert!(mean_within(&[1.0], Range::Amount, 0.0, 1.0).is_err());
    }
}
