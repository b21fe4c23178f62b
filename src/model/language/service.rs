//! `[service.NAME]`: workers, their waiting lines, and how an instance is chosen.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::Protocol;
use super::overload::{Bulkhead, ConcurrencyCost, DiscardExpired, PropagateDeadline, RateLimit};
use super::{one, pool::Pool, step::Step, unlimited};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::Count;
use crate::policy::limit::Limit;

/// The waiting line in front of workers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Line {
    /// How many may wait; more are rejected.
    pub limit: Count,
    /// Who is served first.
    pub order: Order,
    /// With `adaptive_lifo`: how many may wait before the newest is served first; without it, as
    /// many as there are workers.
    pub backlog: Option<Count>,
    /// With `codel` and `folly_codel`: the wait that is accepted for ever, 5 ms without it. With
    /// `adaptive_lifo`: how long one may wait in a line that has not been empty for the interval;
    /// without it there is no such limit.
    pub target: Option<Span>,
    /// With a `target`: how long waits must be too long; 100 ms without it.
    pub interval: Option<Span>,
    /// How long each request waits for a worker before it is rejected; without it, for ever.
    pub max_wait: Option<Distribution>,
    /// Whether work is discarded, when its turn comes, whose caller will have gone.
    pub discard_expired: Option<DiscardExpired>,
}

impl Default for Line {
    fn default() -> Line {
        Line {
            limit: Count::Unlimited,
            order: Order::Fifo,
            backlog: None,
            target: None,
            interval: None,
            max_wait: None,
            discard_expired: None,
        }
    }
}

impl Line {
    /// The wait that controlled delay accepts (Nichols, Jacobson: "Controlling Queue Delay", CACM
    /// 2012; folly `executors/Codel.cpp`).
    pub(in crate::model) fn target(&self) -> Span {
        self.target.unwrap_or(Span::from_millis(5))
    }

    /// The interval of controlled delay, from the same sources.
    pub(in crate::model) fn interval(&self) -> Span {
        self.interval.unwrap_or(Span::from_millis(100))
    }
}

/// Who is served first. Among equals, the one who came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The one who came first.
    Fifo,
    /// The one who came last.
    Lifo,
    /// The one who came first, or, when there is a backlog, the one who came last (Maurer: "Fail
    /// at Scale", ACM Queue 2015). With a `target`, the limits of waits of that article.
    AdaptiveLifo,
    /// The one who came first; standing waits are shortened by controlled delay as in networks.
    Codel,
    /// The one who came first; standing waits are shortened as folly's executors do.
    FollyCodel,
    /// The one whose caller stops waiting first.
    Deadline,
    /// The one whose operation has the largest `priority`.
    Priority,
}

/// How an instance is chosen for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Any, with equal probability.
    Random,
    /// The less loaded of two drawn at random.
    TwoChoices,
    /// The least loaded; among equals, the next in turn.
    LeastOutstanding,
}

/// `[service.NAME]`: instances with workers that run handlers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// How many instances.
    #[serde(default = "one")]
    pub instances: u32,
    /// Workers of each instance: how many requests it handles at once.
    pub workers: Count,
    /// The waiting line of each instance.
    #[serde(default)]
    pub queue: Line,
    /// How an instance is chosen.
    #[serde(default)]
    pub balance: Balance,
    /// Which statuses it answers with: those of HTTP without it.
    #[serde(default)]
    pub protocol: Protocol,
    /// How long after a crash requests are still sent to an instance that is down.
    #[serde(default)]
    pub detection: Span,
    /// When an instance stands still: collections of garbage, migrations of its machine.
    #[serde(default)]
    pub pauses: Option<Pauses>,
    /// Whether the deadline of its callers holds for the work and the calls of its handlers.
    #[serde(default)]
    pub propagate_deadline: Option<PropagateDeadline>,
    /// How many jobs of an instance can be at work at full speed; more share the cores.
    #[serde(default = "unlimited")]
    pub cores: Count,
    /// How much slower work is when much of it is done at once.
    #[serde(default)]
    pub concurrency_cost: ConcurrencyCost,
    /// How many requests each instance takes; others are answered `throttled`.
    #[serde(default)]
    pub rate_limit: Option<RateLimit>,
    /// How many requests may be at an instance at once, learned from how long they take.
    #[serde(default)]
    pub concurrency_limit: Option<Limit>,
    /// For each node that is called: how many jobs of an instance may be in calls to it at once.
    #[serde(default)]
    pub bulkhead: IndexMap<String, Bulkhead>,
    /// What the handlers of an instance hold over several steps, such as connections.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub pool: IndexMap<String, Pool>,
    /// The queue whose messages this service handles, if it is a worker.
    #[serde(default)]
    pub takes: Option<String>,
    /// The group of consumers that this worker belongs to: each group gets every message of the
    /// queue once, its workers share them.
    #[serde(default)]
    pub group: Option<String>,
    /// How many messages each instance is handed ahead of those that its workers handle: they are
    /// in flight, and their visibility runs, while they wait for a worker.
    #[serde(default = "nothing_ahead")]
    pub prefetch: Count,
    /// What a worker does with a message.
    #[serde(default)]
    pub steps: Option<Vec<Step>>,
    /// What an operation does.
    #[serde(default)]
    pub on: IndexMap<String, Handler>,
    /// The zone that it is in.
    #[serde(default)]
    pub zone: Option<String>,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
}

fn nothing_ahead() -> Count {
    Count::Limited(0)
}

/// When an instance stands still, and for how long: each instance for itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pauses {
    /// From the end of one pause to the beginning of the next.
    pub every: Distribution,
    /// How long a pause lasts.
    #[serde(rename = "for")]
    pub lasts: Distribution,
}

/// `[service.NAME.on.OPERATION]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Handler {
    /// The steps, one after the other.
    pub steps: Vec<Step>,
    /// In a waiting line by priority, larger ones are served first.
    #[serde(default)]
    pub priority: u32,
}
