//! The whole numbers of a run, which are not averaged.

use crate::experiment::run::result::RunResult;

/// A whole number of a run, which is not averaged.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// Its name in results.
    pub name: &'static str,
    /// Its value in a run.
    pub value: fn(&RunResult) -> u64,
}

/// One of this name.
pub(in crate::experiment) const fn count(
    name: &'static str,
    value: fn(&RunResult) -> u64,
) -> Count {
    Count { name, value }
}

/// Every whole number of a run, in the order of the columns.
pub const COUNTS: [Count; 13] = [
    count("events", |run| run.events),
    count("requests", |run| run.metrics.requests),
    count("ok", |run| run.metrics.ok),
    count("failed", |run| run.metrics.failed.total()),
    count("unanswered", |run| run.metrics.unanswered),
    count("measured", |run| run.metrics.measured),
    count("measured_ok", |run| run.metrics.measured_ok),
    count("user_attempts", |run| run.metrics.user_attempts),
    count("calls", |run| run.metrics.calls),
    count("attempts", |run| run.metrics.attempts),
    count("load_attempts", |run| run.metrics.load_attempts),
    count("effects", |run| run.metrics.effects),
    count("fault_fired", |run| run.metrics.fired.iter().sum()),
];
