//! What users ask for.

use crate::kernel::time::Time;
use crate::model::program::OperationId;

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
