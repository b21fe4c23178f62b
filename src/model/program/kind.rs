//! What a node is, by its kind.

use super::{Arrivals, NodeId, OperationId};
use crate::kernel::draw::Probability;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Users.
    Clients(Clients),
    /// Handlers.
    Service(Service),
    /// Transactions over rows.
    Database(Database),
    /// A late copy.
    Replica(Replica),
    /// Row versions, kept for a while.
    Cache(Cache),
    /// Messages.
    Queue(Queue),
    /// A relay from an outbox table to a queue.
    Outbox(Outbox),
    /// Effects that cannot be undone.
    Provider(Provider),
}

/// Handlers.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// The operation that handles messages, if the service is a worker.
    pub takes: Option<OperationId>,
}

/// Transactions over rows.
#[derive(Clone, Debug)]
pub struct Database {
    /// How often the log is flushed; `None` flushes before each answer.
    pub flush_every: Option<Span>,
    /// The replicas that follow it.
    pub replicas: Vec<NodeId>,
}

/// A late copy of a database.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Of which database.
    pub of: NodeId,
    /// How late.
    pub lag: Distribution,
}

/// Row versions, kept for a while.
#[derive(Clone, Debug)]
pub struct Cache {
    /// How many.
    pub capacity: u32,
    /// For how long.
    pub ttl: Option<Span>,
}

/// A relay from an outbox table to a queue.
#[derive(Clone, Debug)]
pub struct Outbox {
    /// The database.
    pub database: NodeId,
    /// Rows taken at once.
    pub batch: u32,
    /// Its endless operation.
    pub operation: OperationId,
}

/// Effects that cannot be undone.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Calls that fail without an effect.
    pub errors_before: Probability,
    /// Calls that fail although the effect happened.
    pub errors_after: Probability,
    /// How long an idempotency key is remembered.
    pub keys_expire: Span,
}

/// Users.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Client processes.
    pub processes: u32,
    /// When users arrive.
    pub arrivals: Arrivals,
    /// For each key, the upper end of its part of `0..2^64`; empty if there is one key.
    pub keys: Vec<u64>,
    /// The part of the users that is about a hot key.
    pub hot: Option<Hot>,
    /// What a user does: one of these, each with the last of the draws in `0..2^64` that choose it.
    pub flows: Vec<(u64, OperationId)>,
}

/// A part of the users that is about one key, which changes from time to time.
#[derive(Clone, Copy, Debug)]
pub struct Hot {
    /// How many of the users.
    pub share: Probability,
    /// How long a key stays hot.
    pub every: Span,
}

/// A queue of messages.
#[derive(Clone, Debug)]
pub struct Queue {
    /// How long a delivered message is hidden.
    pub visibility: Span,
    /// After so many receives a message becomes a dead letter.
    pub max_receives: u32,
    /// How long after a failed handler a message is delivered again.
    pub redelivery: Option<Span>,
    /// The services that take its messages.
    pub consumers: Vec<NodeId>,
}
