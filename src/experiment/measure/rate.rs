//! How often a promise was broken in one run, and how much that varies by chance alone.
//!
//! Violations cluster: one lost acknowledgement doubles many charges at once. So the spread between
//! runs decides. But a few runs with equal counts are no certainty either: if each operation broke
//! the promise independently of the others, the counts would vary too, and by no less than that.

use crate::invariant::Verdict;

/// What a rate is counted for.
pub(in crate::experiment) const OPERATIONS: f64 = 10_000.0;

/// Violations per 10,000 operations that could have broken the promise; 0 if nothing could.
pub(in crate::experiment) fn per_10_000(verdict: &Verdict) -> f64 {
    verdict.violations as f64 / (verdict.exposure.max(1)) as f64 * OPERATIONS
}

/// The least variance of the violations of a run: binomial, with the exposure one larger, so that a
/// promise broken by all of a few operations is not certain to be broken by all others.
pub(in crate::experiment) fn variance_min(verdict: &Verdict) -> f64 {
    let violations = verdict.violations as f64;
    violations * (1.0 - violations / (verdict.exposure as f64 + 1.0)).max(0.0)
}

/// The least variance of [`per_10_000`].
pub(in crate::experiment) fn variance_min_per_10_000(verdict: &Verdict) -> f64 {
    let scale = OPERATIONS / verdict.exposure.max(1) as f64;
    variance_min(verdict) * scale * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(violations: u64, exposure: u64) -> Verdict {
        Verdict { violations, exposure, unjudged: 0, first: None, at_end: false }
    }

    #[test]
    fn a_rate_is_counted_for_ten_thousand_operations() {
        assert_eq!(per_10_000(&verdict(3, 2_000)), 15.0);
        assert_eq!(per_10_000(&verdict(0, 0)), 0.0);
    }

    #[test]
    fn rare_violations_vary_like_poisson_counts_and_none_not_at_all() {
        assert!((variance_min(&verdict(9, 1_000_000)) - 9.0).abs() < 1e-3);
        assert_eq!(variance_min(&verdict(0, 50)), 0.0);
        assert_eq!(variance_min(&verdict(1, 1)), 0.5);
        assert!((variance_min_per_10_000(&verdict(4, 20_000)) - 1.0).abs() < 1e-3);
    }
}
