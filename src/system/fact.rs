//! What observers are told. Observers cannot act: they get a shared reference and nothing else.
mod caching;
pub mod ejection;
pub mod kind;
mod pooling;
mod stay;
mod transit;
pub use super::refusal::{REFUSALS, Refusal};
pub use super::request::{Asked, Came, Request};
use crate::kernel::time::{Span, Time};
use crate::model::program::{EdgeId, LabelId, NodeId, OperationId, TableId};
use crate::policy::{Denial, Outcome};
pub use caching::{Caching, Deed};
pub use pooling::Pooling;
pub use stay::{Stay, Waiting, Work};
pub use transit::{Content, Direction, Transit};

/// Something that happened in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A user came: what follows for this order is the flow of that user.
    Came(Came),
    /// A user asked.
    Requested(Request),
    /// A user got an answer, or gave up.
    Answered {
        /// The request.
        request: Request,
        /// The answer; silence if the user gave up.
        outcome: Outcome,
        /// How many attempts the user's client made.
        attempts: u32,
    },
    /// The answer that a user is about to get is less than was asked for: a fallback stood in.
    Degraded(Request),
    /// A caller made an attempt.
    Attempted {
        /// Where.
        edge: EdgeId,
        /// 1 for the first attempt of a call, denied ones included.
        attempt: u32,
        /// The order on whose behalf.
        order: u64,
        /// The request on whose behalf.
        asked: Asked,
    },
    /// An attempt was not made: the caller's own policy refused it, or let it wait for too long.
    Denied {
        /// Where.
        edge: EdgeId,
        /// 1 for the first attempt of a call.
        attempt: u32,
        /// By which part, or by what it waited for.
        denial: Denial,
        /// The order on whose behalf.
        order: u64,
        /// The request on whose behalf.
        asked: Asked,
    },
    /// An attempt ended for its caller.
    Settled {
        /// Where.
        edge: EdgeId,
        /// Which one, as it was attempted.
        attempt: u32,
        /// The order on whose behalf.
        order: u64,
        /// The request on whose behalf.
        asked: Asked,
        /// How.
        outcome: Outcome,
    },
    /// A breaker will not hear the late reply to a timed-out attempt: too many are expected.
    Forgotten(EdgeId),
    /// A process leaves an instance out of its balancing because attempts at it failed.
    Ejected(ejection::Ejection),
    /// An instance did as badly, but the process leaves out as many as it may already.
    EjectionRefused(ejection::Ejection),
    /// A process lets an instance have attempts again, or has died with what it knew of it.
    Returned(ejection::Ejection),
    /// A request went to any instance because its caller had too few healthy ones left.
    Panicked(NodeId),
    /// A message went on its way.
    Sent(Transit),
    /// A second copy of a message went on its way.
    Duplicated(Transit),
    /// A message was lost on its way.
    Lost(Transit),
    /// A message arrived.
    Arrived(Transit),
    /// A reply arrived whose caller no longer waited for it.
    Stale {
        /// Where.
        edge: EdgeId,
        /// The attempt that it answers.
        attempt: u32,
        /// The order that it is about.
        order: u64,
    },
    /// A node did not begin, or did not go on with, what a request asked for.
    Refused {
        /// Who.
        node: NodeId,
        /// The order that it is about.
        order: u64,
        /// Why.
        refusal: Refusal,
    },
    /// A process opened a connection for an attempt.
    Connected(EdgeId),
    /// A handler got a place of a pool, or waited in vain for one.
    Pooled(Pooling),
    /// What a caller asked for left the node that it came to: it was answered or refused there.
    Left(Stay),
    /// A node ended its work on a request.
    Worked(Work),
    /// A transaction wrote a row.
    Committed {
        /// The table.
        table: TableId,
        /// The row.
        row: u64,
        /// The order on whose behalf.
        order: u64,
        /// The state that it had before; none if there was no such row.
        before: Option<LabelId>,
        /// Its new state.
        state: LabelId,
        /// Its new version, from 1.
        version: u64,
        /// The amount that the work was about; 0 if none was read.
        amount: u32,
        /// The position of the transaction in the database's log.
        position: u64,
    },
    /// A database's log is on disk up to a position.
    Flushed {
        /// Whose.
        database: NodeId,
        /// Every transaction up to this position is durable.
        position: u64,
    },
    /// A transaction of this kind had been made before and changed nothing.
    Repeated {
        /// Whose.
        database: NodeId,
        /// The order on whose behalf.
        order: u64,
    },
    /// A transaction wrote nothing because the row that its handler read had changed.
    Conflict {
        /// Whose.
        database: NodeId,
        /// The order on whose behalf.
        order: u64,
    },
    /// A transaction wrote a row that its handler had read.
    Overwrote {
        /// The table.
        table: TableId,
        /// The order on whose behalf.
        order: u64,
        /// Whether the row had another version by then: an update of somebody else is lost.
        is_lost: bool,
    },
    /// A row was read at a database or replica, or found in a cache.
    Read {
        /// Where.
        node: NodeId,
        /// The order on whose behalf.
        order: u64,
        /// The request on whose behalf.
        asked: Asked,
        /// The table.
        table: TableId,
        /// The row.
        row: u64,
        /// The version read, 0 if nothing was found.
        seen: u64,
        /// The newest version committed, 0 if there is none.
        newest: u64,
        /// How long ago that was committed.
        age: Span,
    },
    /// A read waited at a replica for what its user was told of.
    WaitedForReplica {
        /// Which replica.
        replica: NodeId,
        /// Whether the replica applied it in time.
        in_time: bool,
    },
    /// A transaction of this database was answered although no replica had applied it yet.
    AnsweredAlone(NodeId),
    /// A primary that had been replaced was asked to write.
    StaleEpoch {
        /// Whose.
        database: NodeId,
        /// The order on whose behalf.
        order: u64,
        /// Whether it did.
        accepted: bool,
    },
    /// A committed transaction is gone: no replica that leads has it.
    CommitLost {
        /// Whose.
        database: NodeId,
        /// Its position in the log of its epoch.
        position: u64,
        /// The order on whose behalf.
        order: u64,
    },
    /// A row as a lost transaction had written it is gone.
    WriteLost {
        /// The table.
        table: TableId,
        /// The row.
        row: u64,
        /// The order on whose behalf.
        order: u64,
        /// The state.
        state: LabelId,
        /// The version.
        version: u64,
        /// The position of the transaction in the log of its epoch.
        position: u64,
    },
    /// A cache took a row from a reader, or refused or forgot it.
    Caching(Caching),
    /// A fault emptied a cache.
    CacheFlushed {
        /// Which cache.
        cache: NodeId,
        /// How many rows it lost.
        rows: u64,
    },
    /// A fault let rows fall back by one version.
    Corrupted {
        /// Where.
        node: NodeId,
        /// How many rows.
        rows: u64,
    },
    /// A fault let a row of a replica fall back by one version.
    FellBack {
        /// Which replica.
        node: NodeId,
        /// The table.
        table: TableId,
        /// The row.
        row: u64,
        /// The version that it had.
        version: u64,
    },
    /// A transaction put an event into the outbox.
    Outboxed {
        /// The event.
        event: LabelId,
        /// The order that it is about.
        order: u64,
        /// The key that the order is about.
        key: u32,
        /// Whose outbox.
        database: NodeId,
        /// Its place in the outbox, from 1: the order of commits.
        place: u64,
        /// The position of its transaction in the database's log.
        position: u64,
    },
    /// A transaction wrote an entry of the audit log.
    Audited {
        /// The entry.
        entry: LabelId,
        /// The order that it is about.
        order: u64,
        /// Whose audit log.
        database: NodeId,
        /// The position of its transaction in the database's log.
        position: u64,
    },
    /// A queue accepted a message.
    Enqueued {
        /// Which queue.
        queue: NodeId,
        /// The order that it is about.
        order: u64,
        /// The place of its event in the outbox, from 1; 0 if no relay brought it.
        event: u64,
    },
    /// A queue handed a message to a worker.
    Delivered {
        /// Which queue.
        queue: NodeId,
        /// The order that it is about.
        order: u64,
        /// The message: its group of consumers and its number in the queue in one word.
        message: u64,
        /// The place of its event in the outbox, from 1; 0 if no relay brought it.
        event: u64,
        /// How many times now.
        receives: u32,
    },
    /// A message was done with.
    Acknowledged {
        /// Which queue.
        queue: NodeId,
        /// The order that it is about.
        order: u64,
        /// Since when its work had been due.
        since: Time,
    },
    /// A message was received too often and put aside.
    DeadLettered {
        /// Which queue.
        queue: NodeId,
        /// The order that it is about.
        order: u64,
        /// Since when its work had been due.
        since: Time,
    },
    /// A message was older than its queue keeps messages, and is gone.
    Expired {
        /// Which queue.
        queue: NodeId,
        /// The order that it is about.
        order: u64,
        /// Since when its work had been due.
        since: Time,
    },
    /// A provider did what cannot be undone.
    Effect {
        /// What.
        effect: LabelId,
        /// For which order.
        order: u64,
        /// The key that the order is about.
        key: u32,
        /// The amount that the call was about; 0 if none was read.
        amount: u32,
    },
    /// A provider gave the answer that every later call with this idempotency key will get too.
    KeyAnswered {
        /// What the key was used for.
        operation: OperationId,
        /// The key, as one word.
        token: u64,
        /// The order of this call.
        order: u64,
        /// The answer.
        outcome: Outcome,
        /// Which execution it tells of: what is in its body.
        body: u64,
    },
    /// A provider knew the idempotency key and answered as before.
    Replayed {
        /// Who.
        provider: NodeId,
        /// The order of this call.
        order: u64,
        /// The answer.
        outcome: Outcome,
    },
    /// A provider was called more often than it allows.
    Throttled {
        /// Who.
        provider: NodeId,
        /// The order of this call.
        order: u64,
    },
    /// A provider was called with an idempotency key that it knows from another order.
    Mismatched {
        /// Who.
        provider: NodeId,
        /// The order of this call.
        order: u64,
    },
    /// A fault made a call fail.
    Failed {
        /// Who.
        node: NodeId,
        /// The order of this call.
        order: u64,
        /// Whether the effect had happened.
        after_effect: bool,
    },
    /// A user read back what the flow had written.
    ReadBack {
        /// What was asked for.
        operation: OperationId,
        /// The user's order.
        order: u64,
        /// The request on whose behalf.
        asked: Asked,
        /// The version read, 0 if nothing was found.
        seen: u64,
        /// The version that the user had been told of.
        own: u64,
    },
    /// An instance died and lost its memory.
    Crashed {
        /// Whose.
        node: NodeId,
        /// Which one, from 0; of clients, a process.
        instance: u32,
    },
    /// An instance that had died started again.
    Restarted {
        /// Whose.
        node: NodeId,
        /// Which one, from 0.
        instance: u32,
    },
    /// An instance began to stand still.
    Paused {
        /// Whose.
        node: NodeId,
        /// Which one, from 0.
        instance: u32,
        /// For how long.
        span: Span,
    },
    /// A fault struck an instance that had come to a step.
    Killed {
        /// Its index in the plan.
        fault: u32,
        /// Whose.
        node: NodeId,
        /// Which one, from 0.
        instance: u32,
    },
    /// A request came to an instance that was down.
    NobodyThere {
        /// Whose.
        node: NodeId,
        /// The order that it is about.
        order: u64,
        /// Whether its host refused it at once; else the caller hears nothing.
        refused: bool,
    },
    /// A user came while its client process was down, and left without asking anything.
    TurnedAway {
        /// Which clients.
        clients: NodeId,
        /// The user's order.
        order: u64,
    },
    /// A database died before its log was on disk: what came after this position has not happened.
    LogLost {
        /// Whose.
        database: NodeId,
        /// The position of the last transaction that is kept.
        after: u64,
        /// How many transactions were lost.
        transactions: u64,
    },
    /// A queue died with a message that was in memory only.
    MessageLost {
        /// Which queue.
        queue: NodeId,
        /// The order that it is about.
        order: u64,
        /// Since when its work had been due.
        since: Time,
    },
    /// A user was shown something about which it had been shown something before.
    ReadAgain {
        /// What was asked for.
        operation: OperationId,
        /// The user's order.
        order: u64,
        /// The request on whose behalf.
        asked: Asked,
        /// The version shown, 0 if nothing was found.
        seen: u64,
        /// The highest version that the user had been shown.
        highest: u64,
    },
    /// A fault made a user be about the hot key.
    Diverted {
        /// Whose user.
        clients: NodeId,
        /// The user's order.
        order: u64,
    },
    /// The fault of this number in the plan, from 0, began to act.
    FaultBegan(u32),
    /// This fault had an effect on a message, a call, work or an arrival; for this order, if known.
    FaultFired(u32, Option<u64>),
    /// This fault was switched off.
    FaultEnded(u32),
    /// At the end of the run, a request had no answer yet.
    Unanswered(Request),
    /// At the end of the run, what a caller asked for was still at the node that it came to.
    Staying(Stay),
    /// At the end of the run, a node still worked on a request.
    Working(Work),
    /// At the end of the run, a node was at work for this order, or a message about it on its way.
    UnderWay(u64),
    /// At the end of the run, a message or outbox event was not done with.
    Unprocessed(Waiting),
}
