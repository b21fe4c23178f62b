//! Faults: what can go wrong, when it does, and that it ends.
//!
//! A fault is data before it is action. A plan turns the faults of an experiment into controls of
//! the running system; it has no other way to act.

mod instances;
mod language;
mod plan;
mod random;
mod target;

pub use language::{FaultKind, FaultText};
pub use plan::Plan;
pub use random::{DrawnFault, RandomKind, RandomPlan, RandomText, strengths};
