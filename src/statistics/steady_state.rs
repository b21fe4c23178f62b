//! Long runs: where the warm-up ends, and how precise the rest is.

use super::error::{Error, check_sample};
use super::interval::{Estimate, mean_interval};
use super::moments::moments;

/// The size of the batches of MSER-5.
const BATCH: usize = 5;

/// Where MSER-5 ends the warm-up of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmUp {
    /// How many observations to leave out, from the first.
    pub truncate: usize,
    /// The mean of the observations after them.
    pub mean_after: f64,
    /// The mean of all observations.
    pub mean_all: f64,
    /// The squared standard error that was minimised, of the batch means kept.
    pub criterion: f64,
    /// Whether the last point that was searched won: then the series is not shown to have settled,
    /// and must be longer.
    pub unsettled: bool,
}

/// The warm-up of `series` by MSER-5: the truncation that minimises the squared deviations of the
/// remaining batch means over the square of their number.
///
/// Searched over the first half of the batches of 5; the first minimum wins; up to four
/// observations at the end that fill no batch do not enter the criterion. White, "An effective
/// truncation heuristic for bias reduction in simulation output", Simulation 69 (1997); Franklin
/// and White, "Stationarity tests and MSER-5", Winter Simulation Conference (2008).
///
/// # Errors
/// [`Error::TooFew`] for fewer than 20 observations, [`Error::NotFinite`], [`Error::Overflow`].
pub fn mser5(series: &[f64]) -> Result<WarmUp, Error> {
    check_sample(series, 4 * BATCH)?;
    let batches: Vec<f64> = series.chunks_exact(BATCH).map(batch_mean).collect();
    let searched = batches.len() / 2;
    let (mut best, mut criterion) = (0, f64::INFINITY);
    for start in 0..searched {
        let kept = moments(&batches[start..])?;
        let value = kept.sd * kept.sd * (kept.n - 1) as f64 / (kept.n as f64 * kept.n as f64);
        if value < criterion {
            (best, criterion) = (start, value);
        }
    }
    let truncate = best * BATCH;
    Ok(WarmUp {
        truncate,
        mean_after: moments(&series[truncate..])?.mean,
        mean_all: moments(series)?.mean,
        criterion,
        unsettled: best + 1 == searched,
    })
}

/// The mean of one long run, from the means of its batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchMeans {
    /// The mean of the batch means with Student's interval; `n` is the number of batches.
    pub estimate: Estimate,
    /// The correlation of neighbouring batch means: far from 0, the batches are too short and the
    /// interval is too narrow.
    pub lag1: f64,
}

/// The mean of `series` with an interval over `batches` batches of equal size.
///
/// Observations at the end that fill no batch are left out. Law, *Simulation Modeling and
/// Analysis*, section 9.5.3.
///
/// # Errors
/// [`Error::TooFew`] for fewer than two batches or fewer observations than batches,
/// [`Error::NotFinite`], [`Error::Overflow`], [`Error::OutOfRange`] unless `confidence` is strictly
/// between 0 and 1.
pub fn batch_means(series: &[f64], batches: usize, confidence: f64) -> Result<BatchMeans, Error> {
    if batches < 2 {
        return Err(Error::TooFew { needed: 2, given: batches as u64 });
    }
    check_sample(series, batches)?;
    let size = series.len() / batches;
    let means: Vec<f64> = series.chunks_exact(size).take(batches).map(batch_mean).collect();
    Ok(BatchMeans { estimate: mean_interval(&means, confidence)?, lag1: lag1(&means)? })
}

/// The correlation of each entry with the next: Pearson's, of all entries but the last with all but
/// the first, each around its own mean; 0 if either part does not vary.
///
/// For short series it differs from the estimate of time-series texts, which uses one mean and one
/// variance and is smaller in size.
///
/// # Errors
/// [`Error::TooFew`] for fewer than two entries, and as [`moments`].
pub fn lag1(series: &[f64]) -> Result<f64, Error> {
    check_sample(series, 2)?;
    let (before, after) = (&series[..series.len() - 1], &series[1..]);
    let (a, b) = (moments(before)?, moments(after)?);
    let products: f64 = before.iter().zip(after).map(|(x, y)| (x - a.mean) * (y - b.mean)).sum();
    let scale = a.sd * b.sd * (a.n - 1) as f64;
    Ok(if scale == 0.0 { 0.0 } else { products / scale })
}

/// The mean of a batch, exact if its entries are equal.
fn batch_mean(batch: &[f64]) -> f64 {
    batch[0] + batch.iter().map(|value| value - batch[0]).sum::<f64>() / batch.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_series_has_no_warm_up() {
        let found = mser5(&[0.1; 23]).unwrap();
        assert_eq!((found.truncate, found.mean_after, found.unsettled), (0, 0.1, false));
        assert_eq!(lag1(&[0.1; 9]).unwrap(), 0.0);
        assert_eq!(batch_means(&[0.1; 23], 5, 0.95).unwrap().estimate.mean, 0.1);
    }

    #[test]
    fn a_series_that_only_grows_has_not_settled() {
        let growing: Vec<f64> = (0..200).map(f64::from).collect();
        let found = mser5(&growing).unwrap();
        assert_eq!((found.truncate, found.unsettled), (95, true));
    }

    #[test]
    fn a_step_is_cut_where_it_ends() {
        let step: Vec<f64> =
            (0..400).map(|i| if i < 60 { 9.0 } else { f64::from(i % 2) }).collect();
        assert_eq!(mser5(&step).unwrap().truncate, 60);
    }

    #[test]
    fn short_series_are_refused() {
        assert!(matches!(mser5(&[1.0; 19]), Err(Error::TooFew { needed: 20, given: 19 })));
        assert!(batch_means(&[1.0; 5], 6, 0.95).is_err());
        assert!(batch_means(&[1.0; 5], 1, 0.95).is_err());
        assert!(lag1(&[]).is_err());
    }

    #[test]
    fn neighbours_correlate_from_minus_one_to_one() {
        assert!((lag1(&[1.0, -1.0, 1.0, -1.0]).unwrap() + 1.0).abs() < 1e-15);
        assert!((lag1(&[1.0, 2.0, 3.0, 4.0]).unwrap() - 1.0).abs() < 1e-15);
        assert_eq!(lag1(&[1.0, 2.0]).unwrap(), 0.0);
    }
}
