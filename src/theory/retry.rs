//! The arithmetic of retries: attempts, layers, budgets, breakers.

use super::numeric::power;
use super::{Observable, Parameters, Quantity, Says};
use crate::model::problem::Problem;

/// How many attempts a law is computed for.
const MOST_ATTEMPTS: u32 = 1_000_000;

/// Independent failures with the probability `p`, at most `n` attempts.
pub(super) fn attempts(parameters: &Parameters) -> Says {
    let (p, most) =
        (parameters.share("p_attempt_fail")?, parameters.whole("max_attempts", MOST_ATTEMPTS)?);
    let mean = tries(p, most);
    // The mean square of a count is the sum of (2k - 1) times the probability of at least k.
    let square: f64 = (1..=most).map(|k| f64::from(2 * k - 1) * power(p, k - 1)).sum();
    Ok(vec![
        Quantity::shown("E[attempts]", mean, Observable::Metric("amplification")),
        Quantity::share(
            "P(request fails)",
            power(p, most),
            Observable::LessThanOne("success_ratio"),
        ),
        Quantity::shown("var_attempts", square - mean * mean, Observable::AttemptsVariance),
    ])
}

/// The mean number of attempts: 1 + p + ... + p^(n - 1).
fn tries(p: f64, most: u32) -> f64 {
    if p == 1.0 { f64::from(most) } else { (1.0 - power(p, most)) / (1.0 - p) }
}

/// Several layers that each retry, in front of something that fails independently. In a total
/// outage the attempts multiply (Google SRE book, chapter 22); else the product telescopes.
pub(super) fn layers(parameters: &Parameters) -> Says {
    let p = parameters.share("p_bottom").or_else(|_| parameters.share("p"))?;
    let each = parameters.whole("attempts_per_layer", MOST_ATTEMPTS)?;
    let most = each.saturating_pow(parameters.whole("layers", 100)?);
    let fails = Observable::LessThanOne("success_ratio");
    Ok(vec![
        Quantity::shown(
            "amplification_at_bottom",
            tries(p, most),
            Observable::Metric("amplification"),
        ),
        Quantity::share("P(user fails)", power(p, most), fails),
    ])
}

/// Layers with a budget of retries for each first try, in an outage (Google SRE book, chapter 21).
pub(super) fn budget(parameters: &Parameters) -> Says {
    let most = power(1.0 + parameters.positive("ratio")?, parameters.whole("layers", 100)?);
    Ok(vec![Quantity::shown("max_amplification", most, Observable::Metric("amplification"))])
}

/// A bucket of retry tokens in the long run. Brooker's text deposits for each success, his code for
/// each first try ("Fixing retries with token buckets and circuit breakers", 2022).
pub(super) fn token_bucket(parameters: &Parameters) -> Says {
    let (deposit, p) = (parameters.share("deposit")?, parameters.share("p")?);
    let asked = p / (1.0 - p);
    let earned = match parameters.says("variant", "deposit per success (published text)") {
        true => deposit * (1.0 - p) / (1.0 - deposit * (1.0 - p)),
        false => deposit,
    };
    let retries = asked.min(earned);
    Ok(vec![
        Quantity::shown("load_per_request", 1.0 + retries, Observable::Metric("amplification")),
        Quantity::shown(
            "success_rate",
            (1.0 - p) * (1.0 + retries),
            Observable::Metric("success_ratio"),
        ),
    ])
}

/// A breaker that trips after so many failures in a row: the calls until then (Feller, "An
/// Introduction to Probability Theory", volume 1, section XIII.7).
fn calls_to_trip(in_a_row: u32, p: f64) -> f64 {
    (1.0 - power(p, in_a_row)) / ((1.0 - p) * power(p, in_a_row))
}

/// How often a call fails: sometimes, and not always, or else nothing is ever repeated.
fn some_fail(parameters: &Parameters) -> Result<f64, Problem> {
    let p = parameters.share("p")?;
    match p > 0.0 && p < 1.0 {
        true => Ok(p),
        false => {
            Err(Problem::new(format!("a breaker has no cycles if {}% of calls fail", 100.0 * p))
                .expected("a share of failures between 0% and 100%")
                .inside("p"))
        }
    }
}

/// How many calls it takes to trip.
pub(super) fn trip(parameters: &Parameters) -> Says {
    let calls =
        calls_to_trip(parameters.whole("threshold", MOST_ATTEMPTS)?, some_fail(parameters)?);
    Ok(vec![Quantity::unseen("E[calls to trip]", calls)])
}

/// Such a breaker in the long run, by renewal and reward: it is closed, then open for some time and
/// for one probe, which succeeds or opens it again.
pub(super) fn breaker(parameters: &Parameters) -> Says {
    let (p, lambda) = (some_fail(parameters)?, parameters.positive("lambda")?);
    let wait = parameters.positive("open_wait")?;
    let closed = calls_to_trip(parameters.whole("threshold_consecutive", MOST_ATTEMPTS)?, p);
    let times_open = 1.0 / (1.0 - p);
    let while_open = lambda * wait;
    let rejected = times_open * while_open / (closed + times_open * (while_open + 1.0));
    let in_time = closed / (closed + times_open * (while_open + 1.0));
    Ok(vec![
        Quantity::shown("fraction_rejected", rejected, Observable::Denied),
        Quantity::shown("fraction_admitted", 1.0 - rejected, Observable::Metric("amplification")),
        Quantity::share(
            "success_fraction",
            (1.0 - rejected) * (1.0 - p),
            Observable::Metric("success_ratio"),
        ),
        Quantity::unseen("fraction_time_closed", in_time),
    ])
}
