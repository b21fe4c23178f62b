//! What a node does: steps of an operation, calls and transactions.

use super::{EdgeId, ForkId, LabelId, NodeStep, OperationId, RepeatId, TableId, TransactionId};
use crate::kernel::draw::Probability;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::policy::{Outcome, OutcomeSet};

/// What a transaction writes.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Rows and their new states. A row that is a number comes to what `changes` says.
    pub writes: Vec<(TableId, LabelId)>,
    /// What is taken from rows that are numbers, and given back.
    pub changes: Vec<Change>,
    /// Events put into the outbox.
    pub events: Vec<LabelId>,
    /// Entries of the audit log.
    pub audits: Vec<LabelId>,
    /// The table whose row the handler read right before: nothing is written if it has changed.
    pub if_unchanged: Option<TableId>,
    /// The tables of the rows that it writes and that its handler has read, anywhere before.
    pub overwrites: Vec<TableId>,
    /// The tables of the rows that its handler has locked: it is refused if it has lost one.
    pub locked: Vec<TableId>,
}

/// How a row that is a number changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The table.
    pub table: TableId,
    /// What is added; less than 0 takes away.
    pub by: i32,
    /// Whether it is added to the number that the handler has read, whatever is there.
    pub to_read: bool,
}

impl Transaction {
    /// Whether the version of the row of a table that it overwrites is none that it compares.
    pub fn watches_beside(&self, table: TableId) -> bool {
        self.if_unchanged != Some(table)
    }

    /// The only row whose version it is told of beside what its handler has come upon last.
    pub fn only_watched(&self) -> Option<TableId> {
        match (self.if_unchanged, self.overwrites.as_slice()) {
            (None, &[table]) => Some(table),
            _ => None,
        }
    }

    /// Whether it is told of more versions than one word holds.
    pub fn brings_list(&self) -> bool {
        self.only_watched().is_none()
            && self.overwrites.iter().any(|&table| self.watches_beside(table))
    }
}

/// What makes two calls the same work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// Nothing does.
    None,
    /// The order.
    Order,
    /// The user's request.
    Request,
    /// The key that the user is about.
    Key,
    /// The attempt.
    Attempt,
    /// The message being handled: acknowledgements name it.
    Delivery,
    /// The job that calls: the lookup and the fill of one reader share it.
    Caller,
}

/// One step of an operation.
#[derive(Clone, Debug)]
pub enum Step {
    /// Occupies the worker for a time.
    Work(Distribution),
    /// Occupies the worker for a time that grows with the size of the request.
    WorkPerSize(Distribution),
    /// Waits without being work.
    Think(Distribution),
    /// Calls another node and waits for the answer.
    Call(Call),
    /// Answers the caller and ends.
    Reply(Outcome),
    /// Answers the caller with what the last call came to, and ends.
    PassOn,
    /// Ends without an answer.
    Finish,
    /// Ends as a call that has failed ends it.
    Fail,
    /// Takes the version of the row that was read last as the amount that the work is about.
    TakeAmount,
    /// Goes to another step.
    Jump(u32),
    /// Goes to another step if the last read found a row.
    JumpIfFound(u32),
    /// Goes to another step unless something is so.
    JumpUnless(Condition, u32),
    /// Goes to another step if the user was told of something new within this time.
    JumpIfToldWithin(Span, u32),
    /// Starts the branches of a fork and waits for them.
    Fork(ForkId),
    /// Of a list of steps that is done again.
    Repeat(RepeatStep),
    /// Of a list of steps under a row lock.
    Lock(LockStep),
    /// Takes a place of a pool, and holds it until it gives it back or ends.
    Hold(Hold),
    /// Gives the place back that was taken last.
    GiveBack,
    /// Ends the request for which a fallback of the user's stood in.
    AnswerUser,
    /// What is done from now on is less than was asked for.
    Degrade,
    /// What one kind of node does.
    Node(NodeStep),
}

/// What an answer means for what a user remembers of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Nothing: no step of this flow asks.
    None,
    /// It is remembered.
    Kept,
    /// It must be no older than what is remembered, and then it is remembered.
    Compared,
}

/// What a job can ask before it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Condition {
    /// The last read found a row.
    Found,
    /// The last read found nothing.
    Missing,
    /// The last read found a row in this state.
    State(LabelId),
    /// The last read found no row in this state.
    NotState(LabelId),
    /// The message that it handles tells of this event.
    Event(LabelId),
    /// The last call came to one of these outcomes.
    Heard(OutcomeSet),
    /// A draw falls below a probability.
    Chance {
        /// How likely it is.
        share: Probability,
        /// What has one draw, however often it is asked.
        of: ChanceOf,
        /// A stable id of this step.
        site: u32,
    },
}

/// The frame of a list of steps that is done again.
#[derive(Clone, Copy, Debug)]
pub enum RepeatStep {
    /// The first round begins.
    Begin(RepeatId),
    /// A step of a round has failed: another round may follow, unless this is no failure after
    /// which one does; then the next step is left out.
    Failed(RepeatId),
    /// A round has not succeeded: the next one begins, or there is none and the job goes on.
    Again(RepeatId),
    /// There is no further round.
    End,
}

/// The frame of a list of steps under a row lock.
#[derive(Clone, Copy, Debug)]
pub enum LockStep {
    /// The job may hold locks from now on.
    Begin,
    /// The list has ended: its locks are given back.
    End,
}

/// A list of steps that is done again.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// Its first step.
    pub first: u32,
    /// How many rounds there are at most.
    pub times: u32,
    /// The failures after which another one follows.
    pub on: OutcomeSet,
    /// How long after the end of a round the next one begins.
    pub between: Distribution,
    /// So long after the beginning of the first round no other one begins.
    pub patience: Option<Span>,
    /// How likely another round follows; always, if nothing is said.
    pub persistence: Option<Probability>,
    /// A stable id of this step.
    pub site: u32,
}

/// What has one draw at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChanceOf {
    /// The order.
    Order,
    /// The key that the user is about.
    Key,
    /// The user's request.
    Request,
    /// The attempt: the job itself.
    Attempt,
}

/// Lists of steps that are done at once.
#[derive(Clone, Debug)]
pub struct Fork {
    /// The first step of each.
    pub branches: Vec<u32>,
    /// How many of them must succeed.
    pub need: u32,
    /// Where the job goes on.
    pub join: u32,
    /// Where the job goes on if too many fail; without it, the job fails.
    pub on_failure: Option<u32>,
}

/// What a handler holds for the steps that follow.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// The pool, among those of its node.
    pub pool: u16,
    /// The step at which it is given back.
    pub end: u32,
    /// Where to go on without a place; without it, the handler fails.
    pub on_failure: Option<u32>,
}

/// A call from a step.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// By which edge.
    pub edge: EdgeId,
    /// What is asked for.
    pub operation: OperationId,
    /// A stable id of this call within its handler.
    pub site: u32,
    /// What makes repetitions the same work.
    pub token: Token,
    /// Whether the answer must show what the user wrote before.
    pub expects_own_write: bool,
    /// The transaction that is told of the rows which the caller has read, whatever came in
    /// between; without it, the caller brings what it has read or written last.
    pub brings: Option<TransactionId>,
    /// Whether the caller keeps its own value whatever the answer is.
    pub keeps_value: bool,
    /// What it means for what the user remembers of answers.
    pub memory: Memory,
    /// Where to go on if the call fails; without it, the handler fails.
    pub on_failure: Option<u32>,
    /// What the message that it sends tells of; without it, what the caller's own one does.
    pub tells: Option<LabelId>,
    /// Whether a fallback of the user's stands by: a request that fails is not answered yet.
    pub stands_by: bool,
}
