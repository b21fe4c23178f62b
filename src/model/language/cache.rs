//! `[cache.NAME]`: rows kept for a while.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::instantly;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;

/// `[cache.NAME]`: row versions, kept for a while.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// How many rows it holds; the least recently used leaves first.
    pub capacity: u32,
    /// How long a row is kept after it was filled.
    #[serde(default)]
    pub ttl: Option<Span>,
    /// How long a lookup or a fill takes.
    #[serde(default = "instantly")]
    pub latency: Distribution,
    /// The zone that it is in.
    #[serde(default)]
    pub zone: Option<String>,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
}
