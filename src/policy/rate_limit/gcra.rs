//! The generic cell rate algorithm, as the crate governor has it (`governor/src/gcra.rs`).

use crate::kernel::time::{Span, Time};

/// The rule: one permit per `interval`, `burst` at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gcra {
    /// The time between permits.
    pub interval: Span,
    /// How many permits may be used at once.
    pub burst: u32,
}

/// The theoretical arrival time of the next permit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GcraState {
    arrival: Time,
}

impl Gcra {
    /// How long until `permits` are allowed; `None` if they never are. Takes nothing.
    #[must_use]
    pub fn wait(&self, state: &GcraState, permits: u32, now: Time) -> Option<Span> {
        if permits > self.burst {
            return None;
        }
        let slack = Span(self.interval.0 * u64::from(self.burst - permits));
        Some(Span(state.arrival.0.saturating_sub(slack.0)) - Span(now.0))
    }

    /// Takes `permits` if they are allowed within `patience`; a refusal takes nothing.
    pub fn reserve(
        &self,
        state: &mut GcraState,
        permits: u32,
        now: Time,
        patience: Span,
    ) -> Option<Span> {
        let wait = self.wait(state, permits, now).filter(|&wait| wait <= patience)?;
        state.arrival = state.arrival.max(now + wait) + Span(self.interval.0 * u64::from(permits));
        Some(wait)
    }
}
