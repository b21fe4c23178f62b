//! Instances that a process leaves out of its balancing.

use crate::model::program::NodeId;

/// An instance that a process leaves out of its balancing, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// Whose process: of a policy that all callers share, the first of them.
    pub caller: NodeId,
    /// Which one, from 0.
    pub process: u32,
    /// Whose instance.
    pub target: NodeId,
    /// Which one, from 0.
    pub instance: u32,
}
