//! What a service does against overload: deadlines, limits at its door, bulkheads, and how its work
//! slows down when there is much of it.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;
use crate::model::quantity::{Rate, Share};

/// `discard_expired = { … }`: work whose caller will have gone is not begun.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DiscardExpired {
    /// Work is discarded, and answered `rejected`, if its caller waits no longer than this.
    pub slack: Span,
    /// Whether nobody is told: the caller waits until its patience ends.
    pub silently: bool,
}

/// `propagate_deadline = { … }`: the deadline of a caller holds for all that is done for it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PropagateDeadline {
    /// What the service keeps of the time that its caller leaves it, for its own answer.
    pub margin: Span,
}

/// `concurrency_cost = { … }`: the Universal Scalability Law (Gunther: "Guerrilla Capacity
/// Planning", 2007, chapter 6). With `n` jobs of an instance at work, each takes
/// `1 + contention (n - 1) + coherency n (n - 1)` times as long.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ConcurrencyCost {
    /// Sigma: the share of the work that only one can do at a time.
    pub contention: Share,
    /// Kappa: what each pair of jobs costs to keep consistent.
    pub coherency: Share,
}

/// `[service.NAME.bulkhead.NODE]`: a limit of calls at once to one dependency.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bulkhead {
    /// How many jobs of an instance may be in calls to the node at once, retries included.
    pub concurrent: u32,
    /// How many more may wait for room; the calls of others are rejected.
    #[serde(default)]
    pub queue: u32,
    /// How long one may wait for room; without it, as long as the call may take.
    #[serde(default)]
    pub max_wait: Option<Span>,
}

/// `rate_limit = { … }`: how many requests an instance takes; others are answered `throttled`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RateLimit {
    /// Tokens come at the rate; a full bucket is a burst (golang.org/x/time/rate, `Allow`).
    TokenBucket(Allowance),
    /// The generic cell rate algorithm (the crate governor): the same without fractions of tokens.
    Gcra(Allowance),
}

/// How many requests are taken.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// In the long run.
    pub rate: Rate,
    /// At once, after a time of rest.
    #[serde(default = "one")]
    pub burst: u32,
}

/// `concurrency_limit = { … }`: how many requests may be at an instance at once, learned from how
/// long they take; others are rejected (Netflix/concurrency-limits, whose defaults these are).
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ConcurrencyLimit {
    /// `AIMDLimit`: one more as long as all is well, a share less when a request takes too long.
    Aimd(Aimd),
    /// `VegasLimit`: the queue is estimated from the smallest latency.
    Vegas(Vegas),
    /// `Gradient2Limit`: the latency against its own long average.
    Gradient2(Gradient2),
}

/// `aimd = { … }`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Aimd {
    /// The limit at the start.
    pub initial: u32,
    /// The smallest limit.
    pub min: u32,
    /// The largest limit.
    pub max: u32,
    /// What a request that takes too long multiplies the limit by.
    pub backoff: Share,
    /// From when on a request takes too long.
    pub timeout: Span,
}

impl Default for Aimd {
    fn default() -> Aimd {
        let (initial, min, max) = (20, 20, 200);
        Aimd { initial, min, max, backoff: Share(0.9), timeout: Span::from_secs(5) }
    }
}

/// `vegas = { … }`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Vegas {
    /// The limit at the start.
    pub initial: u32,
    /// The largest limit.
    pub max: u32,
    /// The weight of a new estimate.
    pub smoothing: Share,
    /// After so many times the limit of requests, the smallest latency is measured anew.
    pub probe_multiplier: u32,
}

impl Default for Vegas {
    fn default() -> Vegas {
        Vegas { initial: 20, max: 1000, smoothing: Share(1.0), probe_multiplier: 30 }
    }
}

/// `gradient2 = { … }`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Gradient2 {
    /// The limit at the start.
    pub initial: u32,
    /// The smallest limit.
    pub min: u32,
    /// The largest limit.
    pub max: u32,
    /// The weight of a new estimate.
    pub smoothing: Share,
    /// How many times the long average a request may take.
    pub tolerance: f64,
    /// How many requests may queue.
    pub queue: u32,
    /// How many requests the long average is over.
    pub long_window: u32,
}

impl Default for Gradient2 {
    fn default() -> Gradient2 {
        Gradient2 {
            initial: 20,
            min: 20,
            max: 200,
            smoothing: Share(0.2),
            tolerance: 1.5,
            queue: 4,
            long_window: 600,
        }
    }
}

fn one() -> u32 {
    1
}
