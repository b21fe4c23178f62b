//! `[service.NAME]`: workers, their waiting lines, and how an instance is chosen.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{one, step::Step};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::Count;

/// The waiting line in front of workers.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Line {
    /// How many may wait; more are rejected.
    pub limit: Count,
    /// Who is served first.
    pub order: Order,
}

impl Default for Line {
    fn default() -> Line {
        Line { limit: Count::Unlimited, order: Order::Fifo }
    }
}

/// Who is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The one who came first.
    Fifo,
    /// The one who came last.
    Lifo,
}

/// How an instance is chosen for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Any, with equal probability.
    Random,
    /// The less loaded of two drawn at random.
    TwoChoices,
    /// The least loaded.
    LeastOutstanding,
}

/// `[service.NAME]`: instances with workers that run handlers.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
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
    /// How long after a crash requests are still sent to an instance that is down.
    #[serde(default)]
    pub detection: Span,
    /// When an instance stands still: collections of garbage, migrations of its machine.
    #[serde(default)]
    pub pauses: Option<Pauses>,
    /// The queue whose messages this service handles, if it is a worker.
    #[serde(default)]
    pub takes: Option<String>,
    /// The group of consumers that this worker belongs to: each group gets every message of the
    /// queue once, its workers share them.
    #[serde(default)]
    pub group: Option<String>,
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

/// When an instance stands still, and for how long: each instance for itself.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pauses {
    /// From the beginning of one pause to the beginning of the next.
    pub every: Distribution,
    /// How long a pause lasts.
    #[serde(rename = "for")]
    pub lasts: Distribution,
}

/// `[service.NAME.on.OPERATION]`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handler {
    /// The steps, one after the other.
    pub steps: Vec<Step>,
}
