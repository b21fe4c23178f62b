//! What a node is, by its kind.

use std::sync::Arc;

use super::{NodeId, OperationId};
use crate::kernel::draw::Probability;
use crate::kernel::sample::Distribution;
use crate::kernel::time::{Span, Time};

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
    /// How long a transaction waits until a replica has applied it; `None` does not wait.
    pub semi_sync: Option<Span>,
    /// Whether a primary that has been replaced is kept from writing.
    pub fencing: bool,
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
    /// For how long after that they are still shown.
    pub stale_for: Span,
    /// How often the right to fill a row is given; `None` lets everybody fill it.
    pub lease: Option<Span>,
    /// How eagerly a row is fetched before it expires.
    pub early_expiry: Option<f64>,
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
    /// What a user does.
    pub flow: OperationId,
}

/// When users arrive.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// A Poisson process: from each time on, this rate a second. The first time is zero.
    Poisson(Vec<(Time, f64)>),
    /// Equal gaps.
    Constant(Span),
    /// At these times.
    Trace(Arc<[Time]>),
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
