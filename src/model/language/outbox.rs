//! `[outbox.NAME]`: a relay from an outbox table to a queue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;

/// `[outbox.NAME]`: a relay that publishes what transactions wrote to the outbox table.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// Whose outbox table it reads.
    pub database: String,
    /// Where it publishes.
    pub queue: String,
    /// How long it waits after an empty or failed round.
    pub poll: Span,
    /// How many rows it takes at once.
    #[serde(default = "hundred")]
    pub batch: u32,
    /// How it calls the database and the queue.
    #[serde(default)]
    pub policy: Option<String>,
    /// The zone that it is in.
    #[serde(default)]
    pub zone: Option<String>,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
}

fn hundred() -> u32 {
    100
}
