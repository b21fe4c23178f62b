//! Comparisons that use the order or the signs of observations only.

use super::error::{Error, check_sample};
use super::moments::check_pairs;

/// The most pairs whose signed-rank distribution is enumerated.
pub const MOST_PAIRS: usize = 1_000;

/// The probability that an observation of `first` exceeds one of `second`, ties counted half.
///
/// 0.5 means no difference. A12 of Vargha and Delaney, Journal of Educational and Behavioral
/// Statistics 25 (2000).
///
/// # Errors
/// [`Error::TooFew`] for an empty sample, [`Error::NotFinite`].
pub fn vargha_delaney(first: &[f64], second: &[f64]) -> Result<f64, Error> {
    check_sample(first, 1)?;
    check_sample(second, 1)?;
    let mut halves: u64 = 0;
    for a in first {
        for b in second {
            halves += if a > b { 2 } else { u64::from(a == b) };
        }
    }
    Ok(halves as f64 / (2.0 * first.len() as f64 * second.len() as f64))
}

/// The exact two-sided p-value of Wilcoxon's signed-rank test of paired observations.
///
/// Pairs without difference are left out, tied differences share their mean rank, and the p-value
/// is taken over all assignments of signs to these ranks; without differences it is 1. Differences
/// that agree to 1e-12 of the observations count as equal, as 0.3 - 0.2 and 0.2 - 0.1 do.
/// Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945).
///
/// # Errors
/// [`Error::Unpaired`], [`Error::TooFew`] for no pair, [`Error::NotFinite`], and [`Error::TooMany`]
/// for more than [`MOST_PAIRS`] pairs that differ.
pub fn signed_rank_exact(first: &[f64], second: &[f64]) -> Result<f64, Error> {
    check_pairs(first, second, 1)?;
    let scale = first.iter().chain(second).fold(0.0_f64, |most, value| most.max(value.abs()));
    let resolution = 1e-12 * scale;
    let mut differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    differences.retain(|difference| difference.abs() > resolution);
    if differences.len() > MOST_PAIRS {
        return Err(Error::TooMany { most: MOST_PAIRS as u64, given: differences.len() as u64 });
    }
    differences.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let ranks = doubled_ranks(&differences, resolution);
    let total: usize = ranks.iter().sum();
    let signs = differences.iter().zip(&ranks);
    let positive: usize = signs.filter(|(d, _)| **d > 0.0).map(|(_, rank)| rank).sum();
    let tail: f64 = sum_distribution(&ranks)[..=positive.min(total - positive)].iter().sum();
    Ok((2.0 * tail).min(1.0))
}

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

/// Twice the mean rank of each difference, in ascending order of size: whole numbers with ties.
fn doubled_ranks(ascending: &[f64], resolution: f64) -> Vec<usize> {
    let mut ranks = Vec::with_capacity(ascending.len());
    while ranks.len() < ascending.len() {
        let start = ranks.len();
        let size = ascending[start].abs();
        let tied = ascending[start..].iter().take_while(|d| d.abs() - size <= resolution).count();
        ranks.extend(std::iter::repeat_n(2 * start + tied + 1, tied));
    }
    ranks
}

/// The probability of each sum when every rank is counted with probability 1/2.
fn sum_distribution(ranks: &[usize]) -> Vec<f64> {
    let mut probability = vec![0.0; ranks.iter().sum::<usize>() + 1];
    probability[0] = 1.0;
    let mut reached = 0;
    for rank in ranks {
        reached += rank;
        for sum in (0..=reached).rev() {
            let with = if sum >= *rank { probability[sum - rank] } else { 0.0 };
            probability[sum] = 0.5 * (probability[sum] + with);
        }
    }
    probability
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published in tables: n = 5, smallest rank sum 0: 2/32; rank sum 1: 4/32.
    #[test]
    fn small_tables_are_exact() {
        let zero = [0.0; 5];
        assert_eq!(signed_rank_exact(&[1.0, 2.0, 3.0, 4.0, 5.0], &zero).unwrap(), 2.0 / 32.0);
        assert_eq!(signed_rank_exact(&[-1.0, 2.0, 3.0, 4.0, 5.0], &zero).unwrap(), 4.0 / 32.0);
        assert_eq!(signed_rank_exact(&[-1.0, 1.0, 2.0, -2.0], &[0.0; 4]).unwrap(), 1.0);
    }

    /// Ranks 1.5, 1.5, 3 with the 3 negative: sums 3 and 3 of 6, the middle of the distribution.
    #[test]
    fn ties_share_a_rank() {
        assert_eq!(doubled_ranks(&[0.5, -0.5, 2.0], 1e-12), vec![3, 3, 6]);
        assert_eq!(signed_rank_exact(&[1.0, 1.0, -2.0], &[0.0; 3]).unwrap(), 1.0);
    }

    /// 0.3 - 0.2 and 0.2 - 0.1 differ in the last bits.
    #[test]
    fn ties_survive_binary_fractions() {
        let (first, second) = ([0.2, 0.2, 3.0, 4.0], [0.3, 0.1, 1.0, 1.0]);
        let exact = signed_rank_exact(&[0.1, -0.1, 2.0, 3.0], &[0.0; 4]).unwrap();
        assert_ne!(second[0] - first[0], first[1] - second[1]);
        assert_eq!(signed_rank_exact(&first, &second).unwrap(), exact);
    }

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
        assert_eq!(signed_rank_exact(&[1.0, 2.0], &[1.0, 2.0]).unwrap(), 1.0);
        assert!(matches!(signed_rank_exact(&[], &[]), Err(Error::TooFew { .. })));
        let many: Vec<f64> = (1..=1_001).map(f64::from).collect();
        assert!(matches!(signed_rank_exact(&many, &[0.0; 1_001]), Err(Error::TooMany { .. })));
        let most = signed_rank_exact(&many[..1_000], &[0.0; 1_000]).unwrap();
        assert!((0.0..1e-290).contains(&most), "{most}");
        let signs = [&[0.0; 3][..], &[1.0; MOST_SIGNS]].concat();
        let least = sign_flip_exact(&signs).unwrap();
        assert_eq!(least, 2.0 / f64::from(1_u32 << MOST_SIGNS), "differences of 0 do not count");
        let more = sign_flip_exact(&[1.0; MOST_SIGNS + 1]);
        assert!(matches!(more, Err(Error::TooMany { .. })));
        assert_eq!(vargha_delaney(&[1.0], &[1.0]).unwrap(), 0.5);
        assert!(vargha_delaney(&[1.0], &[]).is_err());
    }
}
