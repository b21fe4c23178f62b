//! A breaker for retries only: none while too large a share of all calls so far has failed.
//!
//! It is the breaker of Brooker's retry simulator (`retry_sim/retry_strategy.py`,
//! brooker.co.za/blog/2022/02/28/retries.html). It never forgets: it counts from the beginning.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::quantity::AsShare;

/// The rule: retries while failed attempts are at most a share of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// Failed attempts per call up to which a retry is allowed, the latest failure included.
    #[serde(with = "AsShare")]
    pub ratio: f64,
}

/// What there has been so far. A retry is not a call, but its failure is a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailuresState {
    calls: u64,
    failures: u64,
}

impl Failures {
    /// Whether a retry is allowed now.
    #[must_use]
    pub fn allows(&self, state: &FailuresState) -> bool {
        state.failures as f64 / state.calls as f64 <= self.ratio
    }
}

impl FailuresState {
    /// A call starts.
    pub fn begin(&mut self) {
        self.calls += 1;
    }

    /// An attempt failed.
    pub fn fail(&mut self) {
        self.failures += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_ten_may_fail_and_retries_are_no_calls() {
        let rule = Failures { ratio: 0.1 };
        let mut state = FailuresState::default();
        (0..9).for_each(|_| state.begin());
        state.fail();
        assert!(!rule.allows(&state), "1 of 9");
        state.begin();
        assert!(rule.allows(&state), "1 of 10");
        state.fail();
        assert!(!rule.allows(&state), "2 of 10: the retry failed as well");
        (0..10).for_each(|_| state.begin());
        assert!(rule.allows(&state), "2 of 20");
    }
}
