//! What a service does against overload: deadlines, limits at its door, bulkheads, and how its work
//! slows down when there is much of it.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;
use crate::model::quantity::{Rate, Share};

/// `discard_expired = { … }`: work whose caller will have gone is not begun.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DiscardExpired {
    /// Work is discarded, and answered `rejected`, if its caller waits no longer than this.
    pub slack: Span,
    /// Whether nobody is told: the caller waits until its patience ends.
    pub silently: bool,
}

/// `propagate_deadline = { … }`: the deadline of a caller holds for all that is done for it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PropagateDeadline {
    /// What the service keeps of the time that its caller leaves it, for its own answer.
    pub margin: Span,
}

/// `concurrency_cost = { … }`: the Universal Scalability Law (Gunther: "Guerrilla Capacity
/// Planning", 2007, chapter 6). With `n` jobs of an instance at work, each takes
/// `1 + contention (n - 1) + coherency n (n - 1)` times as long.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ConcurrencyCost {
    /// Sigma: the share of the work that only one can do at a time.
    pub contention: Share,
    /// Kappa: what each pair of jobs costs to keep consistent.
    pub coherency: Share,
}

/// `[service.NAME.bulkhead.NODE]`: a limit of calls at once to one dependency.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bulkhead {
    /// How many jobs of an instance may be in calls to the node at once, retries included.
    pub limit: u32,
    /// How many more may wait for room; the calls of others are rejected.
    #[serde(default)]
    pub queue: u32,
    /// How long one may wait for room; without it, as long as the call may take.
    #[serde(default)]
    pub max_wait: Option<Span>,
}

/// `rate_limit = { … }`: how many requests an instance takes; others are answered `throttled`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RateLimit {
    /// Tokens come at the rate; a full bucket is a burst (golang.org/x/time/rate, `Allow`).
    TokenBucket(Allowance),
    /// The generic cell rate algorithm (the crate governor): the same without fractions of tokens.
    Gcra(Allowance),
}

/// How many requests are taken.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// In the long run.
    pub rate: Rate,
    /// At once, after a time of rest.
    #[serde(default = "one")]
    pub burst: u32,
}

fn one() -> u32 {
    1
}
