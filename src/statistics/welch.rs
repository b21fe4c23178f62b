//! Two arms on different seeds: Welch's test of two means.

use super::distribution::{t_critical, t_two_sided};
use super::error::{Error, check_sample};
use super::interval::{Estimate, Interval};
use super::moments::moments;
use super::paired::in_units;

/// Welch's test of the difference of two independent means, first - second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WelchT {
    /// The difference of the means with its interval; `n` is the size of the smaller sample.
    pub difference: Estimate,
    /// The difference in standard errors.
    pub t: f64,
    /// The two-sided p-value of no difference.
    pub p: f64,
    /// The degrees of freedom of Welch and Satterthwaite.
    pub freedom: f64,
}

/// Compares two independent samples without assuming equal variances.
///
/// If neither sample varies, the degrees of freedom are n1 + n2 - 2 and the interval has width 0.
/// Welch, "The generalization of Student's problem", Biometrika 34 (1947).
///
/// # Errors
/// [`Error::TooFew`] for fewer than two observations in a sample, [`Error::NotFinite`],
/// [`Error::Overflow`], and [`Error::OutOfRange`] unless `confidence` is strictly between 0 and 1.
pub fn welch_t(first: &[f64], second: &[f64], confidence: f64) -> Result<WelchT, Error> {
    check_sample(first, 2)?;
    check_sample(second, 2)?;
    let (a, b) = (moments(first)?, moments(second)?);
    let error = libm::hypot(a.standard_error(), b.standard_error());
    let mean = a.mean - b.mean;
    let freedom = if error == 0.0 {
        (a.n + b.n - 2) as f64
    } else {
        let share = |part: f64| {
            let square = part / error * (part / error);
            square * square
        };
        let sum = share(a.standard_error()) / (a.n - 1) as f64
            + share(b.standard_error()) / (b.n - 1) as f64;
        1.0 / sum
    };
    let t = in_units(mean, error);
    let interval = Interval::around(mean, t_critical(confidence, freedom)? * error);
    let difference = Estimate { mean, interval, n: a.n.min(b.n) };
    Ok(WelchT { difference, t, p: t_two_sided(t, freedom)?, freedom })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_without_variation_are_answered() {
        let same = welch_t(&[1.0, 1.0], &[1.0, 1.0, 1.0], 0.95).unwrap();
        assert_eq!((same.t, same.p, same.freedom), (0.0, 1.0, 3.0));
        let apart = welch_t(&[2.0, 2.0], &[1.0, 1.0], 0.95).unwrap();
        assert_eq!((apart.t, apart.p), (f64::INFINITY, 0.0));
        assert_eq!(apart.difference.interval, Interval { low: 1.0, high: 1.0 });
        assert!(welch_t(&[1.0], &[1.0, 2.0], 0.95).is_err());
    }
}
