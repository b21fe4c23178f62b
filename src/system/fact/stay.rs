//! How long what callers asked for was at a node, and how long it was worked on.

use crate::kernel::time::{Span, Time};
use crate::model::program::{EdgeId, NodeId};
use crate::system::request::Asked;

/// What a caller asked for, at the node that it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Where it was asked.
    pub edge: EdgeId,
    /// Which attempt of its call, from 1.
    pub attempt: u32,
    /// The request on whose behalf.
    pub asked: Asked,
    /// When it came.
    pub arrived: Time,
    /// When a worker took it up; `None` if none has.
    pub begun: Option<Time>,
    /// How many were at work or waiting at its instance when it came.
    pub found: u32,
}

/// Work of a node on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Who.
    pub node: NodeId,
    /// The order that it is about.
    pub order: u64,
    /// The request on whose behalf.
    pub asked: Asked,
    /// How long it has worked.
    pub span: Span,
    /// Whether anybody still waits for the result.
    pub awaited: bool,
}

/// A message or an outbox event that is not done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The queue, the database of the outbox, or the relay where it is.
    pub node: NodeId,
    /// The order that it is about.
    pub order: u64,
    /// Since when its work had been due.
    pub since: Time,
}
