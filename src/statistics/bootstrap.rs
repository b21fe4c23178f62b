//! Bootstrap intervals over replications: bias-corrected and accelerated.
//!
//! The units resampled are replications or pairs of them, never observations of one run: those
//! depend on each other.

use super::distribution::{normal_cdf, normal_quantile};
use super::error::{Error, check_open_unit, check_sample};
use super::interval::{Estimate, Interval};
use super::moments::check_pairs;
use super::quantile::Sorted;
use crate::kernel::draw::{Draw, stream};
use rand_chacha::rand_core::Rng;

/// How many resamples an interval rests on.
pub const RESAMPLES: usize = 10_000;

const NOT_FINITE: Error = Error::Overflow { result: "bootstrapped statistic" };

/// The name of the random stream of a bootstrap: of which seed, and which stream of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The master seed.
    pub seed: u64,
    /// The stream of that seed; a different one for every interval. Stream 0 belongs to runs.
    pub stream: u64,
}

/// The mean of a sample with its BCa interval.
///
/// # Errors
/// As [`bca`].
pub fn mean(sample: &[f64], confidence: f64, source: Source) -> Result<Estimate, Error> {
    check_sample(sample, 2)?;
    bca(sample.len(), |picked| mean_at(sample, picked), confidence, source)
}

/// The mean of `first` over the mean of `second`, resampled in pairs, with its BCa interval.
///
/// # Errors
/// As [`bca`], and [`Error::Unpaired`] if the lengths differ. [`Error::Overflow`] if a resample of
/// `second` has mean 0: then no interval of the ratio exists.
pub fn ratio_of_means(
    first: &[f64],
    second: &[f64],
    confidence: f64,
    source: Source,
) -> Result<Estimate, Error> {
    check_pairs(first, second, 2)?;
    let ratio = |picked: &[usize]| mean_at(first, picked) / mean_at(second, picked);
    bca(first.len(), ratio, confidence, source)
}

/// The BCa interval of any statistic of `n` independent units, from [`RESAMPLES`] resamples.
///
/// `statistic` is given the positions of the units picked, n of them or n - 1 for the jackknife. A
/// statistic that is the same in every resample gives an interval of width 0. Resamples equal to
/// the estimate count half in the bias correction, and ends between two resamples are interpolated
/// (type 7). Efron, "Better bootstrap confidence intervals", JASA 82 (1987); Efron and Tibshirani,
/// *An Introduction to the Bootstrap* (1993), section 14.3.
///
/// # Errors
/// [`Error::TooFew`] for fewer than two units, [`Error::OutOfRange`] unless `confidence` is
/// strictly between 0 and 1, [`Error::Overflow`] if the statistic of a resample is not finite.
pub fn bca(
    n: usize,
    statistic: impl Fn(&[usize]) -> f64,
    confidence: f64,
    source: Source,
) -> Result<Estimate, Error> {
    check_open_unit("confidence", confidence)?;
    if n < 2 {
        return Err(Error::TooFew { needed: 2, given: n as u64 });
    }
    let everyone: Vec<usize> = (0..n).collect();
    let estimate = statistic(&everyone);
    let resampled = Sorted::new(&resample(n, &statistic, source)).map_err(|_| NOT_FINITE)?;
    let acceleration = acceleration(&everyone, &statistic);
    if !estimate.is_finite() || !acceleration.is_finite() {
        return Err(NOT_FINITE);
    }
    let bias = bias(&resampled, estimate)?;
    let end = |tail: f64| -> Result<f64, Error> {
        let shift = bias + normal_quantile(tail)?;
        let scale = 1.0 - acceleration * shift;
        let level = if scale > 0.0 { normal_cdf(bias + shift / scale) } else { tail.round() };
        resampled.type7(level)
    };
    let tail = (1.0 - confidence) / 2.0;
    let interval = Interval { low: end(tail)?, high: end(1.0 - tail)? };
    Ok(Estimate { mean: estimate, interval, n: n as u64 })
}

/// The statistic of every resample, in the order drawn.
fn resample(n: usize, statistic: &impl Fn(&[usize]) -> f64, source: Source) -> Vec<f64> {
    let mut random = stream(source.seed, source.stream);
    let mut picked = vec![0; n];
    (0..RESAMPLES)
        .map(|_| {
            for unit in &mut picked {
                *unit = Draw(random.next_u64()).below(n as u64) as usize;
            }
            statistic(&picked)
        })
        .collect()
}

/// The bias correction: the normal quantile of the share of resamples below the estimate.
fn bias(resampled: &Sorted, estimate: f64) -> Result<f64, Error> {
    let below = resampled.values().partition_point(|value| *value < estimate);
    let not_above = resampled.values().partition_point(|value| *value <= estimate);
    let half = 0.5 / RESAMPLES as f64;
    normal_quantile(((below + not_above) as f64 * half).clamp(half, 1.0 - half))
}

/// The acceleration, from the skewness of the jackknife; 0 where the jackknife does not vary.
fn acceleration(everyone: &[usize], statistic: &impl Fn(&[usize]) -> f64) -> f64 {
    let n = everyone.len();
    let without: Vec<f64> = (0..n)
        .map(|left_out| {
            let others: Vec<usize> = everyone.iter().copied().filter(|u| *u != left_out).collect();
            statistic(&others)
        })
        .collect();
    let centre = without[0] + without.iter().map(|v| v - without[0]).sum::<f64>() / n as f64;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in without {
        let deviation = centre - value;
        squares += deviation * deviation;
        cubes += deviation * deviation * deviation;
    }
    if squares == 0.0 { 0.0 } else { cubes / (6.0 * squares * squares.sqrt()) }
}

/// The mean of the picked units, exact if they are all equal.
fn mean_at(sample: &[f64], picked: &[usize]) -> f64 {
    let first = sample[picked[0]];
    let excess: f64 = picked.iter().map(|unit| sample[*unit] - first).sum();
    first + excess / picked.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Source = Source { seed: 7, stream: 1 };
    const SKEWED: [f64; 12] = [0.1, 0.2, 0.3, 0.5, 0.6, 0.9, 1.1, 1.4, 2.0, 2.9, 4.4, 9.0];

    /// The same formulas in NumPy with 10^6 resamples give 0.983 and 4.158.
    #[test]
    fn a_skewed_sample_is_corrected_upwards() {
        let found = mean(&SKEWED, 0.95, SOURCE).unwrap();
        let upwards = found.interval.high - found.mean;
        assert!(upwards > 1.5 * (found.mean - found.interval.low), "{found:?}");
        assert!((found.interval.low - 0.983).abs() < 0.03, "{found:?}");
        assert!((found.interval.high - 4.158).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn the_stream_decides_and_nothing_else() {
        let again = mean(&SKEWED, 0.95, SOURCE).unwrap();
        assert_eq!(mean(&SKEWED, 0.95, SOURCE).unwrap(), again);
        let other = Source { stream: 2, ..SOURCE };
        assert_ne!(mean(&SKEWED, 0.95, other).unwrap(), again);
    }

    #[test]
    fn a_constant_sample_has_an_interval_of_width_zero() {
        let found = mean(&[0.1; 30], 0.95, SOURCE).unwrap();
        assert_eq!((found.mean, found.interval), (0.1, Interval { low: 0.1, high: 0.1 }));
        let same = ratio_of_means(&SKEWED, &SKEWED, 0.95, SOURCE).unwrap();
        assert_eq!((same.mean, same.interval), (1.0, Interval { low: 1.0, high: 1.0 }));
    }

    /// Three eighths of the resamples equal the estimate: counted half, they leave no bias.
    #[test]
    fn resamples_equal_to_the_estimate_count_half() {
        let found = mean(&[0.0, 0.0, 1.0, 1.0], 0.95, SOURCE).unwrap();
        assert_eq!(found.interval, Interval { low: 0.0, high: 1.0 });
    }

    #[test]
    fn what_has_no_bootstrap_is_refused() {
        assert!(matches!(mean(&[1.0], 0.95, SOURCE), Err(Error::TooFew { needed: 2, .. })));
        assert!(matches!(mean(&[1.0, f64::NAN], 0.95, SOURCE), Err(Error::NotFinite { .. })));
        let zeros = ratio_of_means(&[1.0, 2.0], &[0.0, 1.0], 0.95, SOURCE);
        assert!(matches!(zeros, Err(Error::Overflow { .. })));
    }
}
