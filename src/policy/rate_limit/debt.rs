//! A token bucket that may go into debt: golang.org/x/time/rate (`rate.go`), the limiter of
//! Kubernetes clients.

use crate::kernel::time::{Span, Time};

/// The rule: `rate` tokens per second, at most `burst` saved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Debt {
    /// Tokens per second.
    pub rate: f64,
    /// The size of the bucket, full at the start, and the largest request that is ever granted.
    pub burst: u32,
}

/// The tokens of one limiter; negative is debt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DebtState {
    tokens: f64,
    last: Time,
}

impl Debt {
    /// A full bucket.
    #[must_use]
    pub fn state(&self) -> DebtState {
        DebtState { tokens: f64::from(self.burst), last: Time::ZERO }
    }

    /// Takes `permits` now and returns when they may be used, if within `patience`.
    pub fn reserve(
        &self,
        state: &mut DebtState,
        permits: u32,
        now: Time,
        patience: Span,
    ) -> Option<Span> {
        let earned = now.since(state.last).seconds() * self.rate;
        let tokens = (state.tokens + earned).min(f64::from(self.burst)) - f64::from(permits);
        let wait = if tokens < 0.0 { Span::from_secs_f64(-tokens / self.rate) } else { Span::ZERO };
        if permits > self.burst || wait > patience {
            return None;
        }
        *state = DebtState { tokens, last: now };
        Some(wait)
    }
}
