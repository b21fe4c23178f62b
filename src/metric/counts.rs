//! What is counted in one window of time, and at one edge.

use serde::{Deserialize, Serialize};

use super::tally::OutcomeCounts;

/// What happened in one window of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Window {
    /// Requests first asked in it.
    pub asked: u64,
    /// Those of them that succeeded in the end.
    pub succeeded: u64,
    /// Requests answered `ok` in it, whenever they were asked; none before the warm-up ends.
    pub answered: u64,
    /// Attempts of the load in it, whenever their requests were asked; none before the warm-up
    /// ends.
    pub attempts: u64,
}

/// What happened at one call edge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct EdgeCounts {
    /// Calls: first attempts, denied ones included.
    pub calls: u64,
    /// Attempts that were sent.
    pub attempts: u64,
    /// Attempts that the caller's own policy denied.
    pub denied: u64,
    /// Attempts by how they ended for the caller.
    pub outcomes: OutcomeCounts,
    /// Replies that came when nobody waited for them any more.
    pub stale: u64,
}
