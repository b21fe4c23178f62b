//! Intervals, estimates, and Student's interval of a mean.

use super::distribution::t_critical;
use super::error::Error;
use super::moments::moments;

/// The confidence level of every report unless an experiment declares another.
pub const CONFIDENCE: f64 = 0.95;

/// A closed interval; an end may be infinite where the data give no bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// The interval that says nothing.
    pub const UNBOUNDED: Interval = Interval { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// The interval that reaches `half_width` to both sides of `centre`.
    pub fn around(centre: f64, half_width: f64) -> Interval {
        Interval { low: centre - half_width, high: centre + half_width }
    }

    /// Half of the distance between the ends; infinite if an end is.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// The same interval, cut off at both ends of what can be.
    pub fn within(self, least: f64, most: f64) -> Interval {
        Interval { low: self.low.max(least), high: self.high.min(most) }
    }

    /// Whether `value` lies inside, the ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// An estimated quantity, its interval and how many independent observations it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The point estimate.
    pub mean: f64,
    /// The confidence interval.
    pub interval: Interval,
    /// The number of observations.
    pub n: u64,
}

/// The mean of independent observations with Student's two-sided interval.
///
/// One observation has a mean and [`Interval::UNBOUNDED`]; equal observations have an interval of
/// width 0. Student, "The probable error of a mean", Biometrika 6 (1908).
///
/// # Errors
/// As [`moments`], and [`Error::OutOfRange`] unless `confidence` is strictly between 0 and 1.
pub fn mean_interval(sample: &[f64], confidence: f64) -> Result<Estimate, Error> {
    let moments = moments(sample)?;
    let critical = t_critical(confidence, (moments.n - 1).max(1) as f64)?;
    let half_width =
        if moments.n == 1 { f64::INFINITY } else { critical * moments.standard_error() };
    let interval = Interval::around(moments.mean, half_width);
    Ok(Estimate { mean: moments.mean, interval, n: moments.n })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_observation_says_nothing_about_its_precision() {
        let one = mean_interval(&[3.0], 0.95).unwrap();
        assert_eq!((one.mean, one.interval, one.n), (3.0, Interval::UNBOUNDED, 1));
        assert_eq!(one.interval.half_width(), f64::INFINITY);
    }

    #[test]
    fn equal_observations_have_an_interval_of_width_zero() {
        let equal = mean_interval(&[0.1; 30], 0.95).unwrap();
        assert_eq!(equal.interval, Interval { low: 0.1, high: 0.1 });
    }

    #[test]
    fn what_has_no_interval_is_refused() {
        assert_eq!(mean_interval(&[], 0.95), Err(Error::TooFew { needed: 1, given: 0 }));
        assert!(matches!(mean_interval(&[f64::NAN], 0.95), Err(Error::NotFinite { position: 0 })));
        assert!(mean_interval(&[1.0], 1.0).is_err());
        assert!(mean_interval(&[1.0, 2.0], f64::NAN).is_err());
    }
}
