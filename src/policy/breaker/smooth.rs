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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_secs(seconds)
    }

    /// The example in the tests of Finagle and failsafe: with a window of 100 s and a call each
    /// second, the rate is below one half after 100 ln 2 = 70 failures.
    #[test]
    fn the_rate_has_its_half_life() {
        let mut smooth = Smooth::new(Span::from_secs(100), Time::ZERO);
        for second in 1..=100 {
            smooth.push(false, at(second));
        }
        for failure in 1..=70 {
            smooth.push(true, at(100 + failure));
            assert_eq!(smooth.below(0.5, 5, at(100 + failure)), failure == 70);
        }
    }

    #[test]
    fn a_window_and_a_minimum_of_calls_are_needed() {
        let mut smooth = Smooth::new(Span::from_secs(30), Time::ZERO);
        for second in [26, 27, 28, 29] {
            smooth.push(true, at(second));
        }
        assert!(!smooth.below(0.8, 4, at(29)));
        assert!(smooth.below(0.8, 4, at(30)));
        assert!(!smooth.below(0.8, 5, at(30)));
        assert!(!smooth.below(0.8, 1, at(90)));
    }
}
