//! Means and variances of spans, and how often a sum of them is longer than a timeout.

use crate::kernel::draw::Draw;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;

/// A length of time of which two moments are known, in seconds and their square.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    /// The mean; infinite where it may never end.
    pub(super) mean: f64,
    /// The variance.
    pub(super) variance: f64,
}

/// The draws at which a distribution is looked at for its variance.
const POINTS: u64 = 128;

impl Moments {
    /// The same length every time.
    pub(super) fn constant(seconds: f64) -> Moments {
        Moments { mean: seconds, variance: 0.0 }
    }

    /// Those of a distribution, `factor` times as long.
    pub(super) fn of(distribution: &Distribution, factor: f64) -> Moments {
        if let Distribution::Constant(span) = distribution {
            return Moments::constant(span.seconds() * factor);
        }
        let Some(mean) = distribution.mean().map(Span::seconds) else {
            return Moments::constant(f64::INFINITY);
        };
        // The middles of equal shares of all draws: a tail beyond the last one is left out.
        let step = u64::MAX / POINTS;
        let at = |index: u64| distribution.sample(Draw(step * index + step / 2)).seconds();
        let squares: f64 = (0..POINTS).map(|index| (at(index) - mean) * (at(index) - mean)).sum();
        let variance = squares / POINTS as f64;
        Moments { mean: mean * factor, variance: variance * factor * factor }
    }

    /// One after the other.
    pub(super) fn then(self, other: Moments) -> Moments {
        Moments { mean: self.mean + other.mean, variance: self.variance + other.variance }
    }

    /// That many of them, or with that probability: a count below 1 is how often there is one.
    pub(super) fn times(self, count: f64) -> Moments {
        if count == 0.0 {
            return Moments::default();
        }
        Moments { mean: self.mean * count, variance: self.variance * count }
    }

    /// How likely it is to be over by then, and its mean if it is cut off then, by the lognormal
    /// distribution with the same two moments.
    pub(super) fn cut_at(self, timeout: Option<f64>) -> (f64, f64) {
        let Some(timeout) = timeout else { return (1.0, self.mean) };
        if self.mean == f64::INFINITY {
            return (0.0, timeout);
        }
        if self.variance <= self.mean * self.mean * 1e-12 {
            return if self.mean <= timeout { (1.0, self.mean) } else { (0.0, timeout) };
        }
        let square = libm::log1p(self.variance / (self.mean * self.mean));
        let (sigma, location) = (square.sqrt(), libm::log(self.mean) - square / 2.0);
        let z = (libm::log(timeout) - location) / sigma;
        let in_time = normal(z);
        (in_time, self.mean * normal(z - sigma) + timeout * (1.0 - in_time))
    }
}

/// The distribution function of the standard normal.
fn normal(z: f64) -> f64 {
    libm::erfc(-z / core::f64::consts::SQRT_2) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lognormal_time_is_over_by_its_median_half_of_the_time() {
        let latency = Distribution::Lognormal { median: Span::from_millis(800), sigma: 0.5 };
        let moments = Moments::of(&latency, 1.0);
        let (in_time, held) = moments.cut_at(Some(0.8));
        assert!((in_time - 0.5).abs() < 0.02, "{in_time}");
        // E[min(X, m)] = m (e^(s^2/2) P(Z < -s) + 1/2) with s = 0.5.
        let exact = 0.8 * (libm::exp(0.125) * normal(-0.5) + 0.5);
        assert!((held - exact).abs() < 0.01, "{held} {exact}");
    }

    #[test]
    fn what_never_ends_is_cut_off_at_the_timeout() {
        assert_eq!(Moments::constant(f64::INFINITY).cut_at(Some(2.0)), (0.0, 2.0));
        assert_eq!(Moments::constant(3.0).cut_at(Some(2.0)), (0.0, 2.0));
        assert_eq!(Moments::constant(1.0).cut_at(Some(2.0)), (1.0, 1.0));
        assert_eq!(Moments::constant(1.0).cut_at(None), (1.0, 1.0));
    }
}
