//! `[provider.NAME]`: effects that cannot be undone.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Failure, Protocol};
use super::service::Line;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::{Count, Rate, RetryAfter, Share};

/// `[provider.NAME]`: somebody else's service whose effects cannot be undone.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// How many calls it handles at once.
    pub concurrency: Count,
    /// The waiting line in front of it.
    #[serde(default)]
    pub queue: Line,
    /// How long a call takes.
    pub latency: Distribution,
    /// The effects it can be asked for.
    #[serde(default = "charge")]
    pub effects: Vec<String>,
    /// Calls that fail without an effect.
    #[serde(default)]
    pub errors_before: Share,
    /// Calls that fail although the effect happened.
    #[serde(default)]
    pub errors_after: Share,
    /// What the callers of both hear: HTTP 500 (`"failed"`) without it.
    #[serde(default)]
    pub error_status: Failure,
    /// Which statuses it answers with: those of HTTP without it.
    #[serde(default)]
    pub protocol: Protocol,
    /// How often it may be called; calls beyond are answered `throttled` before anything else.
    #[serde(default)]
    pub rate_limit: Option<ProviderRateLimit>,
    /// How long an idempotency key is remembered. Stripe: at least 24 hours.
    #[serde(default = "a_day")]
    pub keys_expire: Span,
    /// What happens to a call whose key is that of a call in progress.
    #[serde(default)]
    pub concurrent_key: ConcurrentKey,
    /// What happens to a call whose key was used for another order.
    #[serde(default)]
    pub on_mismatch: Mismatch,
    /// Whether a failed call's answer is stored with its key and given again, as Stripe v1 does.
    /// Without it a failure without effect leaves the key unused, and a failure after the effect is
    /// answered `ok` the next time, as Stripe v2 does.
    #[serde(default)]
    pub replay_errors: bool,
    /// How long a call in progress holds its key: then another one with it is handled beside it.
    /// Without it, until it ends.
    #[serde(default)]
    pub key_lease: Option<Span>,
    /// The zone that it is in.
    #[serde(default)]
    pub zone: Option<String>,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
}

/// How often a provider may be called.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProviderRateLimit {
    /// How often in the long run.
    pub rate: Rate,
    /// How many calls at once after a pause.
    pub burst: u32,
    /// What it tells those that it refuses; without it, nothing.
    #[serde(default)]
    pub retry_after: Option<RetryAfter>,
}

/// What happens to a call whose idempotency key is that of a call in progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConcurrentKey {
    /// It is answered `conflict` (HTTP 409), as Stripe does.
    #[default]
    Conflict,
    /// It waits for the end of the other one and is answered like it.
    Wait,
    /// It is handled as if it had no key: keys are stored when a call ends and not before.
    Execute,
}

/// What happens to a call whose idempotency key was used for another order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// It is answered `invalid`, as Stripe does, which compares the parameters.
    #[default]
    Invalid,
    /// It is answered like the first one: nothing is compared, its own effect never happens.
    Replay,
}

fn charge() -> Vec<String> {
    vec!["charge".to_owned()]
}

fn a_day() -> Span {
    Span::from_secs(86_400)
}
