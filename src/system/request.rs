//! What users ask for, and on behalf of which request something is done.

use crate::kernel::time::Time;
use crate::model::program::{NodeId, OperationId};

/// A user who came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// To which clients.
    pub clients: NodeId,
    /// The user's order.
    pub order: u64,
    /// The same in every run of a seed, whatever goes wrong: which user of these clients it is or,
    /// of a closed loop, which round of which one. Orders are numbered as they come.
    pub work: u64,
}

/// A user's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub operation: OperationId,
    /// The order: one number for each user's flow, from 0.
    pub order: u64,
    /// The key that the user is about.
    pub key: u32,
    /// When the user asked.
    pub started: Time,
}

impl Request {
    /// The same as what is done on its behalf knows it.
    #[must_use]
    pub fn asked(&self) -> Asked {
        Asked { operation: self.operation, at: self.started }
    }
}

/// The user's request on whose behalf something is done: what was asked for, and when. It travels
/// with all that is done for it, asynchronous work included, so that what happens later counts for
/// the request that caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What was asked for; without meaning if nobody asked.
    pub operation: OperationId,
    /// When the user asked; never, if nobody did: a relay looks for events by itself.
    pub at: Time,
}

impl Asked {
    /// Nobody asked.
    pub const BY_NOBODY: Asked = Asked { operation: OperationId(0), at: Time::NEVER };

    /// Whether a user asked.
    #[must_use]
    pub fn is_by_a_user(self) -> bool {
        self.at < Time::NEVER
    }
}
