//! Quantiles of a sample, and order statistics that bound a quantile of what it came from.

use super::beta::beta_tails;
use super::distribution::{binomial_cdf, binomial_quantile};
use super::error::{Error, ceiling, check_open_unit, check_sample, check_unit};
use super::interval::Interval;

/// A sample in ascending order, at least one entry, all finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Sorted(Vec<f64>);

impl Sorted {
    /// Sorts a copy of `sample`.
    ///
    /// # Errors
    /// [`Error::TooFew`] for an empty sample, [`Error::NotFinite`].
    pub fn new(sample: &[f64]) -> Result<Sorted, Error> {
        check_sample(sample, 1)?;
        let mut values = sample.to_vec();
        values.sort_by(f64::total_cmp);
        Ok(Sorted(values))
    }

    /// The entries in ascending order.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The quantile at position (n - 1) p, interpolated: type 7 of Hyndman and Fan, "Sample
    /// quantiles in statistical packages", The American Statistician 50 (1996).
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless `p` is in [0, 1].
    pub fn type7(&self, p: f64) -> Result<f64, Error> {
        check_unit("p", p)?;
        let position = (self.0.len() - 1) as f64 * p;
        let below = position.floor();
        let low = self.0[below as usize];
        let high = self.0[(below as usize + 1).min(self.0.len() - 1)];
        Ok((low + (position - below) * (high - low)).clamp(low, high))
    }

    /// The entry of rank ceil(n p), at least the first: the nearest rank, type 1 of Hyndman, Fan.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless `p` is in [0, 1].
    pub fn nearest_rank(&self, p: f64) -> Result<f64, Error> {
        check_unit("p", p)?;
        let rank = ceiling(self.0.len() as f64 * p).max(1);
        Ok(self.0[rank as usize - 1])
    }

    /// The mean of all order statistics, weighted by Beta((n + 1) p, (n + 1) (1 - p)): Harrell and
    /// Davis, "A new distribution-free quantile estimator", Biometrika 69 (1982).
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless `p` is strictly between 0 and 1.
    pub fn harrell_davis(&self, p: f64) -> Result<f64, Error> {
        check_open_unit("p", p)?;
        let n = self.0.len() as f64;
        let (a, b) = ((n + 1.0) * p, (n + 1.0) * (1.0 - p));
        let first = self.0[0];
        let (mut excess, mut before) = (0.0, 0.0);
        for (index, value) in self.0.iter().enumerate() {
            let after = beta_tails(a, b, (index as f64 + 1.0) / n)?.lower;
            excess += (after - before) * (value - first);
            before = after;
        }
        Ok((first + excess).clamp(first, self.0[self.0.len() - 1]))
    }

    /// The distribution-free interval of the `p` quantile; an end is infinite if the sample is too
    /// small to bound it.
    ///
    /// # Errors
    /// As [`rank_interval`].
    pub fn quantile_interval(&self, p: f64, confidence: f64) -> Result<Interval, Error> {
        let n = self.0.len() as u64;
        let ranks = rank_interval(n, p, confidence)?;
        let low = ranks.low.checked_sub(1).map(|index| self.0[index as usize]);
        let high = self.0.get(ranks.high as usize - 1).copied();
        Ok(Interval { low: low.unwrap_or(f64::NEG_INFINITY), high: high.unwrap_or(f64::INFINITY) })
    }
}

/// The ranks, from 1, of the two order statistics that hold a quantile between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankInterval {
    /// The rank of the lower end; 0 if there is no lower bound.
    pub low: u64,
    /// The rank of the upper end; n + 1 if there is no upper bound.
    pub high: u64,
    /// The probability that the interval holds the quantile of a continuous distribution.
    pub coverage: f64,
}

/// The order statistics of `n` independent observations between which the `p` quantile lies with at
/// least `confidence`, each tail with at most half of the rest.
///
/// Binomial ranks: David and Nagaraja, *Order Statistics* (2003), section 7.1. Without observations
/// the ranks are 0 and 1, both unbounded.
///
/// # Errors
/// [`Error::OutOfRange`] unless `p` and `confidence` are strictly between 0 and 1.
pub fn rank_interval(n: u64, p: f64, confidence: f64) -> Result<RankInterval, Error> {
    check_open_unit("p", p)?;
    check_open_unit("confidence", confidence)?;
    let tail = (1.0 - confidence) / 2.0;
    let low = binomial_quantile(tail, n, p)?;
    let high = binomial_quantile(1.0 - tail, n, p)? + 1;
    let below = if low == 0 { 0.0 } else { binomial_cdf(low - 1, n, p)? };
    Ok(RankInterval { low, high, coverage: binomial_cdf(high - 1, n, p)? - below })
}

/// The least number of independent observations whose extremes bound the `p` quantile from both
/// sides, each tail with at most half of 1 - `confidence`.
///
/// The least n with max(p, 1 - p)^n at most that half: 368 for the 99th percentile at 95%.
///
/// # Errors
/// [`Error::OutOfRange`] unless `p` and `confidence` are strictly between 0 and 1.
pub fn least_n_for_quantile(p: f64, confidence: f64) -> Result<u64, Error> {
    check_open_unit("p", p)?;
    check_open_unit("confidence", confidence)?;
    Ok(ceiling(libm::log((1.0 - confidence) / 2.0) / libm::log(p.max(1.0 - p))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_n_is_where_both_ends_appear() {
        for p in [0.5, 0.9, 0.99, 0.01, 0.999] {
            let n = least_n_for_quantile(p, 0.95).unwrap();
            let enough = rank_interval(n, p, 0.95).unwrap();
            assert!(enough.low >= 1 && enough.high <= n, "{p}: {n}: {enough:?}");
            let short = rank_interval(n - 1, p, 0.95).unwrap();
            assert!(short.low == 0 || short.high == n, "{p}: {n}: {short:?}");
        }
    }

    #[test]
    fn small_samples_have_unbounded_ends() {
        let one = Sorted::new(&[5.0]).unwrap();
        assert_eq!(one.quantile_interval(0.5, 0.95).unwrap(), Interval::UNBOUNDED);
        assert_eq!(one.type7(0.99).unwrap(), 5.0);
        assert_eq!(one.harrell_davis(0.99).unwrap(), 5.0);
        assert!(Sorted::new(&[]).is_err());
        assert!(one.type7(f64::NAN).is_err());
        let none = rank_interval(0, 0.5, 0.95).unwrap();
        assert_eq!((none.low, none.high), (0, 1));
    }

    /// 0.07 * 100 is above 7 in binary; the rank is 7 all the same.
    #[test]
    fn ranks_do_not_suffer_from_binary_fractions() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        let sorted = Sorted::new(&hundred).unwrap();
        for percent in 1..=100 {
            let expected = f64::from(percent);
            assert_eq!(sorted.nearest_rank(expected / 100.0).unwrap(), expected);
        }
    }
}
