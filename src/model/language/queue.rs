//! `[queue.NAME]`: messages delivered at least once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::instantly;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;

/// `[queue.NAME]`: messages between services, delivered at least once.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// How long a delivered message is hidden from others while nobody acknowledges it.
    pub visibility: Span,
    /// A message that was received so often without acknowledgement becomes a dead letter.
    #[serde(default = "ten")]
    pub max_receives: u32,
    /// How long a message waits after its handler failed before it is delivered again; without it,
    /// the rest of its visibility.
    #[serde(default)]
    pub redelivery: Option<Span>,
    /// How long the queue takes to accept a message or an acknowledgement.
    #[serde(default = "instantly")]
    pub latency: Distribution,
    /// The zone that it is in.
    #[serde(default)]
    pub zone: Option<String>,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
}

fn ten() -> u32 {
    10
}
