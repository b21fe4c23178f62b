//! Intervals of a proportion: Wilson, Clopper-Pearson; and how Newcombe combines two.

use super::beta::beta_quantile;
use super::distribution::normal_critical;
use super::error::{Error, check_open_unit, check_trials};
use super::interval::{Estimate, Interval};
use super::rare::zero_events_upper;

/// The proportion of `successes` among `trials` with Wilson's score interval.
///
/// The interval holds the proportion always, is exactly 0 or 1 at an end that was observed there.
/// Wilson, JASA 22 (1927); Brown, Cai and DasGupta, Statistical Science 16 (2001), equation 4.
///
/// # Errors
/// [`Error::TooFew`] without trials, [`Error::OutOfRange`] for more successes than trials or a
/// `confidence` not strictly between 0 and 1.
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> Result<Estimate, Error> {
    check_trials(successes, trials)?;
    let z = normal_critical(confidence)?;
    let n = trials as f64;
    let p = successes as f64 / n;
    let share = z * z / n;
    let centre = (p + share / 2.0) / (1.0 + share);
    let half = z * (p * (1.0 - p) / n + share / (4.0 * n)).sqrt() / (1.0 + share);
    let inner = Interval { low: (centre - half).min(p), high: (centre + half).max(p) };
    Ok(Estimate { mean: p, interval: close_ends(inner, successes, trials), n: trials })
}

/// The exact interval of Clopper and Pearson, Biometrika 26 (1934), from beta quantiles.
///
/// It covers with at least `confidence`, at the price of width.
///
/// # Errors
/// As [`wilson`].
pub fn clopper_pearson(successes: u64, trials: u64, confidence: f64) -> Result<Estimate, Error> {
    check_trials(successes, trials)?;
    check_open_unit("confidence", confidence)?;
    let tail = (1.0 - confidence) / 2.0;
    let (x, rest) = (successes as f64, (trials - successes) as f64);
    let low = if successes == 0 { 0.0 } else { beta_quantile(x, rest + 1.0, tail)? };
    let high = if successes == trials { 1.0 } else { beta_quantile(x + 1.0, rest, 1.0 - tail)? };
    Ok(Estimate { mean: x / trials as f64, interval: Interval { low, high }, n: trials })
}

/// In how many of `trials` runs something happens, where its count in a run says nothing: what
/// breaks together in one run is one observation.
///
/// The exact interval of [`clopper_pearson`]; where it never happened, from 0 to the one-sided
/// bound of [`zero_events_upper`]. Either statement holds with at least `confidence`.
///
/// # Errors
/// As [`wilson`].
pub fn runs_with_event(events: u64, trials: u64, confidence: f64) -> Result<Estimate, Error> {
    let mut estimate = clopper_pearson(events, trials, confidence)?;
    if events == 0 {
        estimate.interval.high = zero_events_upper(trials, confidence)?;
    }
    Ok(estimate)
}

/// Newcombe's combination of two Wilson intervals whose proportions have correlation `phi`.
pub(super) fn square_and_add(first: Estimate, second: Estimate, phi: f64) -> Estimate {
    let mean = first.mean - second.mean;
    let distance = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).max(0.0).sqrt();
    let below = distance(first.mean - first.interval.low, second.interval.high - second.mean);
    let above = distance(second.mean - second.interval.low, first.interval.high - first.mean);
    let interval = Interval { low: (mean - below).max(-1.0), high: (mean + above).min(1.0) };
    Estimate { mean, interval, n: first.n.min(second.n) }
}

/// Puts an end that was observed exactly there, where the formula is off by a rounding error.
fn close_ends(interval: Interval, successes: u64, trials: u64) -> Interval {
    Interval {
        low: if successes == 0 { 0.0 } else { interval.low },
        high: if successes == trials { 1.0 } else { interval.high },
    }
}
