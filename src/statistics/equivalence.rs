//! How surely two arms differ by no more than makes a difference.

use super::distribution::{normal_cdf, t_tails};
use super::error::{Error, check_open_unit, require};
use super::interval::{CONFIDENCE, Interval};

/// The p-value of equivalence of a mean difference with its standard error: twice the larger of the
/// two one-sided p-values that the difference lies beyond an edge of the region, at most 1.
///
/// At most 0.05 exactly where the 95% interval lies inside the region, so that it can be corrected
/// beside the p-values of a difference. Schuirmann, Journal of Pharmacokinetics and
/// Biopharmaceutics 15 (1987).
///
/// # Errors
/// [`Error::OutOfRange`] unless `freedom` is positive and finite, and the others are numbers.
pub fn equivalence_t(mean: f64, error: f64, freedom: f64, region: Interval) -> Result<f64, Error> {
    require(error >= 0.0, "error", error, "from 0")?;
    if error == 0.0 {
        return Ok(if region.contains(mean) { 0.0 } else { 1.0 });
    }
    let below = t_tails((mean - region.low) / error, freedom)?.upper;
    let above = t_tails((region.high - mean) / error, freedom)?.upper;
    Ok((2.0 * below.max(above)).min(1.0))
}

/// The same where the standard error is known and not estimated.
///
/// # Errors
/// [`Error::OutOfRange`] unless `error` is positive, and the others are numbers.
pub fn equivalence_normal(mean: f64, error: f64, region: Interval) -> Result<f64, Error> {
    require(error > 0.0, "error", error, "above 0")?;
    let below = normal_cdf((region.low - mean) / error);
    let above = normal_cdf((mean - region.high) / error);
    Ok((2.0 * below.max(above)).min(1.0))
}

/// The same for any interval that widens with its confidence: one less the greatest confidence at
/// which it lies inside the region.
///
/// # Errors
/// What `interval` returns.
pub fn equivalence_by_interval(
    interval: impl Fn(f64) -> Result<Interval, Error>,
    region: Interval,
) -> Result<f64, Error> {
    let is_inside = |confidence: f64| -> Result<bool, Error> {
        check_open_unit("confidence", confidence)?;
        let interval = interval(confidence)?;
        Ok(region.contains(interval.low) && region.contains(interval.high))
    };
    // Bisected on a scale on which 95% and 99.99% are as far apart as 0% and 95%.
    let confidence = |steps: f64| -libm::expm1(-steps);
    let (mut inside, mut outside) = (0.0, -libm::log(1.0 - CONFIDENCE) * 12.0);
    if is_inside(confidence(outside))? {
        return Ok(0.0);
    }
    for _ in 0..50 {
        let middle = f64::midpoint(inside, outside);
        if is_inside(confidence(middle))? { inside = middle } else { outside = middle }
    }
    Ok(1.0 - confidence(inside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::distribution::{normal_critical, t_critical};
    use crate::statistics::paired_proportion::{PairedCounts, newcombe_paired};

    const REGION: Interval = Interval { low: -1.0, high: 1.0 };

    #[test]
    fn five_percent_is_the_interval_that_touches_the_edge() {
        let critical = t_critical(0.95, 29.0).unwrap();
        for (mean, error) in [(0.0, 1.0 / critical), (0.4, 0.6 / critical), (-0.9, 0.1 / critical)]
        {
            let p = equivalence_t(mean, error, 29.0, REGION).unwrap();
            assert!((p - 0.05).abs() < 1e-9, "{p}");
            assert!(equivalence_t(mean, error * 1.01, 29.0, REGION).unwrap() > 0.05);
        }
        assert_eq!(equivalence_t(0.3, 0.0, 29.0, REGION).unwrap(), 0.0);
        assert_eq!(equivalence_t(1.3, 0.0, 29.0, REGION).unwrap(), 1.0);
        assert!(equivalence_t(0.0, f64::NAN, 29.0, REGION).is_err());
    }

    #[test]
    fn a_known_error_has_the_normal_quantile() {
        let critical = normal_critical(0.95).unwrap();
        for (mean, error) in [(0.0, 1.0 / critical), (0.4, 0.6 / critical), (-0.9, 0.1 / critical)]
        {
            let p = equivalence_normal(mean, error, REGION).unwrap();
            assert!((p - 0.05).abs() < 1e-9, "{p}");
        }
        assert_eq!(equivalence_normal(30.0, 0.1, REGION).unwrap(), 1.0);
        for error in [0.0, -1.0, f64::NAN] {
            assert!(equivalence_normal(0.0, error, REGION).is_err(), "{error}");
        }
    }

    #[test]
    fn an_interval_is_inverted_at_the_confidence_at_which_it_touches() {
        let counts = PairedCounts { both: 3, first_only: 2, second_only: 1, neither: 94 };
        let at = |confidence| newcombe_paired(counts, confidence).map(|it| it.interval);
        let found = at(0.95).unwrap();
        let edge = found.high.max(-found.low);
        let region = Interval::around(0.0, edge);
        let p = equivalence_by_interval(at, region).unwrap();
        assert!((p - 0.05).abs() < 1e-6, "{p}");
        let never = Interval::around(0.0, 1e-3);
        assert!((equivalence_by_interval(at, never).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(equivalence_by_interval(at, Interval::around(0.0, 1.0)).unwrap(), 0.0);
    }
}
