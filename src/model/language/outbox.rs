//! `[outbox.NAME]`: a relay from an outbox table to a queue.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::one;
use crate::kernel::time::Span;

/// `[outbox.NAME]`: a relay that publishes what transactions wrote to the outbox table.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// Whose outbox table it reads.
    pub database: String,
    /// Where it publishes.
    pub queue: String,
    /// Events that it publishes to other queues; the others go to `queue`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// How long it waits after an empty or failed round.
    pub poll: Span,
    /// How many rows it takes at once.
    #[serde(default = "hundred")]
    pub batch: u32,
    /// Marks rows before it publishes them: what it could not publish then is lost.
    #[serde(default)]
    pub mark_first: bool,
    /// How many relays work beside each other, each with its own policy state.
    #[serde(default = "one")]
    pub relays: u32,
    /// What relays do about rows that another one has taken.
    #[serde(default)]
    pub claim: Claim,
    /// Publishes by several requests at once, or several events in one request; without it one
    /// event after the other, each when the one before is accepted.
    #[serde(default)]
    pub publish: Option<Publish>,
    /// Follows the database's log instead of asking for unsent rows; `poll` is then only how long
    /// it waits after a failure.
    #[serde(default)]
    pub tail: Option<Tail>,
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

/// The queue of an event.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The event, as a transaction writes it: `"outbox = EVENT"`.
    pub event: String,
    /// Where it is published.
    pub queue: String,
}

/// What relays do about rows that another one has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// They take them as well: every relay publishes every row.
    #[default]
    None,
    /// They skip them and take the next ones: no row twice, but rows of one order out of order.
    SkipLocked,
}

/// How a relay publishes when it does not wait for each event.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Publish {
    /// How many publish requests are under way at once. The default is that of a Kafka producer,
    /// `max.in.flight.requests.per.connection`.
    pub in_flight: u32,
    /// How many events one request carries at most; the queue accepts all of them or none.
    pub batch: u32,
    /// Events of which a later one waits until the request with the earlier one has ended.
    pub ordering_key: OrderingKey,
}

impl Default for Publish {
    fn default() -> Publish {
        Publish { in_flight: 5, batch: 1, ordering_key: OrderingKey::Order }
    }
}

/// What events have in common that are published in the order of their commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderingKey {
    /// The order.
    #[default]
    Order,
    /// The key that the user is about.
    Key,
    /// Nothing: every event goes its own way.
    None,
}

/// How a relay follows the log of its database.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Tail {
    /// How long after its commit an event is seen.
    pub latency: Span,
    /// How often it stores how far it has come: what was published since is published again after
    /// a restart. The default is that of Kafka Connect, `offset.flush.interval.ms`.
    pub checkpoint: Span,
}

impl Default for Tail {
    fn default() -> Tail {
        Tail { latency: Span::from_millis(10), checkpoint: Span::from_secs(60) }
    }
}

fn hundred() -> u32 {
    100
}
