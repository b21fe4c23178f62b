//! Deaths at a step: which instances die where.

use crate::kernel::draw::Probability;
use crate::kernel::time::Span;
use crate::model::program::EdgeId;

/// On which side of a step an instance dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When it is about to send the call of the step.
    Before,
    /// When it has the answer `ok`, and has done nothing with it.
    After,
}

/// Instances that die when they come to a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Kill {
    /// The calls of the step: edges of the node that dies.
    pub edges: Vec<EdgeId>,
    /// On which side of it.
    pub moment: Moment,
    /// How long the instance is down.
    pub down: Span,
    /// How many of those that come there die; `None`, every one.
    pub share: Option<Probability>,
    /// How many die in all; `None`, any number.
    pub times: Option<u32>,
}
