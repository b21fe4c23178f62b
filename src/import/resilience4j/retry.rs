//! resilience4j: retries.

use super::exceptions::{classes, exempt};
use super::layers::Layers;
use crate::import::note::Notes;
use crate::import::quantity::{count, flag, number, spring_duration};
use crate::kernel::time::Span;
use crate::policy::OutcomeSet;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::retry::{OnDenial, Retry};

const RETRY: &str = "resilience4j RetryConfig.java";

/// Reads a retry over that of the preset.
pub(super) fn read(
    notes: &mut Notes,
    layers: &mut Layers<'_>,
    start: Option<Retry>,
) -> Option<Retry> {
    let mut rule = start?;
    let means = "attempts, the first one included";
    rule.attempts = layers.read(notes, "maxAttempts", count, (3, RETRY), means);
    if rule.attempts == 0 {
        // `buildConfig` passes over a zero.
        rule.attempts = 3;
        notes.caveats.push("maxAttempts of 0 is as if it were not given: 3".to_owned());
    }
    let wait = (Span::from_millis(500), RETRY);
    let wait = layers.read(notes, "waitDuration", spring_duration, wait, "first delay");
    let (exponential, random) = ("enableExponentialBackoff", "enableRandomizedWait");
    let grows = layers.read(notes, exponential, flag, (false, RETRY), "delays grow");
    let is_random = layers.read(notes, random, flag, (false, RETRY), "delays are spread");
    let mut backoff = Backoff::constant(wait);
    if grows {
        let factor = (1.5, RETRY);
        let factor = layers.read(notes, "exponentialBackoffMultiplier", number, factor, "growth");
        backoff = Backoff::exponential(wait, factor);
    } else {
        let why = "enableExponentialBackoff is false";
        layers.ignore(notes, &["exponentialBackoffMultiplier"], why);
    }
    if is_random {
        let spread = (0.5, RETRY);
        let means = "of the delay either way";
        let spread = layers.read(notes, "randomizedWaitFactor", number, spread, means);
        backoff = backoff.jittered(Jitter::Proportional(spread.min(1.0)));
    } else {
        layers.ignore(notes, &["randomizedWaitFactor"], "enableRandomizedWait is false");
    }
    let key = "exponentialMaxWaitDuration";
    if let Some(most) = layers.given(notes, key, spring_duration, "longest, after the jitter") {
        backoff = backoff.capped_after_jitter(most);
    }
    if grows || is_random {
        backoff = backoff.truncated_to(Span::from_millis(1));
    }
    rule.backoff = backoff;
    let retried = classes(notes, layers, "retryExceptions");
    let ignored = exempt(notes, layers, "ignoreExceptions");
    rule.on = retried.as_ref().map_or(OutcomeSet::ERRORS, |classes| classes.outcomes);
    rule.on = rule.on.less(ignored.outcomes);
    let denials = retried.is_none_or(|classes| classes.denials) && !ignored.denials;
    rule.on_denial = if denials { OnDenial::Retry } else { OnDenial::GiveUp };
    let keys = [
        "resultPredicate",
        "retryExceptionPredicate",
        "intervalBiFunction",
        "consumeResultBeforeRetryAttempt",
    ];
    layers.ignore(notes, &keys, "is code of the application");
    layers.ignore(notes, &["failAfterMaxAttempts"], "a call that fails, fails");
    (rule.on != OutcomeSet::NONE).then_some(rule)
}
