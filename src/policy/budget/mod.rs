//! Retry budgets: what keeps a client from multiplying load, whatever its retry rule wants.
//!
//! The state of a budget belongs to a scope wider than a request: a process, a process and a
//! target, everybody. It is never cloned per request; what one request must carry itself (the cost
//! that it last paid, the slot that it holds) is in [`Share`].

mod concurrent;
mod failures;
mod quota;
mod throttle;
mod tokens;
mod window;

pub use concurrent::{Concurrent, ConcurrentState};
pub use failures::{Failures, FailuresState};
pub use quota::{Quota, QuotaState, Refill, Refund};
pub use throttle::{Throttle, ThrottleState};
pub use tokens::{Deposit, TokenBucket, TokenBucketState};
pub use window::{Window, WindowKeys, WindowState};

use serde::Deserialize;

use super::keys::by_kind;
use super::outcome::Outcome;
use crate::kernel::time::Time;

/// A rule that may deny a retry.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Tokens earned by first tries or by successes.
    Tokens(TokenBucket),
    /// The retry quota of the AWS SDKs.
    Quota(Quota),
    /// gRPC retry throttling.
    Throttle(Throttle),
    /// Envoy and failsafe-go: a limit of concurrent retries.
    Concurrent(Concurrent),
    /// Finagle, tower and Linkerd service profiles: a share of the last seconds' calls.
    Window(Window),
    /// Brooker's breaker for retries: none while too many calls have failed.
    Failures(Failures),
}

by_kind!(Budget {
    Tokens(TokenBucket): "tokens",
    Quota(Quota): "quota",
    Throttle(Throttle): "throttle",
    Concurrent(Concurrent): "concurrent",
    Window(Window): "window",
    Failures(Failures): "failures",
});

/// The state of a budget, one per scope.
#[derive(Clone, Debug, PartialEq)]
pub enum BudgetState {
    /// Of [`Budget::Tokens`].
    Tokens(TokenBucketState),
    /// Of [`Budget::Quota`].
    Quota(QuotaState),
    /// Of [`Budget::Throttle`].
    Throttle(ThrottleState),
    /// Of [`Budget::Concurrent`].
    Concurrent(ConcurrentState),
    /// Of [`Budget::Window`].
    Window(WindowState),
    /// Of [`Budget::Failures`].
    Failures(FailuresState),
}

/// What one request holds of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// What the last retry cost, in tokens of a quota.
    pub(super) cost: u32,
    /// Whether the request holds one of the concurrent retry slots.
    pub(super) slot: bool,
    /// Whether a quota has denied the retry that the request waits for.
    pub(super) denied: bool,
    /// How many more retries the request may have of a windowed budget, where that has a limit.
    pub(super) left: Option<u32>,
}

impl Budget {
    /// A fresh state. The only place where a budget allocates.
    #[must_use]
    pub fn state(&self) -> BudgetState {
        match self {
            Budget::Tokens(rule) => BudgetState::Tokens(rule.state()),
            Budget::Quota(rule) => BudgetState::Quota(rule.state()),
            Budget::Throttle(rule) => BudgetState::Throttle(rule.state()),
            Budget::Concurrent(_) => BudgetState::Concurrent(ConcurrentState::default()),
            Budget::Window(rule) => BudgetState::Window(rule.state()),
            Budget::Failures(_) => BudgetState::Failures(FailuresState::default()),
        }
    }

    /// A call starts: its first attempt was admitted.
    pub fn begin(&self, state: &mut BudgetState, share: &mut Share, now: Time) {
        match (self, state) {
            (Budget::Tokens(rule), BudgetState::Tokens(state)) => {
                rule.deposit(state, Deposit::FirstTry, now);
            }
            (Budget::Window(rule), BudgetState::Window(state)) => {
                rule.deposit(state, Deposit::FirstTry, now);
                share.left = rule.retries_of_a_call(state);
            }
            (Budget::Concurrent(_), BudgetState::Concurrent(state)) => state.begin(),
            (Budget::Failures(_), BudgetState::Failures(state)) => state.begin(),
            _ => {}
        }
    }

    /// An attempt came back. `retryable` says whether the retry rule would try again after it.
    pub fn observe(
        &self,
        state: &mut BudgetState,
        share: &mut Share,
        outcome: Outcome,
        retryable: bool,
        now: Time,
    ) {
        match (self, state) {
            (Budget::Tokens(rule), BudgetState::Tokens(state)) => {
                if outcome == Outcome::Ok {
                    rule.deposit(state, Deposit::Success, now);
                }
                if !retryable {
                    rule.deposit(state, Deposit::Answer, now);
                }
            }
            (Budget::Window(rule), BudgetState::Window(state)) => {
                if outcome == Outcome::Ok {
                    rule.deposit(state, Deposit::Success, now);
                }
                if !retryable {
                    rule.deposit(state, Deposit::Answer, now);
                }
            }
            (Budget::Quota(rule), BudgetState::Quota(state)) if outcome == Outcome::Ok => {
                rule.succeed(state, share);
            }
            (Budget::Throttle(rule), BudgetState::Throttle(state)) => {
                if retryable {
                    rule.fail(state);
                } else if outcome == Outcome::Ok {
                    rule.succeed(state);
                }
            }
            (Budget::Concurrent(_), BudgetState::Concurrent(state)) => state.release(share),
            (Budget::Failures(_), BudgetState::Failures(state)) if outcome != Outcome::Ok => {
                state.fail();
            }
            _ => {}
        }
    }

    /// Asks for one retry after `outcome`, and pays for it if it is granted.
    pub fn withdraw(
        &self,
        state: &mut BudgetState,
        share: &mut Share,
        outcome: Outcome,
        now: Time,
    ) -> bool {
        match (self, state) {
            (Budget::Tokens(rule), BudgetState::Tokens(state)) => rule.withdraw(state, now),
            (Budget::Quota(rule), BudgetState::Quota(state)) => {
                rule.withdraw(state, share, outcome)
            }
            (Budget::Throttle(rule), BudgetState::Throttle(state)) => {
                rule.after_wait || rule.allows(state)
            }
            (Budget::Concurrent(rule), BudgetState::Concurrent(state)) => {
                rule.withdraw(state, share)
            }
            (Budget::Window(rule), BudgetState::Window(state)) => {
                let left = share.left.map(|left| left.checked_sub(1));
                let granted = left != Some(None) && rule.withdraw(state, now);
                if granted {
                    share.left = left.flatten();
                }
                granted
            }
            (Budget::Failures(rule), BudgetState::Failures(state)) => rule.allows(state),
            _ => true,
        }
    }

    /// Whether a retry that was granted may still start after its wait.
    #[must_use]
    pub fn still_allows(&self, state: &BudgetState, share: &Share) -> bool {
        match (self, state) {
            (Budget::Throttle(rule), BudgetState::Throttle(state)) => {
                !rule.after_wait || rule.allows(state)
            }
            _ => !share.denied,
        }
    }

    /// A call is over, in whatever way: what it still holds is given back. `begun` says whether
    /// [`Budget::begin`] was told of it: one whose attempts were all denied may hold a share too.
    pub fn end(&self, state: &mut BudgetState, share: &mut Share, begun: bool) {
        match (self, state) {
            (Budget::Concurrent(_), BudgetState::Concurrent(state)) => {
                state.release(share);
                if begun {
                    state.end();
                }
            }
            (Budget::Quota(rule), BudgetState::Quota(state)) => rule.end(state, share),
            _ => {}
        }
    }

    /// How many tokens are left, where the budget has tokens.
    #[must_use]
    pub fn tokens(&self, state: &BudgetState) -> Option<f64> {
        match state {
            BudgetState::Tokens(state) => Some(state.tokens()),
            BudgetState::Quota(state) => Some(f64::from(state.tokens())),
            BudgetState::Throttle(state) => Some(state.tokens()),
            BudgetState::Window(state) => Some(state.balance() as f64),
            BudgetState::Concurrent(_) | BudgetState::Failures(_) => None,
        }
    }
}
