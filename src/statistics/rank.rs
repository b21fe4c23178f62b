//! A comparison that uses the signs of differences only.

use super::error::{Error, check_sample};

/// The most differences other than 0 whose signs are enumerated.
pub const MOST_SIGNS: usize = 20;

/// The exact two-sided p-value of Fisher's sign-flip test of paired differences.
///
/// The share of all assignments of signs whose sum is at least as far from 0 as the one observed;
/// without a difference it is 1. It assumes nothing of how large the differences are, only that
/// each pair could as well have been the other way round if the arms are alike. Fisher, *The Design
/// of Experiments* (1935), section 21.
///
/// # Errors
/// [`Error::TooFew`] for no pair, [`Error::NotFinite`], and [`Error::TooMany`] for more than
/// [`MOST_SIGNS`] differences other than 0.
pub fn sign_flip_exact(differences: &[f64]) -> Result<f64, Error> {
    check_sample(differences, 1)?;
    let sizes: Vec<f64> = differences.iter().map(|it| it.abs()).filter(|it| *it > 0.0).collect();
    if sizes.len() > MOST_SIGNS {
        return Err(Error::TooMany { most: MOST_SIGNS as u64, given: sizes.len() as u64 });
    }
    let observed = differences.iter().sum::<f64>().abs();
    let resolution = 1e-12 * sizes.iter().sum::<f64>();
    let sum = |signs: u32| -> f64 {
        let signed = sizes.iter().enumerate();
        signed.map(|(bit, size)| if signs >> bit & 1 == 1 { *size } else { -size }).sum()
    };
    let all = 1_u32 << sizes.len();
    let as_far = (0..all).filter(|signs| sum(*signs).abs() >= observed - resolution).count();
    Ok(as_far as f64 / f64::from(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_counted_exactly() {
        assert_eq!(sign_flip_exact(&[5.0, 1.0, 7.0]).unwrap(), 2.0 / 8.0);
        assert_eq!(sign_flip_exact(&[3.0; 8]).unwrap(), 2.0 / 256.0);
        // Sums of ±1 ±2 ±4: 7, 5, 3, 1 and their negatives; 5 is reached by four of eight.
        assert_eq!(sign_flip_exact(&[-1.0, 2.0, 4.0]).unwrap(), 4.0 / 8.0);
        assert_eq!(sign_flip_exact(&[0.0, 0.0]).unwrap(), 1.0);
        assert_eq!(sign_flip_exact(&[0.0, 0.3, 0.1]).unwrap(), 2.0 / 4.0);
        assert!(sign_flip_exact(&[]).is_err());
        assert!(matches!(sign_flip_exact(&[1.0; 21]), Err(Error::TooMany { .. })));
    }

    #[test]
    fn edges_are_answered_or_refused() {
        let signs = [&[0.0; 3][..], &[1.0; MOST_SIGNS]].concat();
        let least = sign_flip_exact(&signs).unwrap();
        assert_eq!(least, 2.0 / f64::from(1_u32 << MOST_SIGNS), "differences of 0 do not count");
        let more = sign_flip_exact(&[1.0; MOST_SIGNS + 1]);
        assert!(matches!(more, Err(Error::TooMany { .. })));
    }
}
