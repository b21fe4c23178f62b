//! Sampling by inversion: one draw per variate, monotone in the draw, the same bits on every
//! platform (`libm` instead of the platform's mathematics).

use std::sync::Arc;

use super::draw::Draw;
use super::erlang;
use super::normal::normal_quantile;
use super::time::Span;

/// A distribution of lengths of time.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Constant(Span),
    /// Anything between two bounds with equal probability.
    Uniform {
        /// The shortest.
        low: Span,
        /// The longest.
        high: Span,
    },
    /// Memoryless, with this mean.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// `mean + sigma * Z` with `Z` standard normal; what would be negative is no time at all.
    Normal {
        /// The mean.
        mean: Span,
        /// The standard deviation.
        sigma: Span,
    },
    /// `median * exp(sigma * Z)` with `Z` standard normal.
    Lognormal {
        /// The median.
        median: Span,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// At least `scale`, with tail `(scale / x)^shape`.
    Pareto {
        /// The shortest.
        scale: Span,
        /// The exponent of the tail.
        shape: f64,
    },
    /// With tail `exp(-(x / scale)^shape)`: a shape below 1 has the heavier tail.
    Weibull {
        /// What all but `1 / e` are shorter than.
        scale: Span,
        /// The exponent.
        shape: f64,
    },
    /// The sum of equal exponential stages.
    Erlang {
        /// How many stages.
        stages: u32,
        /// The mean of their sum.
        mean: Span,
    },
    /// One of several, made by [`Distribution::mixture`].
    Mixture(Arc<[Part]>),
    /// Each of these with equal probability, shortest first; at least one.
    Empirical(Arc<[Span]>),
}

/// One distribution of a mixture.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The last of the draws that choose it.
    last: u64,
    /// How often it is chosen.
    pub share: f64,
    /// What is chosen.
    pub distribution: Distribution,
}

impl Distribution {
    /// Each of these distributions in its share of all cases; the shares are positive and add up
    /// to 1.
    ///
    /// They are put in the order of their means, so that a larger draw means a longer span as far
    /// as one part after the other can.
    #[must_use]
    pub fn mixture(mut shares: Vec<(f64, Distribution)>) -> Distribution {
        let mean = |distribution: &Distribution| distribution.mean().unwrap_or(Span::MAX);
        shares.sort_by_key(|(_, distribution)| mean(distribution));
        let count = shares.len();
        let mut sum = 0.0;
        let part = |(index, (share, distribution)): (usize, (f64, Distribution))| {
            sum += share;
            let is_last = index + 1 == count;
            let last = if is_last { u64::MAX } else { (sum * u64::MAX as f64) as u64 };
            Part { last, share, distribution }
        };
        Distribution::Mixture(shares.into_iter().enumerate().map(part).collect())
    }

    /// The variate of this draw. Larger draws never give shorter spans, but across the parts of a
    /// mixture, and in an Erlang distribution by more than the last nanosecond.
    #[must_use]
    pub fn sample(&self, draw: Draw) -> Span {
        match *self {
            Distribution::Constant(span) => span,
            Distribution::Uniform { low, high } => {
                Span(low.0 + draw.below((high - low).0.saturating_add(1)))
            }
            Distribution::Exponential { mean } => mean.scaled(unit_exponential(draw)),
            Distribution::Normal { mean, sigma } => {
                Span::from_nanos_f64(mean.0 as f64 + sigma.0 as f64 * standard_normal(draw))
            }
            Distribution::Lognormal { median, sigma } => {
                median.scaled(libm::exp(sigma * standard_normal(draw)))
            }
            Distribution::Pareto { scale, shape } => {
                scale.scaled(libm::pow(1.0 - draw.unit(), -1.0 / shape))
            }
            Distribution::Weibull { scale, shape } => {
                scale.scaled(libm::pow(unit_exponential(draw), 1.0 / shape))
            }
            Distribution::Erlang { stages, mean } => {
                mean.scaled(erlang::quantile(stages, draw) / f64::from(stages))
            }
            Distribution::Mixture(ref parts) => {
                let index = parts.partition_point(|part| part.last < draw.0);
                let first = if index == 0 { 0 } else { parts[index - 1].last + 1 };
                let width = u128::from(parts[index].last - first) + 1;
                let within = (u128::from(draw.0 - first) << 64) / width;
                parts[index].distribution.sample(Draw(within as u64))
            }
            Distribution::Empirical(ref spans) => spans[draw.below(spans.len() as u64) as usize],
        }
    }

    /// The mean, or `None` where it is infinite.
    #[must_use]
    pub fn mean(&self) -> Option<Span> {
        match *self {
            Distribution::Constant(span) => Some(span),
            Distribution::Uniform { low, high } => Some(Span(low.0 + (high - low).0 / 2)),
            Distribution::Exponential { mean } => Some(mean),
            Distribution::Normal { mean, sigma } => Some(folded_at_zero(mean, sigma)),
            Distribution::Lognormal { median, sigma } => {
                Some(median.scaled(libm::exp(sigma * sigma / 2.0)))
            }
            Distribution::Pareto { scale, shape } => {
                (shape > 1.0).then(|| scale.scaled(shape / (shape - 1.0)))
            }
            Distribution::Weibull { scale, shape } => {
                Some(scale.scaled(libm::tgamma(1.0 + 1.0 / shape)))
            }
            Distribution::Erlang { mean, .. } => Some(mean),
            Distribution::Mixture(ref parts) => {
                let nanos = |part: &Part| Some(part.share * part.distribution.mean()?.0 as f64);
                let total: Option<f64> = parts.iter().map(nanos).sum();
                total.map(Span::from_nanos_f64)
            }
            Distribution::Empirical(ref spans) => {
                let total: u128 = spans.iter().map(|span| u128::from(span.0)).sum();
                Some(Span((total / spans.len() as u128) as u64))
            }
        }
    }
}

/// The mean of a normal variate whose negative part is 0: `m P(Z > -m/s) + s phi(m/s)`.
fn folded_at_zero(mean: Span, sigma: Span) -> Span {
    let (m, s) = (mean.0 as f64, sigma.0 as f64);
    if s == 0.0 {
        return mean;
    }
    let ratio = m / s;
    let above = 1.0 - libm::erfc(ratio / core::f64::consts::SQRT_2) / 2.0;
    let density = libm::exp(-ratio * ratio / 2.0) / (2.0 * core::f64::consts::PI).sqrt();
    Span::from_nanos_f64(m * above + s * density)
}

/// The exponential variate of mean 1 of this draw: `-ln(1 - u)`, increasing in the draw.
#[must_use]
pub fn unit_exponential(draw: Draw) -> f64 {
    -libm::log(1.0 - draw.unit())
}

/// The standard normal variate of this draw.
#[must_use]
pub fn standard_normal(draw: Draw) -> f64 {
    // The middle of each of 2^53 cells, mirrored at the centre, so that neither end is infinite.
    const CELLS: u64 = 1 << 53;
    let cell = draw.0 >> 11;
    let quantile = |cell: u64| normal_quantile((cell as f64 + 0.5) / CELLS as f64);
    if cell < CELLS / 2 { quantile(cell) } else { -quantile(CELLS - 1 - cell) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::draw::{Draws, Purpose};

    #[test]
    fn samples_are_monotone_in_the_draw_and_have_their_mean() {
        let mean = Span::from_millis(10);
        let distributions = [
            Distribution::Constant(mean),
            Distribution::Uniform { low: Span::from_millis(5), high: Span::from_millis(15) },
            Distribution::Exponential { mean },
            Distribution::Normal { mean, sigma: Span::from_millis(2) },
            Distribution::Normal { mean, sigma: mean },
            Distribution::Lognormal { median: Span::from_millis(8), sigma: 0.5 },
            Distribution::Pareto { scale: Span::from_millis(5), shape: 3.0 },
            Distribution::Weibull { scale: Span::from_millis(10), shape: 1.5 },
            Distribution::Erlang { stages: 4, mean },
            Distribution::Empirical([4, 5, 20].map(Span::from_millis).into()),
        ];
        let mut draws = Draws::new(1);
        for distribution in distributions {
            let mut units: Vec<Draw> =
                (0..100_000).map(|work| draws.draw(Purpose::Service, 0, work, 0)).collect();
            units.sort_by_key(|draw| draw.0);
            let samples: Vec<Span> = units.iter().map(|&draw| distribution.sample(draw)).collect();
            assert!(samples.is_sorted(), "{distribution:?}");
            let sum: f64 = samples.iter().map(|span| span.seconds()).sum();
            let expected = distribution.mean().unwrap().seconds();
            let relative = sum / 100_000.0 / expected - 1.0;
            // The largest standard error is the exponential's, 1/sqrt(n) = 0.0032.
            assert!(relative.abs() < 0.016, "{distribution:?}: {relative}");
        }
    }

    #[test]
    fn a_mixture_uses_one_draw_for_the_choice_and_the_length() {
        let ms = Span::from_millis;
        let slow = Distribution::Uniform { low: ms(100), high: ms(200) };
        let fast = Distribution::Uniform { low: ms(1), high: ms(2) };
        let mixture = Distribution::mixture(vec![(0.25, slow), (0.75, fast)]);
        let at = |unit: f64| mixture.sample(Draw::from_unit(unit)).millis();
        let near = |unit: f64, expected: f64| assert!((at(unit) / expected - 1.0).abs() < 1e-5);
        for (unit, expected) in [(0.0, 1.0), (0.375, 1.5), (0.749_999, 2.0)] {
            near(unit, expected);
        }
        for (unit, expected) in [(0.750_001, 100.0), (0.875, 150.0), (0.999_999, 200.0)] {
            near(unit, expected);
        }
        assert_eq!(mixture.mean(), Some(Span(38_625_000)));
        let heavy = Distribution::Pareto { scale: ms(1), shape: 1.0 };
        let parts = vec![(0.5, heavy), (0.5, Distribution::Constant(ms(9)))];
        assert_eq!(Distribution::mixture(parts).mean(), None);
    }

    #[test]
    fn larger_kinds_do_not_make_a_distribution_larger() {
        assert!(size_of::<Distribution>() <= 24);
    }

    #[test]
    fn the_ends_of_the_draw_give_finite_spans() {
        for distribution in [
            Distribution::Weibull { scale: Span::from_secs(1), shape: 0.5 },
            Distribution::Erlang { stages: 100, mean: Span::from_secs(1) },
            Distribution::Empirical([Span(1), Span(2)].into()),
            Distribution::Exponential { mean: Span::from_secs(1) },
            Distribution::Lognormal { median: Span::from_secs(1), sigma: 1.0 },
            Distribution::Uniform { low: Span::ZERO, high: Span::MAX },
        ] {
            assert!(distribution.sample(Draw(0)) < Span::MAX);
            assert!(distribution.sample(Draw(0)) <= distribution.sample(Draw(u64::MAX)));
        }
    }
}
