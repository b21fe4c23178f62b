//! resilience4j: circuit breakers.

use super::exceptions::{classes, exempt};
use super::layers::Layers;
use crate::import::note::{Notes, shown};
use crate::import::quantity::{count, flag, number, percent, spring_duration, text};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{
    Breaker, Comparison, Initial, Probes, Proof, Rotation, Slow, Trip, Window,
};

const BREAKER: &str = "resilience4j CircuitBreakerConfig.java";

/// Whether the window of a breaker is of seconds, and not of calls.
fn read_is_timed(notes: &mut Notes, layers: &mut Layers<'_>) -> bool {
    let kind = ("COUNT_BASED".to_owned(), BREAKER);
    let means = "whether the window is of calls or of seconds";
    let kind = layers.read(notes, "slidingWindowType", text, kind, means);
    let is_timed = kind.replace('-', "_").eq_ignore_ascii_case("TIME_BASED");
    if !is_timed && !kind.replace('-', "_").eq_ignore_ascii_case("COUNT_BASED") {
        let problem = Problem::unknown("window", &kind, &["COUNT_BASED", "TIME_BASED"]);
        let at = layers.value(notes, "slidingWindowType").map(|(_, value)| value.at);
        notes.problems.extend(at.map(|at| problem.at(at)));
    }
    is_timed
}

/// Reads a breaker.
pub(super) fn read(notes: &mut Notes, layers: &mut Layers<'_>, policy: &mut Policy, all: &Policy) {
    let is_timed = read_is_timed(notes, layers);
    let means = if is_timed { "seconds" } else { "calls" };
    let size = layers.read(notes, "slidingWindowSize", count, (100, BREAKER), means);
    let least = (100, BREAKER);
    let minimum = layers.read(notes, "minimumNumberOfCalls", count, least, "in the window");
    let failing = "% of failures that opens it";
    let ratio = layers.read(notes, "failureRateThreshold", percent, (50.0, BREAKER), failing);
    let means = "% of slow calls that opens it";
    let slow = layers.read(notes, "slowCallRateThreshold", percent, (100.0, BREAKER), means);
    let longer = (Span::from_secs(60), BREAKER);
    let key = "slowCallDurationThreshold";
    let longer = layers.read(notes, key, spring_duration, longer, "longer is slow");
    let open = (Span::from_secs(60), BREAKER);
    let open = layers.read(notes, "waitDurationInOpenState", spring_duration, open, "open for");
    let key = "permittedNumberOfCallsInHalfOpenState";
    let probes = layers.read(notes, key, count, (10, BREAKER), "probes, judged together");
    let by_timer = layers.read(
        notes,
        "automaticTransitionFromOpenToHalfOpenEnabled",
        flag,
        (false, BREAKER),
        "a timer makes it half-open, not the next call",
    );
    let sizes = [("slidingWindowSize", size), ("minimumNumberOfCalls", minimum), (key, probes)];
    for (key, _) in sizes.into_iter().filter(|(_, size)| *size == 0) {
        layers.refuse(notes, key, "is 0", "at least 1");
    }
    let window = match is_timed {
        true => Window::Time {
            span: Span::from_secs(u64::from(size)),
            buckets: size,
            rotation: Rotation::Aligned,
        },
        false => Window::Calls(size),
    };
    let Some(mut rule) = all.breaker else { return };
    rule.trip = Trip::Ratio {
        window,
        minimum: if is_timed { minimum } else { minimum.min(size) },
        ratio: ratio / 100.0,
        comparison: Comparison::AtLeast,
        on_success: true,
        slow: Some(Slow { longer_than: longer, ratio: slow / 100.0 }),
        every: None,
        consecutive: None,
    };
    let proof = Proof::Ratio { calls: probes, ratio: ratio / 100.0 };
    rule.probes = Probes { limit: probes, proof, ..rule.probes };
    rule.open_for = read_open_for(notes, layers, open);
    rule.by_timer = by_timer;
    if let Some(recorded) = classes(notes, layers, "recordExceptions") {
        rule.failures = recorded.outcomes;
    }
    let ignored = exempt(notes, layers, "ignoreExceptions");
    rule.ignored = ignored.outcomes;
    rule.failures = rule.failures.less(ignored.outcomes);
    let key = "maxWaitDurationInHalfOpenState";
    let limit = layers.given(notes, key, spring_duration, "half-open so long; 0 is for ever");
    rule.half_open_for = limit.filter(|&span| span > Span::ZERO);
    let why = "it opens again after that time";
    layers.ignore(notes, &["transitionToStateAfterWaitDuration"], why);
    let keys = ["recordFailurePredicate", "recordResultPredicate", "ignoreExceptionPredicate"];
    layers.ignore(notes, &keys, "is code of the application");
    policy.breaker = read_initial_state(notes, layers).map(|initial| Breaker { initial, ..rule });
}

/// How long it opens: growing counts before random (`CommonCircuitBreakerConfigurationProperties`,
/// `buildConfigFromProperties`).
fn read_open_for(notes: &mut Notes, layers: &mut Layers<'_>, open: Span) -> Backoff {
    let means = "each opening in a row lasts longer";
    let key = "enableExponentialBackoff";
    let grows = layers.read(notes, key, flag, (false, BREAKER), means);
    let mut open_for = Backoff::constant(open);
    let keys = ["exponentialBackoffMultiplier", "exponentialMaxWaitDurationInOpenState"];
    if grows {
        let factor = layers.read(notes, keys[0], number, (1.5, BREAKER), "growth");
        open_for = Backoff::exponential(open, factor);
        if let Some(most) = layers.given(notes, keys[1], spring_duration, "longest time open") {
            open_for = open_for.capped(most);
        }
        open_for = open_for.truncated_to(Span::from_millis(1));
    } else {
        layers.ignore(notes, &keys, "enableExponentialBackoff is false");
    }
    let keys = ["enableRandomizedWait", "randomizedWaitFactor"];
    if grows {
        layers.ignore(notes, &keys, "enableExponentialBackoff counts before it");
        return open_for;
    }
    let means = "the time open is spread";
    if layers.read(notes, keys[0], flag, (false, BREAKER), means) {
        let spread = (0.5, BREAKER);
        let spread = layers.read(notes, keys[1], number, spread, "of the time either way");
        let jitter = Jitter::Proportional(spread.min(1.0));
        return open_for.jittered(jitter).truncated_to(Span::from_millis(1));
    }
    layers.ignore(notes, &keys[1..], "enableRandomizedWait is false");
    open_for
}

/// How a breaker begins; nothing if it lets every call through for ever.
fn read_initial_state(notes: &mut Notes, layers: &mut Layers<'_>) -> Option<Initial> {
    let Some((path, value)) = layers.value(notes, "initialState") else {
        return Some(Initial::Closed);
    };
    let state = text(value).unwrap_or_default().to_uppercase().replace('-', "_");
    let (initial, means) = match state.as_str() {
        "CLOSED" => (Some(Initial::Closed), "how it begins"),
        "OPEN" => (Some(Initial::Open), "how it begins: it denies the first calls"),
        "HALF_OPEN" => (Some(Initial::HalfOpen), "how it begins: the first calls are probes"),
        "FORCED_OPEN" => (Some(Initial::ForcedOpen), "it denies every call for ever"),
        "DISABLED" | "METRICS_ONLY" => (None, "it lets every call through: no breaker"),
        _ => {
            let known = ["CLOSED", "OPEN", "HALF_OPEN", "FORCED_OPEN", "DISABLED", "METRICS_ONLY"];
            notes.problems.push(Problem::unknown("state", &state, &known).at(value.at));
            return None;
        }
    };
    notes.given(&path, shown(value), means);
    initial
}
