//! The mean and the spread of a sample.

use super::error::{Error, check_sample};

/// The mean and standard deviation of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// How many observations.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// The square root of the unbiased variance; 0 for one observation.
    pub sd: f64,
}

impl Moments {
    /// The standard error of the mean; 0 for one observation, where nothing is known about it.
    pub fn standard_error(&self) -> f64 {
        self.sd / (self.n as f64).sqrt()
    }
}

/// The mean and standard deviation of `sample`, in two passes around its first value.
///
/// The shift makes a constant sample exact: its mean is that constant, its deviation 0.
///
/// # Errors
/// [`Error::TooFew`] for no observation, [`Error::NotFinite`] for one that is not finite, and
/// [`Error::Overflow`] if squares of the deviations exceed a double.
pub fn moments(sample: &[f64]) -> Result<Moments, Error> {
    check_sample(sample, 1)?;
    let n = sample.len() as f64;
    let first = sample[0];
    let mean = first + sample.iter().map(|value| value - first).sum::<f64>() / n;
    let squares: f64 = sample.iter().map(|value| (value - mean) * (value - mean)).sum();
    let sd = if sample.len() == 1 { 0.0 } else { (squares / (n - 1.0)).sqrt() };
    if !mean.is_finite() || !sd.is_finite() {
        return Err(Error::Overflow { result: "mean or standard deviation" });
    }
    Ok(Moments { n: sample.len() as u64, mean, sd })
}

/// The differences first - second, pair by pair.
///
/// # Errors
/// [`Error::Unpaired`] if the lengths differ, and as [`moments`] for either sample.
pub fn differences(first: &[f64], second: &[f64]) -> Result<Vec<f64>, Error> {
    check_pairs(first, second, 1)?;
    Ok(first.iter().zip(second).map(|(a, b)| a - b).collect())
}

/// Refuses samples that are not pairs of at least `needed` finite observations.
pub(super) fn check_pairs(first: &[f64], second: &[f64], needed: usize) -> Result<(), Error> {
    if first.len() != second.len() {
        return Err(Error::Unpaired { first: first.len(), second: second.len() });
    }
    check_sample(first, needed)?;
    check_sample(second, needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_sample_has_exactly_no_spread() {
        let constant = moments(&[0.1; 30]).unwrap();
        assert_eq!((constant.mean, constant.sd), (0.1, 0.0));
    }

    #[test]
    fn what_cannot_be_averaged_is_refused() {
        assert_eq!(moments(&[]), Err(Error::TooFew { needed: 1, given: 0 }));
        assert_eq!(moments(&[0.0, f64::NAN]), Err(Error::NotFinite { position: 1 }));
        assert!(matches!(moments(&[f64::MAX, f64::MIN]), Err(Error::Overflow { .. })));
        assert!(matches!(differences(&[1.0], &[]), Err(Error::Unpaired { first: 1, second: 0 })));
    }

    #[test]
    fn one_observation_is_its_own_mean() {
        assert_eq!(moments(&[3.0]).unwrap(), Moments { n: 1, mean: 3.0, sd: 0.0 });
    }
}
