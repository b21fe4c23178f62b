//! `[provider.NAME]`: effects that cannot be undone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::service::Line;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::{Count, Share};

/// `[provider.NAME]`: somebody else's service whose effects cannot be undone.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
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
    /// How long an idempotency key is remembered.
    #[serde(default = "a_day")]
    pub keys_expire: Span,
    /// The zone that it is in.
    #[serde(default)]
    pub zone: Option<String>,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
}

fn charge() -> Vec<String> {
    vec!["charge".to_owned()]
}

fn a_day() -> Span {
    Span::from_secs(86_400)
}
