//! `[[faults]]` of an experiment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;
use crate::model::quantity::{Rate, Share};

/// One fault as it is written: when, where, what, how strong.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultText {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Whom it strikes: a node, a link such as `"api -> payment"`, or `"all"` links.
    pub target: String,
    /// When it begins.
    pub at: Span,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// `slow`: how many times as long work takes.
    #[serde(default)]
    pub factor: Option<f64>,
    /// `errors`, `request_loss`, `reply_loss`: the share of calls or messages.
    /// `read_model_corruption`: the share of rows. `primary_failover`: the share of the callers'
    /// processes that reach the old primary all the same, none by default.
    #[serde(default)]
    pub share: Option<Share>,
    /// `errors`: the share of the errors that come after the effect.
    #[serde(default)]
    pub after_effect: Option<Share>,
    /// `latency`: how much longer messages travel, each way. `replica_lag`: how much later.
    #[serde(default)]
    pub added: Option<Span>,
    /// `primary_failover`: the replica that takes the database's place.
    #[serde(default)]
    pub to: Option<String>,
    /// `primary_failover`: how long it takes until it does.
    #[serde(default)]
    pub after: Option<Span>,
    /// `traffic_spike`: the rate of arrivals while it lasts.
    #[serde(default)]
    pub rate: Option<Rate>,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A node takes `factor` times as long for its work. Work that has begun is not slowed.
    Slow,
    /// A `share` of the calls to a provider fails, `after_effect` of them although the effect
    /// happened.
    Errors,
    /// A `share` of the requests on a link is lost: nothing happens at their target.
    RequestLoss,
    /// A `share` of the replies on a link is lost: the work was done, the caller never hears.
    ReplyLoss,
    /// Messages on a link travel longer by `added`, each way.
    Latency,
    /// A replica applies every transaction later by `added`.
    ReplicaLag,
    /// A replica applies nothing. It catches up when this ends.
    ReplicaStop,
    /// A database cannot be reached but by a `share` of its callers' processes, and no replica
    /// hears of what it writes. The replica `to` leads instead of it `after` some time: what that
    /// had not applied is lost. When this ends the database copies the replica and leads again;
    /// what it accepted meanwhile is lost.
    PrimaryFailover,
    /// A cache is emptied when this begins.
    CacheFlush,
    /// A cache shows what it has, however old, and hears of no invalidation.
    CacheStale,
    /// A `share` of the rows of a replica or cache falls back by one version when this begins, and
    /// stays so until the row is written or filled again.
    ReadModelCorruption,
    /// Users arrive at another `rate`. The target is a group of clients with Poisson arrivals.
    TrafficSpike,
}

impl FaultKind {
    /// The keys that say how strong it is; all are required but those that are optional.
    pub(super) fn strengths(self) -> &'static [&'static str] {
        match self {
            FaultKind::Slow => &["factor"],
            FaultKind::Errors => &["share", "after_effect"],
            FaultKind::RequestLoss | FaultKind::ReplyLoss => &["share"],
            FaultKind::Latency | FaultKind::ReplicaLag => &["added"],
            FaultKind::ReplicaStop | FaultKind::CacheFlush | FaultKind::CacheStale => &[],
            FaultKind::PrimaryFailover => &["to", "after", "share"],
            FaultKind::ReadModelCorruption => &["share"],
            FaultKind::TrafficSpike => &["rate"],
        }
    }

    /// Whether a strength has a default.
    pub(super) fn is_optional(self, strength: &str) -> bool {
        strength == "after_effect" || self == FaultKind::PrimaryFailover && strength == "share"
    }

    /// Its name in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Slow => "slow",
            FaultKind::Errors => "errors",
            FaultKind::RequestLoss => "request_loss",
            FaultKind::ReplyLoss => "reply_loss",
            FaultKind::Latency => "latency",
            FaultKind::ReplicaLag => "replica_lag",
            FaultKind::ReplicaStop => "replica_stop",
            FaultKind::PrimaryFailover => "primary_failover",
            FaultKind::CacheFlush => "cache_flush",
            FaultKind::CacheStale => "cache_stale",
            FaultKind::ReadModelCorruption => "read_model_corruption",
            FaultKind::TrafficSpike => "traffic_spike",
        }
    }
}
