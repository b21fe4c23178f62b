//! Events that were never seen.

use super::error::{Error, check_open_unit};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_without_runs() {
        assert_eq!(zero_events_upper(0, 0.95).unwrap(), 1.0);
    }
}
