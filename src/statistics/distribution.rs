//! The normal, Student's t and binomial distributions.
//!
//! Own code on `libm`, because these numbers decide when a campaign stops. `statrs` 0.19.1 takes
//! its logarithms and exponentials from `num-traits`, which uses the platform's wherever another
//! dependency switches its `std` feature on, so its last bits differ between platforms. It is also
//! less exact: against 40-digit arithmetic its normal distribution function errs by 9e-11 relative
//! at -1 and 5e-11 at -8 (`libm::erfc`: less than 1e-14), and [`super::beta`] has the measurements
//! for Student's t and the binomial. Where it is exact, in the normal quantile and in quantiles of
//! small shapes, the tests use it as a second opinion.

use super::beta::{Tails, least_double, tails_at};
use super::error::{Error, check_open_unit, check_positive, check_unit};
use std::f64::consts::FRAC_1_SQRT_2;

/// The probability that a standard normal variate is at most `x`.
///
/// Not a number if `x` is not a number.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The standard normal quantile of `probability`: the root of [`normal_cdf`], found in the tail
/// nearer to it.
///
/// # Errors
/// [`Error::OutOfRange`] unless `probability` is strictly between 0 and 1.
pub fn normal_quantile(probability: f64) -> Result<f64, Error> {
    check_open_unit("probability", probability)?;
    if probability == 0.5 {
        return Ok(0.0);
    }
    let tail = probability.min(1.0 - probability);
    let size = least_double(f64::MAX, |x| normal_cdf(-x) <= tail);
    Ok(if probability < 0.5 { -size } else { size })
}

/// The tails of Student's t with `freedom` degrees of freedom at `t`.
///
/// I_x(freedom / 2, 1 / 2) with x = freedom / (freedom + t^2) is the probability of both tails
/// (Abramowitz and Stegun 26.7.1 and 26.5.27). Infinite `t` is allowed.
///
/// # Errors
/// [`Error::OutOfRange`] unless `freedom` is positive and finite and `t` is a number.
pub fn t_tails(t: f64, freedom: f64) -> Result<Tails, Error> {
    check_positive("freedom", freedom)?;
    if t.is_nan() {
        return Err(Error::OutOfRange { parameter: "t", value: t, range: "a number" });
    }
    let beyond = 0.5 * two_sided(t, freedom);
    let (near, far) = (1.0 - beyond, beyond);
    Ok(if t < 0.0 { Tails { lower: far, upper: near } } else { Tails { lower: near, upper: far } })
}

/// The two-sided p-value of `t` with `freedom` degrees of freedom.
///
/// # Errors
/// As [`t_tails`].
pub fn t_two_sided(t: f64, freedom: f64) -> Result<f64, Error> {
    let tails = t_tails(t, freedom)?;
    Ok((2.0 * tails.lower.min(tails.upper)).min(1.0))
}

/// The quantile of Student's t with `freedom` degrees of freedom.
///
/// # Errors
/// [`Error::OutOfRange`] unless `probability` is strictly between 0 and 1 and `freedom` is positive
/// and finite.
pub fn t_quantile(probability: f64, freedom: f64) -> Result<f64, Error> {
    check_open_unit("probability", probability)?;
    check_positive("freedom", freedom)?;
    if probability == 0.5 {
        return Ok(0.0);
    }
    let both = 2.0 * probability.min(1.0 - probability);
    let size = least_double(f64::MAX, |t| two_sided(t, freedom) <= both);
    Ok(if probability < 0.5 { -size } else { size })
}

/// The half-width, in standard errors, of a two-sided t interval.
///
/// # Errors
/// As [`t_quantile`], for `confidence` in place of `probability`.
pub fn t_critical(confidence: f64, freedom: f64) -> Result<f64, Error> {
    check_open_unit("confidence", confidence)?;
    t_quantile(1.0 - (1.0 - confidence) / 2.0, freedom)
}

/// The half-width, in standard errors, of a two-sided normal interval.
///
/// # Errors
/// [`Error::OutOfRange`] unless `confidence` is strictly between 0 and 1.
pub fn normal_critical(confidence: f64) -> Result<f64, Error> {
    check_open_unit("confidence", confidence)?;
    normal_quantile(1.0 - (1.0 - confidence) / 2.0)
}

/// The probability of at most `successes` in `trials` independent trials.
///
/// I_(1-p)(n - k, k + 1) (Abramowitz and Stegun 26.5.24). No trials have no success: then 1.
///
/// # Errors
/// [`Error::OutOfRange`] unless `probability` is in [0, 1].
pub fn binomial_cdf(successes: u64, trials: u64, probability: f64) -> Result<f64, Error> {
    check_unit("probability", probability)?;
    if successes >= trials {
        return Ok(1.0);
    }
    let (more, fewer) = (successes as f64 + 1.0, (trials - successes) as f64);
    Ok(tails_at(more, fewer, probability, 1.0 - probability).upper)
}

/// The least number of successes whose distribution function reaches `level`.
///
/// # Errors
/// [`Error::OutOfRange`] unless `level` and `probability` are in [0, 1].
pub fn binomial_quantile(level: f64, trials: u64, probability: f64) -> Result<u64, Error> {
    check_unit("level", level)?;
    let (mut low, mut high) = (0, trials);
    while low < high {
        let middle = low + (high - low) / 2;
        if binomial_cdf(middle, trials, probability)? >= level {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// The probability of a t variate farther from 0 than `t`, in either direction.
fn two_sided(t: f64, freedom: f64) -> f64 {
    let ratio = t * t / freedom;
    if ratio.is_infinite() {
        return 0.0;
    }
    tails_at(freedom / 2.0, 0.5, 1.0 / (1.0 + ratio), ratio / (1.0 + ratio)).lower
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::beta::beta_quantile;
    use statrs::distribution::{Beta, ContinuousCDF, Normal, StudentsT};

    fn close(got: f64, expected: f64, relative: f64) {
        assert!((got - expected).abs() <= relative * expected.abs(), "{got} is not {expected}");
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        for wrong in [-0.5, 1.5, f64::NAN] {
            assert!(t_critical(wrong, 3.0).is_err(), "{wrong}");
            assert!(normal_critical(wrong).is_err(), "{wrong}");
            assert!(binomial_cdf(1, 2, wrong).is_err(), "{wrong}");
            assert!(beta_quantile(1.0, 1.0, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_tails_of_a_negative_t_are_those_of_a_positive_one_the_other_way_round() {
        let (below, above) = (t_tails(-1.5, 4.0).unwrap(), t_tails(1.5, 4.0).unwrap());
        assert!(below.lower < 0.5 && above.upper < 0.5);
        assert_eq!((below.lower, below.upper), (above.upper, above.lower));
    }

    /// Roots found with 40 digits (mpmath 1.3).
    #[test]
    fn t_quantiles_match_forty_digit_arithmetic() {
        let cases = [
            (1.0, 12.706_204_736_174_693),
            (2.0, 4.302_652_729_749_462),
            (13.920_327_944_1, 2.145_938_906_576_43),
            (29.0, 2.045_229_642_132_704),
            (959.0, 1.962_440_749_065_276),
            (1e5, 1.959_987_707_534_609_3),
        ];
        for (freedom, expected) in cases {
            close(t_quantile(0.975, freedom).unwrap(), expected, 2e-14);
            assert_eq!(t_quantile(0.5, freedom).unwrap(), 0.0);
        }
    }

    #[test]
    fn normal_tails_match_forty_digit_arithmetic() {
        let cases = [
            (-1.0, 0.158_655_253_931_457_05),
            (-3.0, 0.001_349_898_031_630_094_5),
            (-8.0, 6.220_960_574_271_784e-16),
            (2.0, 0.977_249_868_051_820_8),
        ];
        for (x, expected) in cases {
            close(normal_cdf(x), expected, 1e-14);
        }
    }

    #[test]
    fn normal_quantiles_match_forty_digit_arithmetic() {
        let cases = [
            (0.975, 1.959_963_984_540_053_9),
            (1e-10, -6.361_340_902_404_056),
            (0.995, 2.575_829_303_548_900_5),
            (0.5, 0.0),
        ];
        for (probability, expected) in cases {
            close(normal_quantile(probability).unwrap(), expected, 2e-15);
        }
        assert!(normal_quantile(5e-324).unwrap() < -38.0);
    }

    #[test]
    fn statrs_is_of_the_same_opinion_where_it_is_exact() {
        let normal = Normal::standard();
        for step in 1..100 {
            let probability = f64::from(step) / 100.0;
            let size = normal.inverse_cdf(probability);
            assert!((normal_quantile(probability).unwrap() - size).abs() < 1e-14);
            for freedom in [1.0, 2.5, 7.0, 30.0, 100.0] {
                let t = StudentsT::new(0.0, 1.0, freedom).unwrap().inverse_cdf(probability);
                let distance = (t_quantile(probability, freedom).unwrap() - t).abs();
                assert!(distance < 1e-9 * (1.0 + t * t));
            }
            for (a, b) in [(0.5, 3.5), (4.0, 2.0), (20.0, 30.0)] {
                let quantile = Beta::new(a, b).unwrap().inverse_cdf(probability);
                close(beta_quantile(a, b, probability).unwrap(), quantile, 1e-9);
            }
        }
    }

    /// Sums of exact binomial terms.
    #[test]
    fn the_binomial_is_exact_on_small_numbers() {
        close(binomial_cdf(1, 10, 0.5).unwrap(), 11.0 / 1024.0, 1e-14);
        close(binomial_cdf(480, 960, 0.5).unwrap(), 0.512_872_454_096_602_5, 1e-13);
        assert_eq!(binomial_cdf(10, 10, 0.5).unwrap(), 1.0);
        assert_eq!(binomial_quantile(0.5, 10, 0.5).unwrap(), 5);
        assert_eq!(binomial_quantile(0.0, 10, 0.5).unwrap(), 0);
        assert_eq!(binomial_quantile(1.0, 10, 1.0).unwrap(), 10);
    }

    #[test]
    fn infinite_t_has_no_tail_and_no_number_is_refused() {
        assert_eq!(t_two_sided(f64::INFINITY, 7.0).unwrap(), 0.0);
        assert_eq!(t_two_sided(0.0, 7.0).unwrap(), 1.0);
        assert!(t_two_sided(f64::NAN, 7.0).is_err());
        assert!(t_quantile(1.0, 7.0).is_err());
    }
}
