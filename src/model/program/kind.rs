//! What a node is and what only its kind does.

use super::{Arrivals, Call, LabelId, NodeId, OperationId, TableId, TransactionId};
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

impl Kind {
    /// What it is called in words.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Clients(_) => "clients",
            Kind::Service(_) => "service",
            Kind::Database(_) => "database",
            Kind::Replica(_) => "replica",
            Kind::Cache(_) => "cache",
            Kind::Queue(_) => "queue",
            Kind::Outbox(_) => "outbox relay",
            Kind::Provider(_) => "provider",
        }
    }

    /// Whether steps call what it does by the names of its operations. Of a service they call what
    /// stands under `on`; of the others there are steps of their own.
    pub fn is_called_by_name(&self) -> bool {
        match self {
            Kind::Provider(_) => true,
            Kind::Clients(_)
            | Kind::Service(_)
            | Kind::Database(_)
            | Kind::Replica(_)
            | Kind::Cache(_)
            | Kind::Queue(_)
            | Kind::Outbox(_) => false,
        }
    }

    /// The operations that it begins of itself, and the nodes that it hands something on to.
    pub fn leads_to(&self) -> (Vec<OperationId>, Vec<NodeId>) {
        match self {
            Kind::Clients(clients) => {
                (clients.flows.iter().map(|&(_, operation)| operation).collect(), Vec::new())
            }
            Kind::Service(service) => (service.takes.into_iter().collect(), Vec::new()),
            Kind::Database(database) => (Vec::new(), database.replicas.clone()),
            Kind::Queue(queue) => {
                let consumers = queue.groups.iter().flat_map(|group| &group.consumers);
                (Vec::new(), consumers.chain(&queue.dead_letters).copied().collect())
            }
            Kind::Outbox(relay) => {
                let publishes = relay.publish.map(|publish| publish.operation);
                let targets = relay.targets.iter().map(|target| target.call.operation);
                let first = [relay.operation].into_iter().chain(publishes);
                (first.chain(targets).collect(), Vec::new())
            }
            Kind::Replica(_) | Kind::Cache(_) | Kind::Provider(_) => (Vec::new(), Vec::new()),
        }
    }
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

/// A step that one kind of node does.
#[derive(Clone, Debug)]
pub enum NodeStep {
    /// At a database or a replica.
    Data(DataStep),
    /// At a cache, or around it.
    Cache(CacheStep),
    /// At a queue.
    Queue(QueueStep),
    /// At a provider.
    Provider(ProviderStep),
    /// Of a relay.
    Relay(RelayStep),
}

/// What a database or a replica does.
#[derive(Clone, Copy, Debug)]
pub enum DataStep {
    /// Waits for the next flush of the log.
    AwaitFlush,
    /// Applies a transaction.
    Commit(TransactionId),
    /// Waits until the handler that asks has a row to itself.
    AwaitLock(TableId),
    /// Reads a row.
    ReadRow(TableId),
    /// A database waits until a replica has applied the transaction.
    AwaitReplica(Span),
    /// A replica waits until a row shows what the user was told of.
    AwaitApplied(Wait),
    /// Finds the unsent events of the outbox table.
    TakeOutbox,
    /// Marks events as sent.
    MarkOutbox,
}

/// What a cache does, and who reads through one.
#[derive(Clone, Copy, Debug)]
pub enum CacheStep {
    /// Goes on behind the read if the lookup said that there is no such row.
    Skip(CachedRead),
    /// Looks a row up.
    Lookup(TableId),
    /// Keeps the row that came with the request.
    Fill(TableId),
    /// Forgets the row.
    Invalidate(TableId),
    /// Fetches a row in the background if the lookup said so.
    Refresh(CachedRead, OperationId),
    /// Waits for another reader of this process that fetches the row, if there is one; then goes
    /// on after the last step of the read, or, if that reader failed, at another step.
    Join(CachedRead),
    /// Ends the fetching of a row with what was read, and lets those that wait for it go on.
    Land(CachedRead),
    /// Ends the fetching of a row without success.
    Abort(CachedRead),
}

/// What a queue does.
#[derive(Clone, Copy, Debug)]
pub enum QueueStep {
    /// Accepts a message.
    Enqueue,
    /// Accepts all messages of a request, or none.
    EnqueueBatch,
    /// Forgets an acknowledged message.
    Acknowledge,
}

/// What a provider does.
#[derive(Clone, Copy, Debug)]
pub enum ProviderStep {
    /// Answers at once if the idempotency key is known.
    CheckKey,
    /// The effect, or an error.
    Effect(LabelId),
}

/// What a relay does.
#[derive(Clone, Debug)]
pub enum RelayStep {
    /// Goes on with the next event of the batch, or to another step if there is none.
    NextEvent(u32),
    /// Ends the batch, and goes to another step if nothing was published.
    EndBatch(u32),
    /// The batch is marked, so that the next round may begin at once if more events wait.
    Marked,
    /// Waits for the next round, unless the batch was marked and more events wait.
    NextRound(Distribution),
    /// Names the whole batch as what is to be marked, or goes to another step if there is none.
    ClaimBatch(u32),
    /// Waits for the next event of the log, or goes to another step to store how far it is.
    Follow(u32),
    /// Publishes the batch by several requests at once and waits for them; goes to another step if
    /// one of them failed.
    PublishAll(u32),
    /// Goes on behind the event that was published.
    Published,
    /// How far it is has been stored.
    Stored,
}

/// How a read waits at a replica.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// The table whose row is read.
    pub table: TableId,
    /// For how long at most.
    pub timeout: Span,
    /// Whether the row is read as it is when the time is over; otherwise the read fails.
    pub takes_stale: bool,
}

/// A read through a cache whose readers share what they fetch.
#[derive(Clone, Copy, Debug)]
pub struct CachedRead {
    /// The cache.
    pub cache: NodeId,
    /// The table whose row is read.
    pub table: TableId,
    /// The step after the read.
    pub end: u32,
    /// The step at which those go on that waited in vain.
    pub failed: u32,
}
