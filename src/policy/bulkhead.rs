//! A limit of calls at once, so that one dependency cannot take all of a caller's room.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::Wrong;
#[cfg(feature = "schema")]
use super::keys::without_required;
use crate::kernel::quantity::{AsCount, Lasting};
use crate::kernel::time::Span;

/// Around what a part of a policy stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Around {
    /// The whole call with its waits and retries: outside of the retry (the bulkhead of Polly's
    /// standard handler).
    Call,
    /// Each attempt: inside of the retry (resilience4j, Envoy).
    #[default]
    Attempt,
}

/// The rule of a bulkhead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
// With a preset, `limit` may be that of the preset.
#[cfg_attr(feature = "schema", derive(JsonSchema), schemars(transform = without_required))]
#[serde(deny_unknown_fields)]
pub struct Bulkhead {
    /// How many may run at once, or `"unlimited"`; 0 lets nobody in.
    #[serde(with = "AsCount")]
    pub limit: u32,
    /// How many more may wait for room; 0 by default.
    #[serde(default, with = "AsCount")]
    pub queue: u32,
    /// How long one may wait for room; as long as the call may take by default (resilience4j
    /// `maxWaitDuration`).
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Lasting")]
    pub max_wait: Option<Span>,
    /// Around what the limit is; `attempt` by default.
    #[serde(default)]
    pub around: Around,
}

/// Who is in a bulkhead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkheadState {
    running: u32,
    waiting: u32,
}

/// What a bulkhead says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Come in.
    Enter,
    /// Wait until somebody leaves, then ask again.
    Queue,
    /// There is no room to wait either.
    Full,
}

impl Bulkhead {
    /// What is wrong with a rule whose keys are each right.
    ///
    /// # Errors
    /// If whoever queues would wait for ever.
    pub fn check(&self) -> Result<(), Wrong> {
        if self.limit > 0 || self.queue == 0 || self.max_wait.is_some() {
            return Ok(());
        }
        let what = "whoever queues would wait for ever: a limit of 0 lets nobody in";
        Err(Wrong::new(what, "no `queue`, or a `max_wait`").at("queue"))
    }

    /// Asks for room; `waiting` says whether this caller was told to queue before.
    pub fn enter(&self, state: &mut BulkheadState, waiting: bool) -> Permission {
        let room = if state.running < self.limit {
            state.running += 1;
            Permission::Enter
        } else if waiting {
            return Permission::Queue;
        } else if state.waiting < self.queue {
            state.waiting += 1;
            return Permission::Queue;
        } else {
            Permission::Full
        };
        if waiting {
            state.waiting -= 1;
        }
        room
    }

    /// Somebody who had entered leaves.
    pub fn leave(&self, state: &mut BulkheadState) {
        state.running -= 1;
    }

    /// Somebody who was waiting goes away.
    pub fn give_up(&self, state: &mut BulkheadState) {
        state.waiting -= 1;
    }
}

impl BulkheadState {
    /// How many are running.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.running
    }

    /// How many wait for room.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_then_queues_then_is_full() {
        let rule = Bulkhead { limit: 1, queue: 1, max_wait: None, around: Around::Call };
        let mut state = BulkheadState::default();
        assert_eq!(rule.enter(&mut state, false), Permission::Enter);
        assert_eq!(rule.enter(&mut state, false), Permission::Queue);
        assert_eq!(rule.enter(&mut state, false), Permission::Full);
        assert_eq!(rule.enter(&mut state, true), Permission::Queue);
        rule.leave(&mut state);
        assert_eq!(rule.enter(&mut state, true), Permission::Enter);
        assert_eq!(state, BulkheadState { running: 1, waiting: 0 });
    }
}
