//! A compiled model: flat tables, indexed by small ids. This is what runs.

use std::sync::Arc;

use super::language::{Balance, Order, Rows};
use super::problem::Problem;
use crate::kernel::draw::Probability;
use crate::kernel::sample::Distribution;
use crate::kernel::time::{Span, Time};
use crate::policy::{Outcome, Policy};

/// The index of a node in [`Program::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

/// The index of an operation in [`Program::operations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u16);

/// The index of a call edge in [`Program::edges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeId(pub u16);

/// The index of a table in [`Program::tables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u16);

/// The index of a name in [`Program::labels`]: a row state, an event, an audit entry, an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelId(pub u16);

/// The index of a transaction in [`Program::transactions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub u16);

/// A model in the form in which it runs.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Every node.
    pub nodes: Vec<Node>,
    /// Every operation of every node.
    pub operations: Vec<Operation>,
    /// The steps of all operations, one after the other.
    pub steps: Vec<Step>,
    /// Every (caller, target operation, policy).
    pub edges: Vec<Edge>,
    /// What happens to messages from node `a` to node `b`, at `a * nodes + b`.
    pub links: Vec<Link>,
    /// Every policy with its name.
    pub policies: Vec<(String, Policy)>,
    /// For each policy state of a run, which policy it belongs to.
    pub scopes: Vec<u16>,
    /// Every transaction.
    pub transactions: Vec<Transaction>,
    /// Every table of every database.
    pub tables: Vec<Table>,
    /// Names of row states, events, audit entries and effects.
    pub labels: Vec<String>,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name in the file.
    pub name: String,
    /// A stable id of the name, for draws and digests.
    pub id: u32,
    /// What it is.
    pub kind: Kind,
    /// Its workers and waiting lines.
    pub station: Station,
}

/// The workers and waiting lines of a node.
#[derive(Clone, Copy, Debug)]
pub struct Station {
    /// How many instances.
    pub instances: u32,
    /// Workers of each instance.
    pub workers: u32,
    /// How many may wait at each instance.
    pub queue_limit: u32,
    /// Who is served first.
    pub order: Order,
    /// How an instance is chosen.
    pub balance: Balance,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Users.
    Clients(Clients),
    /// Handlers.
    Service {
        /// The operation that handles messages, if the service is a worker.
        takes: Option<OperationId>,
    },
    /// Transactions over rows.
    Database {
        /// How often the log is flushed; `None` flushes before each answer.
        flush_every: Option<Span>,
        /// The replicas that follow it.
        replicas: Vec<NodeId>,
    },
    /// A late copy.
    Replica {
        /// Of which database.
        of: NodeId,
        /// How late.
        lag: Distribution,
    },
    /// Row versions, kept for a while.
    Cache {
        /// How many.
        capacity: u32,
        /// For how long.
        ttl: Option<Span>,
    },
    /// Messages.
    Queue(Queue),
    /// A relay from an outbox table to a queue.
    Outbox {
        /// The database.
        database: NodeId,
        /// Rows taken at once.
        batch: u32,
        /// Its endless operation.
        operation: OperationId,
    },
    /// Effects that cannot be undone.
    Provider {
        /// Calls that fail without an effect.
        errors_before: Probability,
        /// Calls that fail although the effect happened.
        errors_after: Probability,
        /// How long an idempotency key is remembered.
        keys_expire: Span,
    },
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

/// One operation of a node.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Whose.
    pub node: NodeId,
    /// `node.operation`.
    pub name: String,
    /// A stable id of the name, for draws and digests.
    pub id: u32,
    /// Its first step in [`Program::steps`].
    pub start: u32,
}

/// Calls from one node to one operation of another by one policy.
#[derive(Clone, Debug)]
pub struct Edge {
    /// `caller -> node.operation`.
    pub name: String,
    /// A stable id of the name.
    pub id: u32,
    /// Who calls.
    pub caller: NodeId,
    /// Who is called.
    pub target: NodeId,
    /// By which policy.
    pub policy: u16,
    /// The policy state of the caller's first process; the others follow.
    pub scope: u32,
    /// Whether users call here: then a call is a request.
    pub is_entry: bool,
}

/// What happens to messages between two nodes.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// How long they travel.
    pub latency: Distribution,
    /// Requests and messages that never arrive.
    pub request_loss: Probability,
    /// Replies that never arrive.
    pub reply_loss: Probability,
}

/// A table of a database.
#[derive(Clone, Debug)]
pub struct Table {
    /// Whose.
    pub database: NodeId,
    /// `database.table`.
    pub name: String,
    /// What a row is for.
    pub rows: Rows,
}

/// What a transaction writes.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Rows and their new states.
    pub writes: Vec<(TableId, LabelId)>,
    /// Events put into the outbox.
    pub events: Vec<LabelId>,
    /// Entries of the audit log.
    pub audits: Vec<LabelId>,
    /// At most once for this.
    pub once: Token,
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
    /// The attempt.
    Attempt,
    /// The message being handled: acknowledgements name it.
    Delivery,
}

/// One step of an operation.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Occupies the worker for a time.
    Work(Distribution),
    /// Waits without being work.
    Think(Distribution),
    /// Calls another node and waits for the answer.
    Call(Call),
    /// Answers the caller and ends.
    Reply(Outcome),
    /// Ends without an answer.
    Finish,
    /// Goes to another step.
    Jump(u32),
    /// Goes to another step if the last read found a row.
    JumpIfFound(u32),

    /// Database: applies a transaction.
    Commit(TransactionId),
    /// Database or replica: reads a row.
    ReadRow(TableId),
    /// Database: finds the unsent events of the outbox table.
    TakeOutbox,
    /// Database: marks events as sent.
    MarkOutbox,
    /// Cache: looks a row up.
    Lookup(TableId),
    /// Cache: keeps the row that came with the request.
    Fill(TableId),
    /// Queue: accepts a message.
    Enqueue,
    /// Queue: forgets an acknowledged message.
    Acknowledge,
    /// Provider: answers at once if the idempotency key is known.
    CheckKey,
    /// Provider: the effect, or an error.
    Effect(LabelId),
    /// Relay: goes on with the next event of the batch, or to another step if there is none.
    NextEvent(u32),
    /// Relay: ends the batch, and goes to another step if nothing was published.
    EndBatch(u32),
    /// Relay: waits for the next round unless more events are due.
    NextRound(Distribution),
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
    /// Where to go on if the call fails; without it, the handler fails.
    pub on_failure: Option<u32>,
}

impl Program {
    /// A node by its id.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// An operation by its id.
    #[must_use]
    pub fn operation(&self, id: OperationId) -> &Operation {
        &self.operations[id.0 as usize]
    }

    /// An edge by its id.
    #[must_use]
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.edges[id.0 as usize]
    }

    /// The index of the link from one node to another in [`Program::links`].
    #[must_use]
    pub fn link_index(&self, from: NodeId, to: NodeId) -> usize {
        from.0 as usize * self.nodes.len() + to.0 as usize
    }

    /// The node of this name.
    #[must_use]
    pub fn find_node(&self, name: &str) -> Option<NodeId> {
        let index = self.nodes.iter().position(|node| node.name == name)?;
        Some(NodeId(index as u16))
    }

    /// The node of this name and kind; `what` is what errors call that kind.
    ///
    /// # Errors
    /// If there is no such node, or it is of another kind.
    pub fn find_node_of(
        &self,
        name: &str,
        what: &str,
        is_right: fn(&Kind) -> bool,
    ) -> Result<NodeId, Problem> {
        let found = self.find_node(name);
        if let Some(id) = found.filter(|&id| is_right(&self.node(id).kind)) {
            return Ok(id);
        }
        let right = self.nodes.iter().filter(|node| is_right(&node.kind));
        let known: Vec<&str> = right.map(|node| node.name.as_str()).collect();
        Err(match found {
            Some(_) => Problem::wrong_kind(what, name, &known),
            None => Problem::unknown(what, name, &known),
        })
    }

    /// The operation of this name, `node.operation`.
    #[must_use]
    pub fn find_operation(&self, name: &str) -> Option<OperationId> {
        let index = self.operations.iter().position(|operation| operation.name == name)?;
        Some(OperationId(index as u16))
    }

    /// The table of this name, `database.table`.
    #[must_use]
    pub fn find_table(&self, name: &str) -> Option<TableId> {
        let index = self.tables.iter().position(|table| table.name == name)?;
        Some(TableId(index as u16))
    }

    /// The label of this name.
    #[must_use]
    pub fn find_label(&self, name: &str) -> Option<LabelId> {
        let index = self.labels.iter().position(|label| label == name)?;
        Some(LabelId(index as u16))
    }
}
