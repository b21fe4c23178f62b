//! `[[faults]]` of an experiment.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;
use crate::model::language::Failure;
use crate::model::quantity::{Rate, Share, Shift};

/// One fault as it is written: when, where, what, how strong.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FaultText {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Whom it strikes: a node, one instance of it such as `"api[2]"` (from 0), a zone or region
    /// such as `"zone a"`, a link such as `"api -> payment"` or `"zone a -> zone b"`, or `"all"`
    /// links.
    pub target: String,
    /// When it begins: the time since the beginning, or, where the experiment has `starts_at`, a
    /// time of the day.
    #[cfg_attr(feature = "schema", schemars(with = "crate::model::quantity::Moment"))]
    pub at: Span,
    /// How long it lasts. A `cache_flush`, a `read_model_corruption` and a `redelivery_burst`
    /// happen at one instant and need none.
    #[serde(rename = "for", default = "no_time")]
    pub lasts: Span,
    /// `slow`: how many times as long work takes.
    #[serde(default)]
    pub factor: Option<f64>,
    /// `errors`, `request_loss`, `reply_loss`, `duplicate`, `reorder`, `hot_key`: the share of
    /// calls, messages or users. `worker_kill`, `relay_crash`: the share of those that come to the
    /// step who die, with no limit on `times`. `read_model_corruption`: the share of rows.
    /// `primary_failover`: the share of the callers' processes that reach the old primary all the
    /// same, none by default.
    #[serde(default)]
    pub share: Option<Share>,
    /// `errors`: the share of the errors that come after the effect.
    #[serde(default)]
    pub after_effect: Option<Share>,
    /// `errors`: what callers hear, a status such as 503 or `"UNAVAILABLE"`, or `"reset"`; without
    /// it what the node answers of itself: HTTP 500, or the `error_status` of a provider.
    #[serde(default)]
    pub status: Option<Failure>,
    /// `latency`: how much longer messages travel, each way. `reorder`: up to how late they are.
    /// `replica_lag`: how much later.
    #[serde(default)]
    pub added: Option<Span>,
    /// `primary_failover`: the replica that takes the database's place.
    #[serde(default)]
    pub to: Option<String>,
    /// `primary_failover`: how long it takes until it does.
    #[serde(default)]
    pub after: Option<Span>,
    /// `partition`: whether only messages from the first to the second are lost; no if left out.
    #[serde(default)]
    pub one_way: Option<bool>,
    /// `crash`: whether the hosts are gone too, so that callers hear nothing of it, neither `reset`
    /// nor `not_connected`; `false` if it is left out.
    #[serde(default)]
    pub unreachable: Option<bool>,
    /// `worker_kill`: the step, by the operation that it calls, such as `payment.charge`,
    /// `orders.transaction` or `payments.ack`. `relay_crash`: `take`, `publish` or `mark`.
    #[serde(default)]
    pub step: Option<String>,
    /// `worker_kill`, `relay_crash`: on which side of the step; `after` if it is left out.
    #[serde(default)]
    pub when: Option<Side>,
    /// `worker_kill`, `relay_crash`: how long each is down, at most until the fault ends; 1s if it
    /// is left out.
    #[serde(default)]
    pub down: Option<Span>,
    /// `worker_kill`, `relay_crash`: how many die in all; 1 if neither this nor `share` is given.
    #[serde(default)]
    pub times: Option<u32>,
    /// `clock_skew`: by how much the clock is fast, or with a minus slow.
    #[serde(default)]
    pub by: Option<Shift>,
    /// `redelivery_burst`: messages acknowledged within this span are delivered again too.
    #[serde(default)]
    pub since: Option<Span>,
    /// `traffic_spike`: the rate of arrivals while it lasts.
    #[serde(default)]
    pub rate: Option<Rate>,
}

/// On which side of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// When its call is about to be sent.
    Before,
    /// When its answer `ok` has come, before anything is done with it.
    After,
}

/// Declares the kinds of faults: what each is, its name in the file, and the keys that say how
/// strong it is, those first that must be given.
macro_rules! kinds {
    (
        $($(#[$about:meta])* $kind:ident = $name:literal:
            [$($needed:literal),*] [$($optional:literal),*],)*
    ) => {
        /// What can go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
        #[cfg_attr(feature = "schema", derive(JsonSchema))]
        pub enum FaultKind {
            $($(#[$about])* #[serde(rename = $name)] $kind,)*
        }

        impl FaultKind {
            /// Every kind, in the order of their description.
            pub const ALL: [FaultKind; [$($name),*].len()] = [$(FaultKind::$kind),*];

            /// The keys that say how strong it is.
            pub(super) fn strengths(self) -> &'static [&'static str] {
                match self {
                    $(FaultKind::$kind => &[$($needed,)* $($optional,)*],)*
                }
            }

            /// The keys among them that may be left out.
            pub(super) fn optional(self) -> &'static [&'static str] {
                match self {
                    $(FaultKind::$kind => &[$($optional),*],)*
                }
            }

            /// Its name in the file.
            pub fn name(self) -> &'static str {
                match self {
                    $(FaultKind::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// A node takes `factor` times as long for its work. Work that has begun is not slowed.
    Slow = "slow": ["factor"] [],
    /// A `share` of the calls to a node fails, `after_effect` of them although their work was done.
    /// A provider fails where it takes effect, any other node as soon as it is asked, or when it
    /// would have answered `ok`. `status` says what the callers hear.
    Errors = "errors": ["share"] ["after_effect", "status"],
    /// A `share` of the requests on a link is lost: nothing happens at their target.
    RequestLoss = "request_loss": ["share"] [],
    /// A `share` of the replies on a link is lost: the work was done, the caller never hears.
    ReplyLoss = "reply_loss": ["share"] [],
    /// Messages on a link travel longer by `added`, each way.
    Latency = "latency": ["added"] [],
    /// A `share` of the messages on a link arrives twice, each way: a second request is a second
    /// job, a second reply is stale.
    Duplicate = "duplicate": ["share"] [],
    /// A `share` of the messages on a link is late by up to `added`, each way, and is overtaken.
    Reorder = "reorder": ["share", "added"] [],
    /// No message gets from one side to the other, nor back unless `one_way` is true. The sides are
    /// those of a link, or a node, zone or region and all others. What is on its way arrives.
    Partition = "partition": [] ["one_way"],
    /// Messages on a link, each way, are held until the fault ends; only then they set out.
    LinkClog = "link_clog": [] [],
    /// A replica applies every transaction later by `added`.
    ReplicaLag = "replica_lag": ["added"] [],
    /// A replica applies nothing. It catches up when this ends.
    ReplicaStop = "replica_stop": [] [],
    /// A database cannot be reached but by a `share` of its callers' processes, and no replica
    /// hears of what it writes. The replica `to` leads instead of it `after` some time: what that
    /// had not applied is lost. When this ends the database copies the replica and leads again;
    /// what it accepted meanwhile is lost.
    PrimaryFailover = "primary_failover": ["to", "after"] ["share"],
    /// A cache is emptied when this begins.
    CacheFlush = "cache_flush": [] [],
    /// A cache shows what it has, however old, and hears of no invalidation.
    CacheStale = "cache_stale": [] [],
    /// A `share` of the rows of a replica or cache falls back by one version when this begins, and
    /// stays so until the row is written or filled again.
    ReadModelCorruption = "read_model_corruption": ["share"] [],
    /// Instances of a node die and are down while it lasts. They lose what they had in memory (work
    /// in progress, waiting requests, calls and their retries, budgets and breakers, cached rows,
    /// the position of a relay, the log of a database as far as it was not flushed) and keep what
    /// is durable. Their host breaks their connections: who waits for an answer hears `reset` at
    /// once, and who asks while they are down `not_connected`.
    Crash = "crash": [] ["unreachable"],
    /// Instances of a node die and are up again at the same instant, one after the other, evenly
    /// over the time that it lasts. Calls in progress hear `reset`.
    Restart = "restart": [] [],
    /// Instances of a node stand still. They keep everything: work takes so much longer, and
    /// messages and timers that come in the meantime are handled at the end, in their order.
    Pause = "pause": [] [],
    /// An instance of a service dies when it comes to a step.
    WorkerKill = "worker_kill": ["step"] ["when", "down", "times", "share"],
    /// A relay dies when it comes to a step.
    RelayCrash = "relay_crash": ["step"] ["when", "down", "times", "share"],
    /// A database cannot write: transactions fail and the log is not flushed, reads work.
    DiskFull = "disk_full": [] [],
    /// The clock of a node is fast or slow, where it compares times: when a cached row or an
    /// idempotency key expires.
    ClockSkew = "clock_skew": ["by"] [],
    /// A queue delivers nothing while it lasts; it accepts messages and acknowledgements.
    QueueStall = "queue_stall": [] [],
    /// When it begins, every message of a queue that was delivered and not acknowledged is
    /// delivered again at once, and so is what was acknowledged within `since`, as after the reset
    /// of a consumer's offset. It has no duration.
    RedeliveryBurst = "redelivery_burst": [] ["since"],
    /// Users arrive at another `rate`. The target is a group of clients with Poisson arrivals
    /// of any kind: a fixed rate, a profile, a daily pattern or bursts.
    TrafficSpike = "traffic_spike": ["rate"] [],
    /// A `share` of the users of a group of clients is about one key, the last of their keys: under
    /// a Zipf law the one that nobody expected.
    HotKey = "hot_key": ["share"] [],
}

impl FaultKind {
    /// Whether all of it happens at one instant, when it begins.
    pub(super) fn is_at_once(self) -> bool {
        matches!(
            self,
            FaultKind::CacheFlush | FaultKind::ReadModelCorruption | FaultKind::RedeliveryBurst
        )
    }
}

fn no_time() -> Span {
    Span::ZERO
}
