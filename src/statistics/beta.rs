//! The regularized incomplete beta function, from which the t and binomial distributions follow.
//!
//! Own code, because `statrs` 0.19.1 stops its continued fraction after 140 terms and forms the
//! leading factor from a difference of logarithms of gamma functions. Measured against 40-digit
//! arithmetic, its 97.5% quantile of Beta(1, 10^4) errs by 5e-9 relative, of Beta(1, 10^6) by
//! 1.3e-4, and Student's t with 10^5 degrees of freedom by 3.5e-6. The same quantiles here err by
//! less than 1e-13.

use super::error::{Error, check_positive, check_unit};
use std::f64::consts::PI;

/// Both tails of a distribution at one point, each computed without cancellation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tails {
    /// The probability at or below the point.
    pub lower: f64,
    /// The probability above the point.
    pub upper: f64,
}

/// The `probability` quantile of the beta distribution with shapes `a` and `b`: the least double at
/// which the distribution function reaches it.
///
/// # Errors
/// [`Error::OutOfRange`] unless both shapes are positive and finite and `probability` is in [0, 1].
pub fn beta_quantile(a: f64, b: f64, probability: f64) -> Result<f64, Error> {
    check_positive("a", a)?;
    check_positive("b", b)?;
    check_unit("probability", probability)?;
    let from_above = probability > 0.5;
    let remaining = 1.0 - probability;
    Ok(least_double(1.0, |x| {
        let tails = tails_at(a, b, x, 1.0 - x);
        if from_above { tails.upper <= remaining } else { tails.lower >= probability }
    }))
}

/// The tails at `x`, with `y` = 1 - x given apart so that neither loses digits.
pub(super) fn tails_at(a: f64, b: f64, x: f64, y: f64) -> Tails {
    if x <= 0.0 {
        return Tails { lower: 0.0, upper: 1.0 };
    }
    if y <= 0.0 {
        return Tails { lower: 1.0, upper: 0.0 };
    }
    let factor = leading_factor(a, b, x, y);
    if b * x <= a * y {
        let lower = (factor / continued_fraction(a, b, x, y)).clamp(0.0, 1.0);
        Tails { lower, upper: 1.0 - lower }
    } else {
        let upper = (factor / continued_fraction(b, a, y, x)).clamp(0.0, 1.0);
        Tails { lower: 1.0 - upper, upper }
    }
}

/// The least double in [0, `high`] at which `reached` holds, for a predicate that stays true once
/// it is; `high` if it never holds. Bisects the bit patterns, which order the doubles from 0 up.
pub(super) fn least_double(high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0_f64.to_bits(), high.to_bits());
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(f64::from_bits(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    f64::from_bits(high)
}

/// x^a y^b / B(a, b), by the saddle-point form of C. Loader, "Fast and accurate computation of
/// binomial probabilities" (2000), which does not subtract large logarithms.
fn leading_factor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let exponent = stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * y);
    (a / n * b / (2.0 * PI)).sqrt() * libm::exp(exponent)
}

/// The error of Stirling's formula for the logarithm of x! (Loader 2000, section 2.2).
fn stirling_error(x: f64) -> f64 {
    if x < 15.0 {
        let half_log_two_pi = 0.5 * libm::log(2.0 * PI);
        return libm::lgamma(x + 1.0) - (x + 0.5) * libm::log(x) + x - half_log_two_pi;
    }
    let square = x * x;
    let mut sum = 1.0 / 1188.0;
    for coefficient in [1.0 / 1680.0, 1.0 / 1260.0, 1.0 / 360.0, 1.0 / 12.0] {
        sum = coefficient - sum / square;
    }
    sum / x
}

/// x ln(x / m) + m - x, without cancellation near x = m (Loader 2000, section 2.2).
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * libm::log(x / m) + m - x;
    }
    let ratio = (x - m) / (x + m);
    let mut sum = (x - m) * ratio;
    let mut term = 2.0 * x * ratio;
    for odd in 1..100 {
        term *= ratio * ratio;
        let next = sum + term / f64::from(2 * odd + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// The continued fraction beneath the leading factor, for x at most the mean a / (a + b); it needs
/// about the square root of the larger shape terms.
fn continued_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    const MOST_TERMS: u32 = 1_000_000;
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let ahead = a * y - b * x + 1.0;
    let mut fraction = away_from_zero(a * ahead / (a + 1.0));
    let (mut c, mut d) = (fraction, 0.0);
    for term in 1..MOST_TERMS {
        let m = f64::from(term);
        let previous = a + 2.0 * m - 1.0;
        let step = m * (b - m) * x / previous;
        let numerator = (a + m - 1.0) * (a + b + m - 1.0) / previous * step * x;
        let denominator = m + step + (a + m) * (ahead + m * (1.0 + y)) / (previous + 2.0);
        d = 1.0 / away_from_zero(denominator + numerator * d);
        c = away_from_zero(denominator + numerator / c);
        fraction *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64, relative: f64) {
        assert!((got - expected).abs() <= relative * expected.abs(), "{got} is not {expected}");
    }

    fn beta_tails(a: f64, b: f64, x: f64) -> Tails {
        tails_at(a, b, x, 1.0 - x)
    }

    /// Roots found with 40 digits (mpmath 1.3, regularized `betainc`).
    #[test]
    fn quantiles_match_forty_digit_arithmetic() {
        let cases = [
            (0.5, 100.5, 0.975, 0.024_745_270_015_269_893),
            (1.0, 1e4, 0.975, 3.688_199_146_187_622e-4),
            (3.0, 998.0, 0.025, 6.190_999_316_495_713e-4),
            (50.0, 51.0, 0.025, 0.398_321_129_503_300_98),
            (7.5, 13.5, 0.025, 0.172_276_213_631_912),
            (1.0, 1e6, 0.975, 3.688_872_650_206_488e-6),
        ];
        for (a, b, probability, expected) in cases {
            close(beta_quantile(a, b, probability).unwrap(), expected, 1e-13);
        }
    }

    /// Beta(1, b) has the closed form 1 - (1 - x)^b, Beta(a, a) is symmetric: large shapes too.
    #[test]
    fn closed_forms_hold_at_every_size() {
        for b in [0.5, 1.0, 3.0, 1e3, 1e7, 1e10] {
            let x = 0.7 / (1.0 + b);
            let expected = -libm::expm1(b * libm::log1p(-x));
            close(beta_tails(1.0, b, x).lower, expected, 1e-13);
        }
        for a in [0.5, 2.0, 40.0, 5e4, 5e6] {
            close(beta_tails(a, a, 0.5).lower, 0.5, 1e-13);
            close(beta_quantile(a, a, 0.5).unwrap(), 0.5, 1e-13);
        }
    }

    /// Beta(1/2, 1/2) is the arcsine law.
    #[test]
    fn shapes_below_one_are_no_exception() {
        for x in [1e-12, 0.01, 0.3, 0.5, 0.8, 0.999_f64] {
            let expected = 2.0 / PI * libm::asin(x.sqrt());
            close(beta_tails(0.5, 0.5, x).lower, expected, 1e-13);
        }
    }

    #[test]
    fn the_search_ends_on_the_very_double() {
        for step in 1..=1000 {
            let root = f64::from(step) / 1000.0;
            assert_eq!(least_double(1.0, |x| x >= root), root);
        }
        assert_eq!(least_double(1.0, |x| x > 0.0), 5e-324);
        assert_eq!(least_double(1.0, |_| false), 1.0);
    }

    #[test]
    fn the_ends_are_exact_and_bad_shapes_are_refused() {
        assert_eq!(beta_tails(2.0, 3.0, 0.0), Tails { lower: 0.0, upper: 1.0 });
        assert_eq!(beta_tails(2.0, 3.0, 1.0), Tails { lower: 1.0, upper: 0.0 });
        assert_eq!(beta_quantile(2.0, 3.0, 0.0).unwrap(), 0.0);
        assert_eq!(beta_quantile(2.0, 3.0, 1.0).unwrap(), 1.0);
        assert!(beta_quantile(0.0, 1.0, 0.5).is_err());
        assert!(beta_quantile(f64::NAN, 1.0, 0.5).is_err());
        assert!(beta_quantile(1.0, 1.0, f64::NAN).is_err());
    }
}
