//! `[limits]` of an experiment: when a run is given up.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::limit::Limits;
use crate::kernel::time::Time;

/// `[limits]`: a run that reaches one ends with that as its verdict.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LimitsText {
    /// Events in all.
    pub events: u64,
    /// Events, calls, jobs and messages pending at once.
    pub pending: u64,
}

impl Default for LimitsText {
    fn default() -> LimitsText {
        LimitsText { events: 100_000_000, pending: 8_000_000 }
    }
}

impl LimitsText {
    /// The limits of a run until this time.
    pub(in crate::experiment) fn until(self, horizon: Time) -> Limits {
        let LimitsText { events, pending } = self;
        Limits { events, pending: pending as usize, ..Limits::until(horizon) }
    }
}
