//! Quantiles of a sample, and order statistics that bound a quantile of what it came from.

use super::beta::tails_at;
use super::distribution::{binomial_cdf, binomial_quantile, normal_critical, t_critical};
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

/// Between which shares of a sample a quantile lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// The share of the sample that does not exceed the lower end.
    pub low: f64,
    /// The same of the upper end.
    pub high: f64,
}

/// The shares of a sample of `n` observations between which its `p` quantile lies with
/// `confidence`; `None` if the sample is too small to bound it from both sides.
///
/// Fractional order statistics: the ends are where the binomial distribution, continued by the
/// incomplete beta function, leaves half of the rest on either side. Hutson, "Calculating
/// nonparametric confidence intervals for quantiles using fractional order statistics", Journal of
/// Applied Statistics 26 (1999). `n` need not be whole: it is an effective number where
/// observations depend on each other.
///
/// # Errors
/// [`Error::OutOfRange`] unless `p` and `confidence` are strictly between 0 and 1.
pub fn quantile_shares(n: f64, p: f64, confidence: f64) -> Result<Option<Shares>, Error> {
    if n < least_n_for_quantile(p, confidence)? as f64 {
        return Ok(None);
    }
    let tail = (1.0 - confidence) / 2.0;
    // The rank r, from 0 to n + 1, above which so much of the distribution of ranks lies: the r-th
    // of n uniform numbers has the distribution Beta(r, n + 1 - r), and is below p with
    // probability I_p(r, n + 1 - r), which falls as r grows.
    let rank = |probability: f64| {
        let (mut low, mut high) = (0.0, n + 1.0);
        for _ in 0..100 {
            let middle = (low + high) / 2.0;
            match tails_at(middle, n + 1.0 - middle, p, 1.0 - p).lower > probability {
                true => low = middle,
                false => high = middle,
            }
        }
        (low + high) / 2.0
    };
    // Rank r of a larger sample of the same spread is at the same share r / (n + 1) of it.
    let share = |rank: f64| rank / (n + 1.0);
    Ok(Some(Shares { low: share(rank(1.0 - tail)), high: share(rank(tail)) }))
}

/// How many independent observations are worth as much for the share below a `p` quantile as those
/// of some runs, which depend on each other within a run.
///
/// `below` has for each run how many of its observations do not exceed the quantile of all, and how
/// many it has. The variance of a ratio of sums over runs, against p (1 - p) / n of independent
/// observations, and fewer by (z / t)^2 because that variance is itself estimated: Korn and
/// Graubard, "Confidence intervals for proportions with small expected number of positive counts
/// estimated from survey data", Survey Methodology 24 (1998); Woodruff, "Confidence intervals for
/// medians and other position measures", Journal of the American Statistical Association 47 (1952).
/// By chance it is more than there are: to cut it off there, as Korn and Graubard do, leaves the
/// chance to the other side only, and intervals of independent observations cover too often.
///
/// # Errors
/// [`Error::TooFew`] for fewer than two runs, [`Error::OutOfRange`] unless `p` and `confidence` are
/// strictly between 0 and 1.
pub fn effective_n(below: &[(f64, f64)], p: f64, confidence: f64) -> Result<f64, Error> {
    check_open_unit("p", p)?;
    let runs = below.len() as f64;
    if below.len() < 2 {
        return Err(Error::TooFew { needed: 2, given: below.len() as u64 });
    }
    let (count, total) =
        below.iter().fold((0.0, 0.0), |(count, total), one| (count + one.0, total + one.1));
    let share = count / total;
    let squares: f64 =
        below.iter().map(|(count, of)| (count - share * of) * (count - share * of)).sum();
    let variance = runs / (runs - 1.0) * squares / (total * total);
    let ratio = normal_critical(confidence)? / t_critical(confidence, runs - 1.0)?;
    Ok(if variance > 0.0 { p * (1.0 - p) / variance * ratio * ratio } else { total })
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

    /// Of 20 observations the 6th and the 15th hold the median.
    #[test]
    fn an_interval_has_the_observations_of_its_ranks() {
        let twenty: Vec<f64> = (1..=20).map(f64::from).collect();
        let of =
            |sample: &[f64]| Sorted::new(sample).unwrap().quantile_interval(0.5, 0.95).unwrap();
        assert_eq!(of(&twenty), Interval { low: 6.0, high: 15.0 });
        assert_eq!(of(&twenty[..3]), Interval { low: f64::NEG_INFINITY, high: f64::INFINITY });
    }

    #[test]
    fn fractional_ranks_lie_within_the_whole_ones_and_hold_what_they_promise() {
        for (n, p) in [(368_u64, 0.99), (1_000, 0.99), (20, 0.5), (5_000, 0.999)] {
            let shares = quantile_shares(n as f64, p, 0.95).unwrap().unwrap();
            let whole = rank_interval(n, p, 0.95).unwrap();
            let (low, high) = (shares.low * (n + 1) as f64, shares.high * (n + 1) as f64);
            assert!(whole.low as f64 <= low && high <= whole.high as f64, "{n}: {low} to {high}");
            for (rank, tail) in [(low, 0.975), (high, 0.025)] {
                let below = tails_at(rank, (n + 1) as f64 - rank, p, 1.0 - p).lower;
                assert!((below - tail).abs() < 1e-9, "{n}, rank {rank}: {below}");
            }
        }
        assert_eq!(quantile_shares(367.0, 0.99, 0.95).unwrap(), None);
    }

    #[test]
    fn observations_that_come_together_are_worth_fewer() {
        // Each run lies below or above as a whole: it is worth one observation.
        let together: Vec<(f64, f64)> =
            (0..1000).map(|run| if run % 2 == 0 { (50.0, 50.0) } else { (0.0, 50.0) }).collect();
        let worth = effective_n(&together, 0.5, 0.95).unwrap();
        assert!((worth / 1_000.0 - 1.0).abs() < 0.01, "{worth}");
        let apart = vec![(25.0, 50.0); 1000];
        let worth = effective_n(&apart, 0.5, 0.95).unwrap();
        assert_eq!(worth, 50_000.0, "runs that do not differ");
        assert!(effective_n(&apart[..1], 0.5, 0.95).is_err());
    }

    /// By hand: 10 of 18 are below; the residuals 2/9, -11/9 and 1 give a variance of
    /// 3/2 * 206/81 / 18^2, and (z / t)^2 is (1.959964 / 4.302653)^2.
    #[test]
    fn few_runs_of_other_lengths_are_worth_what_their_ratio_says() {
        let few = [(3.0, 5.0), (1.0, 4.0), (6.0, 9.0)];
        let worth = effective_n(&few, 0.5, 0.95).unwrap();
        assert!((worth - 4.405_905_214_660_786).abs() < 1e-9, "{worth}");
        assert!(effective_n(&few[..2], 0.5, 0.95).is_ok(), "two runs tell something");
    }

    #[test]
    fn what_is_no_share_strictly_between_0_and_1_is_refused() {
        for wrong in [0.0, 1.0, 1.5, f64::NAN] {
            assert!(effective_n(&[(1.0, 2.0), (2.0, 2.0)], wrong, 0.95).is_err(), "{wrong}");
            assert!(rank_interval(10, wrong, 0.95).is_err(), "{wrong}");
            assert!(rank_interval(10, 0.5, wrong).is_err(), "{wrong}");
            assert!(least_n_for_quantile(wrong, 0.95).is_err(), "{wrong}");
        }
    }

    #[test]
    fn small_samples_have_unbounded_ends() {
        let one = Sorted::new(&[5.0]).unwrap();
        assert_eq!(one.quantile_interval(0.5, 0.95).unwrap(), Interval::UNBOUNDED);
        assert_eq!(one.type7(0.99).unwrap(), 5.0);
        assert!(Sorted::new(&[]).is_err());
        assert!(one.type7(f64::NAN).is_err());
        let none = rank_interval(0, 0.5, 0.95).unwrap();
        assert_eq!((none.low, none.high), (0, 1));
    }
}
