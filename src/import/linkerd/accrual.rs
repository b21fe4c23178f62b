//! Linkerd: failure accrual, the breaker of each endpoint.

use super::ROUTES;
use crate::import::note::Notes;
use crate::import::object::Object;
use crate::import::preset;
use crate::import::quantity::{count, linkerd_duration, number, share, text};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::policy::Policy;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::breaker::{Breaker, Trip, Window as Counted};

/// Reads failure accrual of each endpoint, off unless it is asked for.
pub(super) fn read(notes: &mut Notes, object: &mut Object<'_>, policy: &mut Policy) {
    let key = "balancer.linkerd.io/failure-accrual";
    let Some((path, value)) = object.value(key) else {
        notes.defaulted(key, "none: no breaker".to_owned(), ROUTES);
        let why = "failure accrual is not switched on";
        object.ignore(notes, &ACCRUAL, why);
        object.ignore(notes, &UNIFIED, why);
        return;
    };
    let mode = text(value).unwrap_or_default();
    let is_unified = mode == "unified";
    if !is_unified && mode != "consecutive" {
        let problem = Problem::unknown("failure accrual", &mode, &["consecutive", "unified"]);
        notes.problems.push(problem.at(value.at));
        return;
    }
    let means = match is_unified {
        true => "a breaker on failures in a row and on the success rate",
        false => "a breaker on failures in a row",
    };
    notes.given(&path, mode, means);
    let [failures, least, most, jitter] = ACCRUAL;
    let failures = object.read(notes, failures, count, (7, ROUTES), "failures in a row");
    let shortest = (Span::from_secs(1), ROUTES);
    let least = object.read(notes, least, linkerd_duration, shortest, "first time open");
    let longest = (Span::from_secs(60), ROUTES);
    let longest = object.read(notes, most, linkerd_duration, longest, "longest time open");
    let means = "of the time at random on top";
    let jitter = object.read(notes, jitter, number, (0.5, ROUTES), means);
    // Zero switches the count off in unified mode (`unified.rs`, `should_trip`).
    if failures == 0 && !is_unified {
        let problem = Problem::new("the breaker would open without a failure");
        notes.problems.push(object.problem(ACCRUAL[0], problem.expected("at least 1")));
    }
    let version = if is_unified { "unified" } else { "consecutive" };
    let start = preset("linkerd-failure-accrual", version).breaker;
    let trip = match start.map(|breaker| breaker.trip) {
        Some(trip) if is_unified => read_rate(notes, object, trip, failures),
        _ => {
            object.ignore(notes, &UNIFIED, "the mode is consecutive");
            Trip::Consecutive { failures }
        }
    };
    policy.breaker = start.map(|breaker| Breaker {
        trip,
        open_for: Backoff::exponential(least, 2.0)
            .jittered(Jitter::Up(jitter))
            .capped_after_jitter(longest),
        ..breaker
    });
}

/// The success rate of unified mode.
fn read_rate(notes: &mut Notes, object: &mut Object<'_>, start: Trip, failures: u32) -> Trip {
    let [least, span, requests] = UNIFIED;
    let rate = object.read(notes, least, share, (0.8, UNIFIED_MODE), "below it opens");
    let window = (Span::from_secs(10), UNIFIED_MODE);
    let window = object.read(notes, span, linkerd_duration, window, "in ten buckets");
    if window < Span::from_millis(10) {
        let problem = Problem::new(format!("a window of {window} is no window"));
        notes.problems.push(object.problem(span, problem.expected("at least 10ms")));
    }
    let minimum = (5, UNIFIED_MODE);
    let minimum = object.read(notes, requests, count, minimum, "calls in the window");
    match start {
        Trip::Ratio { window: Counted::Time { buckets, rotation, .. }, comparison, .. } => {
            Trip::Ratio {
                window: Counted::Time { span: window, buckets, rotation },
                minimum,
                // Rounded, or 1 - 0.8 would be a little below 0.2 and a share of 0.2 above it.
                ratio: libm::round((1.0 - rate) * 1e9) / 1e9,
                comparison,
                on_success: true,
                slow: None,
                every: None,
                consecutive: (failures > 0).then_some(failures),
            }
        }
        other => other,
    }
}

const UNIFIED_MODE: &str = "Linkerd reference, unified circuit breaker";
/// What unified mode can be told besides.
const UNIFIED: [&str; 3] = [
    "balancer.alpha.linkerd.io/failure-accrual-success-rate-threshold",
    "balancer.alpha.linkerd.io/failure-accrual-success-rate-window",
    "balancer.alpha.linkerd.io/failure-accrual-success-rate-min-requests",
];

/// What failure accrual can be told.
const ACCRUAL: [&str; 4] = [
    "balancer.linkerd.io/failure-accrual-consecutive-max-failures",
    "balancer.linkerd.io/failure-accrual-consecutive-min-penalty",
    "balancer.linkerd.io/failure-accrual-consecutive-max-penalty",
    "balancer.linkerd.io/failure-accrual-consecutive-jitter-ratio",
];
