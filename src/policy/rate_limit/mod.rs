//! Rate limiters: how often something may happen.
//!
//! They differ in who pays for a burst: GCRA refuses, x/time/rate goes into debt and makes this
//! caller wait, Guava makes the next caller wait, resilience4j borrows from cycles to come.

mod cycles;
mod debt;
mod gcra;
mod smooth;

pub use cycles::{Cycles, CyclesState};
pub use debt::{Debt, DebtState};
pub use gcra::{Gcra, GcraState};
pub use smooth::{Smooth, SmoothState};

use crate::kernel::time::{Span, Time};

/// A rate limiter, and how long its caller is ready to wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// The rule.
    pub rule: Rule,
    /// A caller that would have to wait longer is rejected and takes nothing.
    pub patience: Span,
}

/// The rule of a rate limiter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// The generic cell rate algorithm.
    Gcra(Gcra),
    /// A token bucket that may go into debt.
    Debt(Debt),
    /// Guava's limiters.
    Smooth(Smooth),
    /// Cycles with a number of permits each.
    Cycles(Cycles),
}

/// The state of a rate limiter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RateLimitState {
    /// Of [`Rule::Gcra`].
    Gcra(GcraState),
    /// Of [`Rule::Debt`].
    Debt(DebtState),
    /// Of [`Rule::Smooth`].
    Smooth(SmoothState),
    /// Of [`Rule::Cycles`].
    Cycles(CyclesState),
}

impl RateLimit {
    /// A limiter that nobody has used.
    #[must_use]
    pub fn state(&self) -> RateLimitState {
        match &self.rule {
            Rule::Gcra(_) => RateLimitState::Gcra(GcraState::default()),
            Rule::Debt(rule) => RateLimitState::Debt(rule.state()),
            Rule::Smooth(rule) => RateLimitState::Smooth(rule.state()),
            Rule::Cycles(rule) => RateLimitState::Cycles(rule.state()),
        }
    }

    /// Takes `permits` and returns after how long they may be used; `None` if that is longer than
    /// the patience, and then nothing is taken.
    pub fn acquire(&self, state: &mut RateLimitState, permits: u32, now: Time) -> Option<Span> {
        match (&self.rule, state) {
            (Rule::Gcra(rule), RateLimitState::Gcra(state)) => {
                rule.reserve(state, permits, now, self.patience)
            }
            (Rule::Debt(rule), RateLimitState::Debt(state)) => {
                rule.reserve(state, permits, now, self.patience)
            }
            (Rule::Smooth(rule), RateLimitState::Smooth(state)) => {
                rule.reserve(state, permits, now, self.patience)
            }
            (Rule::Cycles(rule), RateLimitState::Cycles(state)) => {
                rule.reserve(state, permits, now, self.patience)
            }
            _ => None,
        }
    }
}
