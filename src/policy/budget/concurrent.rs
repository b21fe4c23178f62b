//! A limit of concurrent retries: Envoy `max_retries` and `retry_budget`
//! (`source/common/upstream/resource_manager_impl.h`), failsafe-go `budget`.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Share;
use crate::kernel::quantity::AsShare;

/// The rule: at most `max(ratio * active calls, min_retries)` retries at once; the defaults are
/// Envoy's.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Concurrent {
    /// The share of the active calls that may be retries; 0 is a constant limit. 0.2 by default.
    #[serde(with = "AsShare")]
    pub ratio: f64,
    /// Retries at once that are always allowed; 3 by default.
    pub min_retries: u32,
}

impl Default for Concurrent {
    fn default() -> Concurrent {
        Concurrent { ratio: 0.2, min_retries: 3 }
    }
}

/// What one scope has in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConcurrentState {
    active: u32,
    retrying: u32,
}

impl Concurrent {
    /// Takes a slot if one is free. It is held through the back-off and the retried attempt; that
    /// of a retry before it, which was denied and so never recovered, is free again.
    pub fn withdraw(&self, state: &mut ConcurrentState, share: &mut Share) -> bool {
        state.release(share);
        let limit = ((self.ratio * f64::from(state.active)) as u32).max(self.min_retries);
        let free = state.retrying < limit;
        if free {
            state.retrying += 1;
            share.slot = true;
        }
        free
    }
}

impl ConcurrentState {
    pub(super) fn begin(&mut self) {
        self.active += 1;
    }

    pub(super) fn end(&mut self) {
        self.active -= 1;
    }

    pub(super) fn release(&mut self, share: &mut Share) {
        if std::mem::take(&mut share.slot) {
            self.retrying -= 1;
        }
    }

    /// How many retries are waiting or running.
    #[must_use]
    pub fn retrying(&self) -> u32 {
        self.retrying
    }

    /// How many calls are waiting or running.
    #[must_use]
    pub fn active(&self) -> u32 {
        self.active
    }
}
