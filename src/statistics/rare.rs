//! Events that were never seen, or are too rare to wait for.

use super::error::{Error, ceiling, check_open_unit, check_positive};

/// The upper confidence bound of a probability after `runs` runs without the event.
///
/// 1 - (1 - confidence)^(1 / runs), the one-sided Clopper-Pearson bound. Without runs it is 1.
///
/// # Errors
/// [`Error::OutOfRange`] unless `confidence` is strictly between 0 and 1.
pub fn zero_events_upper(runs: u64, confidence: f64) -> Result<f64, Error> {
    check_open_unit("confidence", confidence)?;
    if runs == 0 {
        return Ok(1.0);
    }
    Ok(-libm::expm1(libm::log(1.0 - confidence) / runs as f64))
}

/// The rule of three: 3 / `runs`, at most 1, a bound with 95% confidence that can be done by head.
///
/// Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249 (1983).
#[must_use]
pub fn rule_of_three(runs: u64) -> f64 {
    if runs < 3 { 1.0 } else { 3.0 / runs as f64 }
}

/// How many runs without the event it takes to claim that its probability is at most `probability`.
///
/// The least n with (1 - probability)^n <= 1 - confidence.
///
/// # Errors
/// [`Error::OutOfRange`] unless both arguments are strictly between 0 and 1.
pub fn runs_needed(probability: f64, confidence: f64) -> Result<u64, Error> {
    check_open_unit("probability", probability)?;
    check_open_unit("confidence", confidence)?;
    Ok(ceiling(libm::log(1.0 - confidence) / libm::log1p(-probability)))
}

/// A plan to estimate a rare probability by multilevel splitting, and what it would cost without.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SplittingPlan {
    /// The number of levels, before rounding to a whole one.
    pub levels: f64,
    /// The probability to pass each level.
    pub level_probability: f64,
    /// The number of plain runs that would reach the relative error.
    pub naive_runs: u64,
}

/// The asymptotically best splitting of an event of probability `probability`.
///
/// Each level is passed with probability exp(-2), so there are -ln(p) / 2 of them
/// (Villén-Altamirano and Villén-Altamirano, "RESTART: a method for accelerating rare event
/// simulations", 1991); plain runs need (1 - p) / (p r^2) for the relative standard error r.
///
/// # Errors
/// [`Error::OutOfRange`] unless `probability` is strictly between 0 and 1 and `relative_error` is
/// positive and finite.
pub fn splitting_plan(probability: f64, relative_error: f64) -> Result<SplittingPlan, Error> {
    check_open_unit("probability", probability)?;
    check_positive("relative_error", relative_error)?;
    let runs = (1.0 - probability) / (probability * relative_error * relative_error);
    Ok(SplittingPlan {
        levels: -libm::log(probability) / 2.0,
        level_probability: libm::exp(-2.0),
        naive_runs: ceiling(runs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_needed_are_the_fewest() {
        for probability in [0.5, 0.1, 1e-3] {
            let runs = runs_needed(probability, 0.95).unwrap();
            assert!(zero_events_upper(runs, 0.95).unwrap() <= probability);
            assert!(zero_events_upper(runs - 1, 0.95).unwrap() > probability);
        }
        assert_eq!(runs_needed(0.5, 0.75).unwrap(), 2);
    }

    #[test]
    fn nothing_is_known_without_runs() {
        assert_eq!(zero_events_upper(0, 0.95).unwrap(), 1.0);
        assert_eq!(rule_of_three(0), 1.0);
    }
}
