//! Long runs: where the warm-up ends.

use super::error::{Error, check_sample};
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
    }
}
