//! `[queue.NAME]`: messages delivered at least once.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{instantly, unlimited};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::Count;

/// `[queue.NAME]`: messages between services, delivered at least once.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// How long a delivered message is hidden from others while nobody acknowledges it.
    pub visibility: Span,
    /// A message that was received so often without acknowledgement becomes a dead letter;
    /// `"unlimited"`: never.
    #[serde(default = "ten")]
    pub max_receives: Count,
    /// How long a message waits after its handler failed before it is delivered again; without it,
    /// the rest of its visibility.
    #[serde(default)]
    pub redelivery: Option<Span>,
    /// Whether messages outlive a crash of the queue.
    #[serde(default = "yes")]
    pub durable: bool,
    /// How many partitions keep the order of their messages: one message of each is in flight at a
    /// time, and blocks those behind it until it is acknowledged or a dead letter. Without it every
    /// message goes its own way.
    #[serde(default)]
    pub partitions: Option<u32>,
    /// What the messages of one partition have in common.
    #[serde(default)]
    pub partition_by: PartitionBy,
    /// How long a message waits before it is delivered for the first time.
    #[serde(default = "at_once")]
    pub delay: Span,
    /// How long a message is kept; then it is forgotten, delivered or not. Without it, for ever.
    #[serde(default)]
    pub retention: Option<Span>,
    /// How often a worker extends the visibility of the message that it handles; without it, never.
    #[serde(default)]
    pub heartbeat: Option<Span>,
    /// How many messages it keeps for a group of consumers; further ones are rejected.
    #[serde(default = "unlimited")]
    pub limit: Count,
    /// How many messages of a group may be delivered and not yet acknowledged.
    #[serde(default = "unlimited")]
    pub in_flight: Count,
    /// The queue that gets the dead letters; without it they are counted and dropped.
    #[serde(default)]
    pub dead_letters: Option<String>,
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

fn yes() -> bool {
    true
}

/// What the messages of one partition have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PartitionBy {
    /// The order: one user's flow.
    #[default]
    Order,
    /// The key of the clients' `keys`.
    Key,
}

fn at_once() -> Span {
    Span::ZERO
}

fn ten() -> Count {
    Count::Limited(10)
}
