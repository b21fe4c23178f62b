//! An exponentially weighted success rate: Finagle `SuccessRateWindowed` and the crate failsafe
//! (`src/failure_policy.rs`, `src/ema.rs`, `src/windowed_adder.rs`).

use crate::kernel::time::{Span, Time};
use crate::policy::rolling::{Rolling, Rotation, Window};

/// The success rate of one breaker. Times are whole milliseconds since it began.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Smooth {
    length: Span,
    started: Time,
    last: u64,
    rate: f64,
    calls: Rolling,
}

impl Smooth {
    pub(super) fn new(length: Span, now: Time) -> Smooth {
        let mut calls = Rolling::new(window(length));
        calls.reset(window(length), now);
        Smooth { length, started: now, last: 0, rate: 0.0, calls }
    }

    pub(super) fn reset(&mut self, now: Time) {
        self.started = now;
        self.last = 0;
        self.rate = 0.0;
        self.calls.reset(window(self.length), now);
    }

    /// `w = exp(-dt / length); rate = w * rate + (1 - w) * sample`. A result within the first
    /// millisecond leaves no trace, because time zero means "nothing yet" in the original.
    pub(super) fn push(&mut self, failed: bool, now: Time) {
        let sample = f64::from(u8::from(!failed));
        let time = now.since(self.started).0 / 1_000_000;
        if self.last == 0 {
            self.rate = sample;
        } else {
            let passed = (time - self.last) as f64;
            let weight = libm::exp(-passed / (self.length.0 / 1_000_000) as f64);
            self.rate = sample * (1.0 - weight) + self.rate * weight;
        }
        self.last = time;
        self.calls.push(window(self.length), failed, false, now);
    }

    /// Whether the rate is below `least` after at least one window with at least `minimum` calls.
    pub(super) fn below(&mut self, least: f64, minimum: u32, now: Time) -> bool {
        self.calls.advance(window(self.length), now);
        now.since(self.started) >= self.length
            && self.rate < least
            && self.calls.total().calls >= minimum
    }
}

/// The window in which calls are counted.
const fn window(length: Span) -> Window {
    Window::Time { span: length, buckets: 5, rotation: Rotation::Shifting }
}
