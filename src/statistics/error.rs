//! What a statistic refuses, and the checks that refuse it.

use std::fmt;

/// Why a statistic was not computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Error {
    /// A sample is smaller than the method needs.
    TooFew {
        /// How many observations the method needs.
        needed: u64,
        /// How many there are.
        given: u64,
    },
    /// A sample is larger than the method can enumerate.
    TooMany {
        /// How many observations the method takes.
        most: u64,
        /// How many there are.
        given: u64,
    },
    /// An entry of a sample is infinite or not a number.
    NotFinite {
        /// The position of the entry, from 0.
        position: usize,
    },
    /// Finite entries gave a result that is infinite or not a number.
    Overflow {
        /// What was being computed.
        result: &'static str,
    },
    /// Two samples that belong together pair by pair have different lengths.
    Unpaired {
        /// The length of the first sample.
        first: usize,
        /// The length of the second sample.
        second: usize,
    },
    /// A parameter lies outside its range.
    OutOfRange {
        /// The name of the parameter.
        parameter: &'static str,
        /// The value it had.
        value: f64,
        /// The values it may have, in words.
        range: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::TooFew { needed, given } => {
                write!(out, "{given} observations given, at least {needed} needed")
            }
            Error::TooMany { most, given } => {
                write!(out, "{given} observations given, at most {most} possible")
            }
            Error::NotFinite { position } => {
                write!(out, "the observation at position {position} is not a finite number")
            }
            Error::Overflow { result } => {
                write!(out, "the {result} of these observations is not a finite number")
            }
            Error::Unpaired { first, second } => {
                write!(out, "paired samples have different lengths: {first} and {second}")
            }
            Error::OutOfRange { parameter, value, range } => {
                write!(out, "{parameter} is {value}, expected {range}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// Refuses a sample with fewer than `needed` entries or with an entry that is not finite.
pub(super) fn check_sample(sample: &[f64], needed: usize) -> Result<(), Error> {
    if sample.len() < needed {
        return Err(Error::TooFew { needed: needed as u64, given: sample.len() as u64 });
    }
    match sample.iter().position(|value| !value.is_finite()) {
        Some(position) => Err(Error::NotFinite { position }),
        None => Ok(()),
    }
}

/// Refuses a number outside the open interval (0, 1), for example a confidence level.
pub(super) fn check_open_unit(parameter: &'static str, value: f64) -> Result<(), Error> {
    let inside = value > 0.0 && value < 1.0;
    require(inside, parameter, value, "a number strictly between 0 and 1")
}

/// Refuses a number outside the closed interval [0, 1], for example a probability.
pub(super) fn check_unit(parameter: &'static str, value: f64) -> Result<(), Error> {
    require((0.0..=1.0).contains(&value), parameter, value, "a number from 0 to 1")
}

/// Refuses a number that is not positive and finite.
pub(super) fn check_positive(parameter: &'static str, value: f64) -> Result<(), Error> {
    require(value > 0.0 && value.is_finite(), parameter, value, "a positive finite number")
}

/// Refuses a count of successes without trials, or above its trials.
pub(super) fn check_trials(successes: u64, trials: u64) -> Result<(), Error> {
    if trials == 0 {
        return Err(Error::TooFew { needed: 1, given: 0 });
    }
    require(successes <= trials, "successes", successes as f64, "at most the number of trials")
}

/// Refuses a parameter unless `holds`.
pub(super) fn require(
    holds: bool,
    parameter: &'static str,
    value: f64,
    range: &'static str,
) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::OutOfRange { parameter, value, range }) }
}

/// The least whole number not below `x`, forgiving a rounding error of 1e-12 relative: `0.07 * 100`
/// is 7.000000000000001 in binary, and means 7.
pub(super) fn ceiling(x: f64) -> u64 {
    let nearest = x.round();
    if (x - nearest).abs() <= 1e-12 * nearest.abs() { nearest as u64 } else { x.ceil() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_forgives_rounding_only() {
        assert_eq!(ceiling(0.07 * 100.0), 7);
        assert_eq!(ceiling(7.000_001), 8);
        assert_eq!(ceiling(0.0), 0);
        assert_eq!(ceiling(1e-300), 1);
    }

    #[test]
    fn a_refusal_names_the_reason() {
        let refused = check_sample(&[1.0, f64::NAN], 2).unwrap_err();
        assert_eq!(refused.to_string(), "the observation at position 1 is not a finite number");
        let refused = check_open_unit("confidence", 1.0).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "confidence is 1, expected a number strictly between 0 and 1"
        );
    }
}
