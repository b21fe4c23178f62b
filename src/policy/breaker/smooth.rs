//! An exponentially weighted success rate: Finagle `SuccessRateWindowed` and the crate failsafe
//! (`src/failure_policy.rs`, `src/ema.rs`).

use crate::kernel::time::{Span, Time};

/// The success rate of one breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Smooth {
    started: Time,
    last: Option<Time>,
    rate: f64,
    calls: u32,
}

impl Smooth {
    pub(super) fn starting(now: Time) -> Smooth {
        Smooth { started: now, ..Smooth::default() }
    }

    /// `w = exp(-dt / window); rate = w * rate + (1 - w) * sample`.
    pub(super) fn push(&mut self, window: Span, failed: bool, now: Time) {
        let sample = f64::from(u8::from(!failed));
        self.rate = match self.last {
            None => sample,
            Some(last) => {
                let weight = libm::exp(-(now.since(last).0 as f64) / window.0 as f64);
                self.rate * weight + sample * (1.0 - weight)
            }
        };
        self.last = Some(now);
        self.calls = self.calls.saturating_add(1);
    }

    pub(super) fn below(&self, least: f64, minimum: u32, window: Span, now: Time) -> bool {
        now.since(self.started) >= window && self.calls >= minimum && self.rate < least
    }
}
