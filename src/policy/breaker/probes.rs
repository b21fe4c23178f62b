//! How a half-open breaker finds out whether its target is back, and what it then forgets.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::quantity::AsShare;

/// What the probes of a half-open breaker must show.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Proof {
    /// Nothing: it closes when its time is over (Spring Retry).
    Nothing,
    /// This many successes close it; the first failure opens it again.
    Successes(u32),
    /// When this many results are in, it opens again if the share of failures is at least `ratio`,
    /// and closes otherwise (resilience4j).
    Ratio {
        /// How many results are waited for.
        calls: u32,
        /// The share of failures, or of slow calls, that opens it again.
        #[serde(with = "AsShare")]
        ratio: f64,
    },
}

/// How a half-open breaker finds out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probes {
    /// How many probes it admits; `u32::MAX` is everybody.
    pub limit: u32,
    /// Whether the limit is of probes running at once instead of all probes of this half-open time.
    pub at_once: bool,
    /// Whether callers beyond the limit wait for the decision instead of being rejected
    /// (cockatiel).
    pub queue: bool,
    /// What decides.
    pub proof: Proof,
}

impl Probes {
    /// One probe, everybody else rejected, its result decides.
    pub const ONE: Probes =
        Probes { limit: 1, at_once: false, queue: false, proof: Proof::Successes(1) };
}

/// What an ignored outcome, or an abandoned call, does to the probe that it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unheard {
    /// The probe's place is free again (resilience4j `releasePermission`).
    Frees,
    /// The breaker closes, because nothing bad was seen (Polly, cockatiel).
    Closes,
    /// The place stays taken.
    Holds,
}

/// What a closing breaker does with what it has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnClose {
    /// It starts again from nothing; results of probes are never counted.
    Forgets,
    /// It starts again from the probe that closed it. Probes are counted like other calls, and if
    /// an outcome that does not count closes it, all counts stay (cockatiel, failsafe-rs).
    KeepsProbe,
    /// It keeps all counts, and counts in every state (opossum).
    KeepsAll,
}
