//! Guava's `RateLimiter` (google/guava, `SmoothRateLimiter.java`): a request is granted at once and
//! the next caller pays for it. All times are whole microseconds.

use crate::kernel::time::{Span, Time};

/// The rule: `SmoothBursty` without, `SmoothWarmingUp` with a warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smooth {
    /// Permits per second when warm.
    pub rate: f64,
    /// How long a cold limiter takes to reach the rate; zero is `SmoothBursty`, which saves the
    /// permits of one second.
    pub warm_up: Span,
}

/// The saved permits of one limiter, and when the next request is granted, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothState {
    stored: f64,
    next_free: u64,
}

/// How many times longer the interval of a cold limiter is.
const COLD_FACTOR: f64 = 3.0;

impl Smooth {
    /// A limiter as built: no saved permits, or cold, that is with all of them saved.
    #[must_use]
    pub fn state(&self) -> SmoothState {
        let stored = if self.warm_up == Span::ZERO { 0.0 } else { self.most() };
        SmoothState { stored, next_free: 0 }
    }

    /// Takes `permits` and returns the time until they may be used, if within `patience`.
    pub fn reserve(
        &self,
        state: &mut SmoothState,
        permits: u32,
        now: Time,
        patience: Span,
    ) -> Option<Span> {
        let now = now.0 / 1_000;
        let wait = state.next_free.saturating_sub(now);
        if wait > patience.0 / 1_000 {
            return None;
        }
        if now > state.next_free {
            let earned = (now - state.next_free) as f64 / self.cool_down();
            state.stored = (state.stored + earned).min(self.most());
            state.next_free = now;
        }
        let saved = f64::from(permits).min(state.stored);
        let fresh = f64::from(permits) - saved;
        let price = self.price(state.stored, saved) + (fresh * self.stable()) as u64;
        state.next_free = state.next_free.saturating_add(price);
        state.stored -= saved;
        Some(Span::from_micros(wait))
    }

    /// Microseconds between permits when warm.
    fn stable(&self) -> f64 {
        1e6 / self.rate
    }

    fn warm_up_micros(&self) -> f64 {
        (self.warm_up.0 / 1_000) as f64
    }

    /// The saved permits above which the limiter is cold.
    fn threshold(&self) -> f64 {
        0.5 * self.warm_up_micros() / self.stable()
    }

    /// The most permits that are saved.
    fn most(&self) -> f64 {
        if self.warm_up == Span::ZERO {
            return self.rate;
        }
        let cold = self.stable() * COLD_FACTOR;
        self.threshold() + 2.0 * self.warm_up_micros() / (self.stable() + cold)
    }

    /// Microseconds without a request in which one permit is saved.
    fn cool_down(&self) -> f64 {
        if self.warm_up == Span::ZERO { self.stable() } else { self.warm_up_micros() / self.most() }
    }

    /// The microseconds that the next caller waits for `taken` of `stored` saved permits: the area
    /// under the line from the stable interval at the threshold to the cold one at the most.
    fn price(&self, stored: f64, taken: f64) -> u64 {
        if self.warm_up == Span::ZERO {
            return 0;
        }
        let above = (stored - self.threshold()).max(0.0);
        let cold = above.min(taken);
        let slope = self.stable() * (COLD_FACTOR - 1.0) / (self.most() - self.threshold());
        let interval = |permits: f64| self.stable() + permits * slope;
        let cold_price = cold * (interval(above) + interval(above - cold)) / 2.0;
        cold_price as u64 + (self.stable() * (taken - cold)) as u64
    }
}
