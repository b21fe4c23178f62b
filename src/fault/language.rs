//! `[[faults]]` of an experiment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;
use crate::model::quantity::{Rate, Share};

/// One fault as it is written: when, where, what, how strong.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
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
    #[serde(default)]
    pub share: Option<Share>,
    /// `errors`: the share of the errors that come after the effect.
    #[serde(default)]
    pub after_effect: Option<Share>,
    /// `latency`: how much longer messages travel, each way.
    #[serde(default)]
    pub added: Option<Span>,
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
    /// Users arrive at another `rate`. The target is a group of clients with Poisson arrivals.
    TrafficSpike,
}

impl FaultKind {
    /// The keys that say how strong it is; all are required but `after_effect`.
    pub(super) fn strengths(self) -> &'static [&'static str] {
        match self {
            FaultKind::Slow => &["factor"],
            FaultKind::Errors => &["share", "after_effect"],
            FaultKind::RequestLoss | FaultKind::ReplyLoss => &["share"],
            FaultKind::Latency => &["added"],
            FaultKind::TrafficSpike => &["rate"],
        }
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
            FaultKind::TrafficSpike => "traffic_spike",
        }
    }
}
