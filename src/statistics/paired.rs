//! Two arms on the same seeds, compared by a continuous metric.

use super::distribution::{t_critical, t_two_sided};
use super::error::{Error, require};
use super::interval::{Estimate, Interval};
use super::moments::{check_pairs, differences, moments};

/// Student's test of paired differences, first - second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedT {
    /// The mean difference with its interval.
    pub difference: Estimate,
    /// The standard deviation of the differences.
    pub sd: f64,
    /// The standard error of the mean difference.
    pub error: f64,
    /// The mean difference in standard errors.
    pub t: f64,
    /// The two-sided p-value of no difference.
    pub p: f64,
    /// The mean difference in standard deviations of the differences: Cohen's d_z.
    pub effect_size: f64,
}

/// Compares paired observations by Student's t of their differences.
///
/// Differences that are all 0 give t 0, p 1, effect 0 and the interval [0, 0]; equal differences
/// other than 0 give infinite t and effect of that sign, p 0 and an interval of width 0. Effect
/// size: Cohen, *Statistical Power Analysis for the Behavioral Sciences* (1988), section 2.3.5.
///
/// # Errors
/// [`Error::Unpaired`] if the lengths differ, [`Error::TooFew`] for fewer than two pairs,
/// [`Error::NotFinite`], [`Error::Overflow`], and [`Error::OutOfRange`] unless `confidence` is
/// strictly between 0 and 1.
pub fn paired_t(first: &[f64], second: &[f64], confidence: f64) -> Result<PairedT, Error> {
    paired_t_at_least(first, second, 0.0, confidence)
}

/// The same, where the standard error is known to be no less than `error_min`: counts vary by
/// chance alone, even where those of a few pairs happen to agree.
///
/// # Errors
/// As [`paired_t`], and [`Error::OutOfRange`] unless `error_min` is finite and at least 0.
pub fn paired_t_at_least(
    first: &[f64],
    second: &[f64],
    error_min: f64,
    confidence: f64,
) -> Result<PairedT, Error> {
    check_pairs(first, second, 2)?;
    require(error_min.is_finite() && error_min >= 0.0, "error_min", error_min, "from 0")?;
    let differences = differences(first, second)?;
    let moments = moments(&differences)?;
    let error = moments.standard_error().max(error_min);
    let freedom = (moments.n - 1) as f64;
    let t = in_units(moments.mean, error);
    let interval = Interval::around(moments.mean, t_critical(confidence, freedom)? * error);
    Ok(PairedT {
        difference: Estimate { mean: moments.mean, interval, n: moments.n },
        sd: moments.sd,
        error,
        t,
        p: t_two_sided(t, freedom)?,
        effect_size: in_units(moments.mean, moments.sd),
    })
}

/// The mean of `first` over the mean of `second`; its interval is
/// [`super::bootstrap::ratio_of_means`].
///
/// # Errors
/// As [`moments`], and [`Error::Overflow`] if the second mean is 0.
pub fn ratio_of_means(first: &[f64], second: &[f64]) -> Result<f64, Error> {
    let ratio = moments(first)?.mean / moments(second)?.mean;
    if ratio.is_finite() { Ok(ratio) } else { Err(Error::Overflow { result: "ratio of means" }) }
}

/// `value` in units of `spread`; 0 stays 0, anything else over no spread is infinite.
pub(super) fn in_units(value: f64, spread: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value / spread }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::interval::Interval;

    #[test]
    fn a_constant_shift_is_certain() {
        let shifted = paired_t(&[2.0, 3.0, 5.0], &[1.0, 2.0, 4.0], 0.95).unwrap();
        assert_eq!(shifted.difference.interval, Interval { low: 1.0, high: 1.0 });
        assert_eq!((shifted.t, shifted.p), (f64::INFINITY, 0.0));
    }

    #[test]
    fn a_known_least_error_makes_equal_differences_uncertain() {
        let (first, second) = ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0]);
        assert_eq!(paired_t(&first, &second, 0.95).unwrap().p, 0.0);
        let one_each = paired_t_at_least(&first, &second, 1.0 / 3.0_f64.sqrt(), 0.95).unwrap();
        assert!((one_each.p - 0.2254).abs() < 1e-4, "{one_each:?}");
        assert!(one_each.difference.interval.contains(0.0));
        assert!(paired_t_at_least(&first, &second, f64::NAN, 0.95).is_err());
    }

    #[test]
    fn pairs_that_are_none_are_refused() {
        assert!(matches!(paired_t(&[1.0], &[1.0], 0.95), Err(Error::TooFew { needed: 2, .. })));
        assert!(matches!(paired_t(&[1.0, 2.0], &[1.0], 0.95), Err(Error::Unpaired { .. })));
        assert!(matches!(
            paired_t(&[1.0, 2.0], &[1.0, f64::INFINITY], 0.95),
            Err(Error::NotFinite { position: 1 })
        ));
        assert!(paired_t(&[1.0, 2.0], &[1.0, 2.0], 95.0).is_err());
    }

    #[test]
    fn a_ratio_over_nothing_is_refused() {
        assert_eq!(ratio_of_means(&[3.0, 5.0], &[1.0, 3.0]).unwrap(), 2.0);
        assert!(matches!(ratio_of_means(&[1.0], &[0.0]), Err(Error::Overflow { .. })));
        assert!(matches!(ratio_of_means(&[0.0], &[0.0]), Err(Error::Overflow { .. })));
    }
}
