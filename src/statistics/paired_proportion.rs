//! Two arms on the same seeds, compared by whether something happened.

use super::distribution::binomial_cdf;
use super::error::Error;
use super::interval::Estimate;
use super::proportion::{square_and_add, wilson};

/// The two-by-two table of paired outcomes: in how many pairs it happened where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairedCounts {
    /// Pairs in which it happened in both arms.
    pub both: u64,
    /// Pairs in which it happened in the first arm only.
    pub first_only: u64,
    /// Pairs in which it happened in the second arm only.
    pub second_only: u64,
    /// Pairs in which it happened in neither arm.
    pub neither: u64,
}

impl PairedCounts {
    /// The table of two lists of outcomes, pair by pair.
    ///
    /// # Errors
    /// [`Error::Unpaired`] if the lengths differ.
    pub fn count(first: &[bool], second: &[bool]) -> Result<PairedCounts, Error> {
        if first.len() != second.len() {
            return Err(Error::Unpaired { first: first.len(), second: second.len() });
        }
        let mut counts = PairedCounts::default();
        for pair in first.iter().zip(second) {
            match pair {
                (true, true) => counts.both += 1,
                (true, false) => counts.first_only += 1,
                (false, true) => counts.second_only += 1,
                (false, false) => counts.neither += 1,
            }
        }
        Ok(counts)
    }

    /// The number of pairs.
    pub fn pairs(&self) -> u64 {
        self.both + self.first_only + self.second_only + self.neither
    }
}

/// The exact two-sided McNemar p-value from the two counts of pairs that disagree.
///
/// Twice the smaller binomial tail at 1/2, at most 1; without disagreement 1. McNemar,
/// Psychometrika 12 (1947); Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91
/// (2013), exact conditional test.
pub fn mcnemar_exact(first_only: u64, second_only: u64) -> f64 {
    let fewer = first_only.min(second_only);
    let tail = binomial_cdf(fewer, first_only + second_only, 0.5);
    tail.map_or(1.0, |tail| (2.0 * tail).min(1.0))
}

/// The difference of two proportions on the same pairs, first - second, with Newcombe's interval.
///
/// Method 10 of Newcombe, "Improved confidence intervals for the difference between binomial
/// proportions based on paired data", Statistics in Medicine 17, 2635-2650 (1998): two Wilson
/// intervals combined under a correlation with continuity correction. Arms that always agree differ
/// by exactly 0, but the interval keeps a width: agreement in n pairs does not prove it in others.
///
/// # Errors
/// [`Error::TooFew`] without pairs, [`Error::OutOfRange`] unless `confidence` is strictly between 0
/// and 1.
pub fn newcombe_paired(counts: PairedCounts, confidence: f64) -> Result<Estimate, Error> {
    let pairs = counts.pairs();
    let first = wilson(counts.both + counts.first_only, pairs, confidence)?;
    let second = wilson(counts.both + counts.second_only, pairs, confidence)?;
    let difference = square_and_add(first, second, correlation(counts));
    let mean = (counts.first_only as f64 - counts.second_only as f64) / pairs as f64;
    Ok(Estimate { mean, ..difference })
}

/// The phi coefficient of the table, moved towards 0 by half a pair if positive; 0 if an arm had
/// one outcome only.
fn correlation(counts: PairedCounts) -> f64 {
    let both = counts.both as f64;
    let (first, second) = (counts.first_only as f64, counts.second_only as f64);
    let neither = counts.neither as f64;
    let margins = (both + first) * (second + neither) * (both + second) * (first + neither);
    if margins == 0.0 {
        return 0.0;
    }
    let association = both * neither - first * second;
    let corrected = if association > 0.0 {
        (association - counts.pairs() as f64 / 2.0).max(0.0)
    } else {
        association
    };
    corrected / margins.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published: Newcombe 1998 table III (36, 12, 2, 0: 0.0569 to 0.3404); Altman, Machin, Bryant
    /// and Gardner, *Statistics with Confidence*, table 6.2 (14, 5, 0, 22: 0.011 to 0.226);
    /// Fagerland, Lydersen and Laake 2014 (1, 1, 7, 12: -0.507 to -0.026).
    #[test]
    fn paired_intervals_match_published_ones() {
        let cases = [
            ([36, 12, 2, 0], 0.0569, 0.3404, 5e-5),
            ([14, 5, 0, 22], 0.011, 0.226, 5.1e-4),
            ([1, 1, 7, 12], -0.507, -0.026, 5e-4),
        ];
        for ([both, first_only, second_only, neither], low, high, within) in cases {
            let counts = PairedCounts { both, first_only, second_only, neither };
            let found = newcombe_paired(counts, 0.95).unwrap().interval;
            assert!((found.low - low).abs() <= within, "{found:?}");
            assert!((found.high - high).abs() <= within, "{found:?}");
        }
    }

    #[test]
    fn arms_that_agree_differ_by_exactly_nothing() {
        let counts = PairedCounts { both: 3, neither: 27, ..PairedCounts::default() };
        let found = newcombe_paired(counts, 0.95).unwrap();
        assert_eq!(found.mean, 0.0);
        assert!(found.interval.contains(0.0));
        assert_eq!(mcnemar_exact(0, 0), 1.0);
        assert!(newcombe_paired(PairedCounts::default(), 0.95).is_err());
    }

    #[test]
    fn pairs_are_counted_once_each() {
        let counts = PairedCounts::count(&[true, true, false], &[true, false, false]).unwrap();
        assert_eq!(counts, PairedCounts { both: 1, first_only: 1, second_only: 0, neither: 1 });
        assert!(PairedCounts::count(&[true], &[]).is_err());
    }
}
