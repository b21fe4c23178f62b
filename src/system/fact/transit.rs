//! Messages as observers see them: who sends what to whom, on whose behalf.

use crate::model::program::{NodeId, OperationId};
use crate::policy::Outcome;

/// A message between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transit {
    /// Which way it goes.
    pub direction: Direction,
    /// Who sent it.
    pub from: NodeId,
    /// Who is to get it.
    pub to: NodeId,
    /// What it says.
    pub content: Content,
    /// The order that it is about. What a relay asks of its own database has that of the event
    /// before, or 0.
    pub order: u64,
    /// Its stable key: a reply has that of its attempt, a second copy one of its own.
    pub key: u64,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// It asks for an operation.
    Call(OperationId),
    /// It answers an attempt.
    Answer(Outcome),
    /// It brings a queue's message to a worker.
    Delivery,
    /// A worker could not handle a queue's message.
    GivenBack,
    /// A worker still handles a queue's message.
    StillHandled,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From a caller, or from a queue to a worker.
    Request,
    /// Back to a caller.
    Reply,
}
