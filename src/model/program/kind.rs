//! What a node is, by its kind.

use super::{Arrivals, Call, LabelId, NodeId, OperationId};
use crate::kernel::draw::Probability;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::language::{Claim, ConcurrentKey, Flush, Mismatch, OrderingKey, PartitionBy};
use crate::model::quantity::RetryAfter;
use crate::policy::Outcome;
use crate::policy::rate_limit::Gcra;

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
    /// How many messages an instance is handed ahead of those that its workers handle.
    pub prefetch: u32,
    /// How long a balancer takes to find out that an instance is down.
    pub detection: Span,
    /// When its instances stand still.
    pub pauses: Option<Pauses>,
}

/// When an instance stands still.
#[derive(Clone, Debug)]
pub struct Pauses {
    /// From the end of one pause to the beginning of the next.
    pub every: Distribution,
    /// How long a pause lasts.
    pub lasts: Distribution,
}

/// Transactions over rows.
#[derive(Clone, Debug)]
pub struct Database {
    /// When the log reaches the disk.
    pub flush: Flush,
    /// How long a transaction waits until a replica has applied it; `None` does not wait.
    pub semi_sync: Option<Span>,
    /// Whether a primary that has been replaced is kept from writing.
    pub fencing: bool,
    /// How long a transaction waits for a row that another one has locked.
    pub lock_timeout: Span,
    /// The replicas that follow it.
    pub replicas: Vec<NodeId>,
    /// The relays that follow its log.
    pub tailed_by: Vec<NodeId>,
}

/// A late copy of a database.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Of which database.
    pub of: NodeId,
    /// How late.
    pub lag: Distribution,
    /// Whether transactions are applied in the order of their commits.
    pub preserves_commit_order: bool,
}

/// Row versions, kept for a while.
#[derive(Clone, Debug)]
pub struct Cache {
    /// How many.
    pub capacity: u32,
    /// For how long.
    pub ttl: Option<Span>,
    /// For how long after they were asked for last.
    pub expire_after_access: Option<Span>,
    /// For how long it is kept that there is no row.
    pub negative_ttl: Option<Span>,
    /// For how long after their `ttl` they are still shown.
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
    /// Where it publishes each event, and by which call: the last is for all events without one.
    pub targets: Vec<Target>,
    /// Rows taken at once.
    pub batch: u32,
    /// How many relays work beside each other.
    pub relays: u32,
    /// What they do about each other.
    pub claim: Claim,
    /// Whether they mark events before they publish them.
    pub mark_first: bool,
    /// How they publish; `None` is one event after the other.
    pub publish: Option<Publish>,
    /// How the relay follows the log; `None` if it polls the table.
    pub tail: Option<Tail>,
    /// Its endless operation.
    pub operation: OperationId,
}

/// How a relay publishes when it does not wait for each event.
#[derive(Clone, Copy, Debug)]
pub struct Publish {
    /// How many requests are under way at once.
    pub in_flight: u32,
    /// How many events one request carries at most.
    pub batch: u32,
    /// What events have in common that keep their order.
    pub ordering_key: OrderingKey,
    /// What carries out one request.
    pub operation: OperationId,
}

/// How a relay follows the log of its database.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    /// How long after its commit an event is seen.
    pub latency: Span,
    /// How often the relay stores how far it has come.
    pub checkpoint: Span,
}

/// How often a provider may be called.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// The limiter.
    pub rule: Gcra,
    /// What a refused caller is told; `None` is nothing.
    pub retry_after: Option<RetryAfter>,
}

/// Effects that cannot be undone.
#[derive(Clone, Debug)]
pub struct Provider {
    /// How often it may be called.
    pub rate_limit: Option<RateLimit>,
    /// What happens to a call whose key is that of a call in progress.
    pub concurrent_key: ConcurrentKey,
    /// What happens to a call whose key was used for another order.
    pub on_mismatch: Mismatch,
    /// Whether errors are stored with their key and answered again.
    pub replay_errors: bool,
    /// After so long a call in progress no longer holds its key.
    pub key_lease: Option<Span>,
    /// Calls that fail without an effect.
    pub errors_before: Probability,
    /// Calls that fail although the effect happened.
    pub errors_after: Probability,
    /// What the callers of both hear.
    pub error_status: Outcome,
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
    /// The same for the things within a key.
    pub subkeys: Vec<u64>,
    /// The part of the users that is about a hot key.
    pub hot: Option<Hot>,
    /// What a user does: one of these, each with the last of the draws in `0..2^64` that choose it.
    pub flows: Vec<(u64, OperationId)>,
}

/// Where a relay publishes an event.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The event; `None` is every event that has no other queue.
    pub event: Option<LabelId>,
    /// The queue.
    pub queue: NodeId,
    /// How it is called.
    pub call: Call,
}

impl Outbox {
    /// The queue to which an event is published.
    #[must_use]
    pub fn queue_of(&self, event: LabelId) -> Option<NodeId> {
        let is_it = |target: &&Target| target.event.is_none_or(|own| own == event);
        self.targets.iter().find(is_it).map(|target| target.queue)
    }
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
    /// Whether messages outlive a crash of the queue.
    pub durable: bool,
    /// How many partitions keep their order; 0 lets every message go its own way.
    pub partitions: u32,
    /// What messages of one partition have in common.
    pub partition_by: PartitionBy,
    /// How long a message waits before it is delivered for the first time.
    pub delay: Span,
    /// After so long a message is forgotten.
    pub retention: Option<Span>,
    /// How often a worker extends the visibility of the message that it handles.
    pub heartbeat: Option<Span>,
    /// The most messages that it keeps for a group of consumers.
    pub limit: u32,
    /// The most messages of a group that may be delivered and not acknowledged.
    pub in_flight: u32,
    /// The queue that gets the dead letters.
    pub dead_letters: Option<NodeId>,
    /// Who takes its messages; at least one group, each of which gets every message.
    pub groups: Vec<Group>,
}

/// Services that share the messages of a queue.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its name; `None` for those who name no group.
    pub name: Option<String>,
    /// The services.
    pub consumers: Vec<NodeId>,
}
