//! resilience4j: bulkheads, rate limiters and time limiters.

use super::layers::Layers;
use crate::import::note::{Notes, joined};
use crate::import::quantity::{count, spring_duration};
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::rate_limit::{Cycles, RateLimit, Rule};

const BULKHEAD: &str = "resilience4j BulkheadConfig.java";
const POOL: &str = "resilience4j ThreadPoolBulkheadConfig.java";
const RATE: &str = "resilience4j RateLimiterConfig.java";
const TIME: &str = "resilience4j TimeLimiterConfig.java";

pub(super) fn read_bulkhead(notes: &mut Notes, layers: &mut Layers<'_>, policy: &mut Policy) {
    let means = "attempts at once";
    let limit = layers.read(notes, "maxConcurrentCalls", count, (25, BULKHEAD), means);
    let wait = (Span::ZERO, BULKHEAD);
    let means = "longest wait for room";
    let wait = layers.read(notes, "maxWaitDuration", spring_duration, wait, means);
    let why = "the one who waits longest is first";
    layers.ignore(notes, &["fairCallHandlingEnabled"], why);
    let around = Around::Attempt;
    policy.bulkhead = Some(match wait > Span::ZERO {
        true => Bulkhead { limit, queue: u32::MAX, max_wait: Some(wait), around },
        false => Bulkhead { limit, queue: 0, max_wait: None, around },
    });
}

/// A pool runs its core, then fills its queue, then grows; here it may grow at once.
pub(super) fn read_pool(notes: &mut Notes, layers: &mut Layers<'_>, policy: &mut Policy) {
    let keys = ["maxThreadPoolSize", "queueCapacity", "coreThreadPoolSize"];
    if policy.bulkhead.is_some() {
        layers.ignore(notes, &keys, "a call passes one bulkhead: the other one is taken");
    } else {
        let means = "attempts at once";
        let limit = layers.given(notes, keys[0], count, means);
        let limit = limit.unwrap_or_else(|| {
            let default = "as many as processors: taken as 8".to_owned();
            notes.defaulted(&joined(&layers.path, keys[0]), default, POOL);
            8
        });
        if limit == 0 {
            layers.refuse(notes, keys[0], "is no pool", "at least 1 thread");
        }
        let queue = layers.read(notes, keys[1], count, (100, POOL), "wait for a thread");
        let why = "the queue is filled before the pool grows, which is not modelled";
        layers.ignore(notes, &[keys[2]], why);
        policy.bulkhead = Some(Bulkhead { limit, queue, max_wait: None, around: Around::Attempt });
    }
    let keys = ["keepAliveDuration", "contextPropagators"];
    layers.ignore(notes, &keys, "threads cost nothing here");
}

pub(super) fn read_rate(notes: &mut Notes, layers: &mut Layers<'_>, policy: &mut Policy) {
    let permits = (50, RATE);
    let permits = layers.read(notes, "limitForPeriod", count, permits, "attempts in a period");
    let period = (Span::from_nanos(500), RATE);
    let key = "limitRefreshPeriod";
    let period = layers.read(notes, key, spring_duration, period, "the period");
    let patience = (Span::from_secs(5), RATE);
    let key = "timeoutDuration";
    let patience = layers.read(notes, key, spring_duration, patience, "longest wait");
    if permits == 0 {
        layers.refuse(notes, "limitForPeriod", "lets nothing through", "at least 1 permit");
    }
    if period == Span::ZERO {
        layers.refuse(notes, "limitRefreshPeriod", "is no time", "more than 0");
    }
    policy.rate_limit =
        Some(RateLimit { rule: Rule::Cycles(Cycles { permits, period }), max_wait: patience });
    layers.ignore(notes, &["drainPermissionsOnResult"], "is code of the application");
}

/// A time limiter outside of the retry limits the whole call.
pub(super) fn read_time(
    notes: &mut Notes,
    layers: &mut Layers<'_>,
    policy: &mut Policy,
    is_outside: bool,
) {
    let or = (Span::from_secs(1), TIME);
    let means = if is_outside { "the whole call, retries included" } else { "one attempt" };
    let span = layers.read(notes, "timeoutDuration", spring_duration, or, means);
    *(if is_outside { &mut policy.deadline } else { &mut policy.attempt_timeout }) = Some(span);
    let why = "the server goes on with an attempt that timed out";
    layers.ignore(notes, &["cancelRunningFuture"], why);
}
