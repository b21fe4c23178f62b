//! `[cache.NAME]`: rows kept for a while.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::instantly;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;

/// `[cache.NAME]`: row versions, kept for a while.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// How many rows it holds; the least recently used leaves first.
    pub capacity: u32,
    /// How long a row is kept after it was filled.
    #[serde(default)]
    pub ttl: Option<Span>,
    /// How long a row is kept after it was asked for last, or filled; a `ttl` beside it ends it all
    /// the same.
    #[serde(default)]
    pub expire_after_access: Option<Span>,
    /// How long it is kept that there is no such row; without it, not at all.
    #[serde(default)]
    pub negative_ttl: Option<Span>,
    /// For how long after its `ttl` a row is still shown, while one reader of each process
    /// fetches it again in the background.
    #[serde(default)]
    pub stale_for: Option<Span>,
    /// Whether the readers of one process wait for the first of them that fetches a row.
    #[serde(default)]
    pub single_flight: bool,
    /// After a miss one reader gets the lease of the row, at most one in each such time; the
    /// others wait. Only the holder may fill the row, and an invalidation ends the lease.
    #[serde(default)]
    pub lease: Option<Span>,
    /// How eagerly a row is fetched again before its `ttl` ends, at random: 1 is usual.
    #[serde(default)]
    pub early_expiry: Option<f64>,
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
