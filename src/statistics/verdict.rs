//! What the interval of a difference allows to be said.

use super::error::{Error, require};
use super::interval::Interval;
use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which way a metric is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// More is better: goodput.
    Higher,
    /// Less is better: amplification, latency, violations.
    Lower,
}

impl Direction {
    /// The word for files.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Higher => "higher",
            Direction::Lower => "lower",
        }
    }

    /// A value turned so that less is better.
    pub fn badness(self, value: f64) -> f64 {
        match self {
            Direction::Higher => -value,
            Direction::Lower => value,
        }
    }
}

/// What may be said of the first arm against the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The whole interval lies beyond the region, on the good side.
    Better,
    /// The whole interval lies beyond the region, on the bad side.
    Worse,
    /// The whole interval lies inside the region.
    Equivalent,
    /// The interval crosses an edge of the region: more runs, or no answer.
    Undecided,
    /// The metric looks better where more was thrown away, so it says nothing of which is better.
    Confounded,
    /// No run of either broke the promise: it has not been seen to break, and no more can be said.
    NoneSeen,
    /// Nothing could have broken the promise in one of the two.
    NotExercised,
    /// What could have broken the promise was not due in one of the two when its runs ended.
    NotJudged,
}

impl Conclusion {
    /// The word for tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Conclusion::Better => "better",
            Conclusion::Worse => "worse",
            Conclusion::Equivalent => "equivalent",
            Conclusion::Undecided => "undecided",
            Conclusion::Confounded => "confounded",
            Conclusion::NoneSeen => "none seen",
            Conclusion::NotExercised => "not exercised",
            Conclusion::NotJudged => "not judged",
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// The differences that make no difference in practice: an interval that holds 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region(Interval);

impl Region {
    /// Differences up to `margin`, in the unit of the metric.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless `margin` is finite and at least 0.
    pub fn absolute(margin: f64) -> Result<Region, Error> {
        let holds = margin.is_finite() && margin >= 0.0;
        require(holds, "margin", margin, "a finite number from 0")?;
        Ok(Region(Interval::around(0.0, margin)))
    }

    /// Differences up to `share` of the size of `baseline`, the mean of the second arm.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless `share` is finite and at least 0 and `baseline` is finite.
    pub fn relative(share: f64, baseline: f64) -> Result<Region, Error> {
        let holds = share.is_finite() && share >= 0.0;
        require(holds, "share", share, "a finite number from 0")?;
        require(baseline.is_finite(), "baseline", baseline, "a finite number")?;
        Region::absolute(share * baseline.abs())
    }

    /// The differences as an interval.
    pub fn interval(&self) -> Interval {
        self.0
    }
}

/// The verdict on a difference first - second, known to lie in `difference`.
///
/// Edges of the region belong to it. Kruschke, "Rejecting or accepting parameter values in Bayesian
/// estimation", Advances in Methods and Practices in Psychological Science 1 (2018), for the
/// decision rule; Schuirmann (1987) for equivalence by an interval.
pub fn verdict(difference: Interval, region: Region, direction: Direction) -> Conclusion {
    let region = region.0;
    if region.contains(difference.low) && region.contains(difference.high) {
        return Conclusion::Equivalent;
    }
    let (above, below) = match direction {
        Direction::Higher => (Conclusion::Better, Conclusion::Worse),
        Direction::Lower => (Conclusion::Worse, Conclusion::Better),
    };
    if difference.low > region.high {
        above
    } else if difference.high < region.low {
        below
    } else {
        Conclusion::Undecided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(low: f64, high: f64, margin: f64, direction: Direction) -> Conclusion {
        verdict(Interval { low, high }, Region::absolute(margin).unwrap(), direction)
    }

    #[test]
    fn every_position_of_the_interval_has_its_word() {
        use Direction::{Higher, Lower};
        assert_eq!(judge(1.1, 2.0, 1.0, Higher), Conclusion::Better);
        assert_eq!(judge(1.1, 2.0, 1.0, Lower), Conclusion::Worse);
        assert_eq!(judge(-2.0, -1.1, 1.0, Higher), Conclusion::Worse);
        assert_eq!(judge(-2.0, -1.1, 1.0, Lower), Conclusion::Better);
        assert_eq!(judge(-1.0, 1.0, 1.0, Lower), Conclusion::Equivalent);
        assert_eq!(judge(0.5, 1.5, 1.0, Higher), Conclusion::Undecided);
        assert_eq!(judge(1.0, 1.5, 1.0, Higher), Conclusion::Undecided);
        assert_eq!(judge(-3.0, 3.0, 1.0, Higher), Conclusion::Undecided);
    }

    #[test]
    fn nothing_known_is_undecided_and_no_difference_is_equivalent() {
        let open = Interval::UNBOUNDED;
        assert_eq!(judge(open.low, open.high, 1.0, Direction::Lower), Conclusion::Undecided);
        assert_eq!(judge(f64::NAN, f64::NAN, 1.0, Direction::Lower), Conclusion::Undecided);
        assert_eq!(judge(0.0, 0.0, 0.0, Direction::Lower), Conclusion::Equivalent);
    }

    #[test]
    fn a_region_has_a_size() {
        assert_eq!(Region::relative(0.05, -20.0).unwrap(), Region::absolute(1.0).unwrap());
        assert!(Region::absolute(-1.0).is_err());
        assert!(Region::absolute(f64::NAN).is_err());
        assert!(Region::relative(0.1, f64::INFINITY).is_err());
    }
}
