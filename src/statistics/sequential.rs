//! When to stop adding seeds.

use super::interval::Estimate;

/// The numbers of paired replications at which precision is looked at, and only there.
///
/// Geometric, so that looking several times costs little coverage. A formal claim spends its error
/// over them: [`super::multiplicity::simultaneous_confidence`] with their number.
pub const CHECKPOINTS: [u64; 6] = [30, 60, 120, 240, 480, 960];

/// How narrow an interval must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precision {
    /// A half-width of at most this share of the mean's size.
    Relative(f64),
    /// A half-width of at most this.
    Absolute(f64),
}

impl Precision {
    /// Whether the estimate is this precise. An unbounded interval never is; a mean of 0 is
    /// relatively precise only with an interval of width 0.
    pub fn reached(self, estimate: &Estimate) -> bool {
        let most = match self {
            Precision::Relative(share) => share * estimate.mean.abs(),
            Precision::Absolute(width) => width,
        };
        estimate.interval.half_width() <= most
    }
}

/// What to do after some replications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Run on until there are this many replications.
    Continue(u64),
    /// Every metric is as precise as required.
    Reached,
    /// The last checkpoint is passed, and a metric is not as precise as required.
    NotReached,
}

/// Whether `n` replications are enough for every metric.
///
/// Between checkpoints the answer is always to go on to the next, however precise the metrics are.
/// Without metrics the first checkpoint is enough.
pub fn progress(n: u64, metrics: &[(Estimate, Precision)]) -> Progress {
    let last = CHECKPOINTS[CHECKPOINTS.len() - 1];
    let looking = CHECKPOINTS.contains(&n) || n > last;
    if looking && metrics.iter().all(|(estimate, precision)| precision.reached(estimate)) {
        return Progress::Reached;
    }
    match CHECKPOINTS.iter().find(|checkpoint| **checkpoint > n) {
        Some(next) => Progress::Continue(*next),
        None => Progress::NotReached,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::interval::Interval;

    const CONTINUOUS: Precision = Precision::Relative(0.05);
    const PROBABILITY: Precision = Precision::Absolute(0.02);

    fn estimate(mean: f64, half_width: f64) -> Estimate {
        Estimate { mean, interval: Interval::around(mean, half_width), n: 30 }
    }

    #[test]
    fn it_stops_at_checkpoints_only() {
        let precise = [(estimate(100.0, 5.0), CONTINUOUS)];
        assert_eq!(progress(29, &precise), Progress::Continue(30));
        assert_eq!(progress(30, &precise), Progress::Reached);
        assert_eq!(progress(31, &precise), Progress::Continue(60));
        assert_eq!(progress(960, &precise), Progress::Reached);
    }

    #[test]
    fn one_imprecise_metric_is_enough_to_go_on() {
        let metrics = [(estimate(100.0, 1.0), CONTINUOUS), (estimate(0.5, 0.021), PROBABILITY)];
        assert_eq!(progress(30, &metrics), Progress::Continue(60));
        assert_eq!(progress(480, &metrics), Progress::Continue(960));
        assert_eq!(progress(960, &metrics), Progress::NotReached);
        assert_eq!(progress(961, &metrics), Progress::NotReached);
    }

    #[test]
    fn edges_of_precision() {
        assert!(PROBABILITY.reached(&estimate(0.0, 0.02)));
        assert!(CONTINUOUS.reached(&estimate(-100.0, 5.0)));
        assert!(!CONTINUOUS.reached(&estimate(100.0, 5.001)));
        assert!(CONTINUOUS.reached(&estimate(0.0, 0.0)));
        assert!(!CONTINUOUS.reached(&estimate(1.0, f64::INFINITY)));
        assert!(!CONTINUOUS.reached(&estimate(f64::NAN, 0.0)));
    }
}
