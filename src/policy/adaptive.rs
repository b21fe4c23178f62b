//! The client-side rate limiter of AWS adaptive mode: CUBIC after throttling, and a token bucket
//! that can delay first attempts too.
//!
//! botocore `retries/adaptive.py`, `retries/bucket.py`, `retries/throttling.py`; JavaScript
//! `@smithy/util-retry` `DefaultRateLimiter`.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::quantity::PositiveRate;
use crate::kernel::time::{Span, Time};

/// The rule, with what differs between languages; the defaults are those of botocore.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Adaptive {
    /// The rate before the first answer; 1/s by default.
    #[serde(with = "PositiveRate")]
    pub initial_rate: f64,
    /// Whether the bucket fills from its first use instead of from the start; false by default.
    pub clock_starts_at_first_use: bool,
    /// Whether rates are rounded to eight decimals (JavaScript); false by default.
    pub rounds: bool,
}

impl Default for Adaptive {
    fn default() -> Adaptive {
        Adaptive::BOTOCORE
    }
}

/// What a throttled response multiplies the rate by.
const BETA: f64 = 0.7;
/// How steeply the rate grows back.
const SCALE: f64 = 0.4;
/// The weight of the newest measured rate.
const SMOOTH: f64 = 0.8;
const LEAST_RATE: f64 = 0.5;
const LEAST_CAPACITY: f64 = 1.0;

/// The limiter of one client object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveState {
    enabled: bool,
    fill_rate: f64,
    capacity: f64,
    max_capacity: f64,
    filled: Option<Time>,
    measured: f64,
    count: u32,
    bucket: f64,
    last_max: f64,
    window: f64,
    throttled: Time,
}

impl Adaptive {
    /// botocore.
    pub const BOTOCORE: Adaptive =
        Adaptive { initial_rate: 1.0, clock_starts_at_first_use: false, rounds: false };
    /// `@smithy/util-retry`.
    pub const JAVASCRIPT: Adaptive =
        Adaptive { initial_rate: LEAST_RATE, clock_starts_at_first_use: true, rounds: true };

    /// A limiter built at `now`, which limits nothing until the first throttled response.
    #[must_use]
    pub fn state(&self, now: Time) -> AdaptiveState {
        AdaptiveState {
            enabled: false,
            fill_rate: self.initial_rate,
            capacity: 0.0,
            max_capacity: LEAST_CAPACITY,
            filled: (!self.clock_starts_at_first_use).then_some(now),
            measured: 0.0,
            count: 0,
            bucket: libm::floor(now.seconds()),
            last_max: 0.0,
            window: 0.0,
            throttled: now,
        }
    }

    /// Takes a token, or says after how long to ask again (at least one nanosecond).
    pub fn acquire(&self, state: &mut AdaptiveState, now: Time) -> Option<Span> {
        if !state.enabled {
            return None;
        }
        state.refill(now);
        if state.capacity >= 1.0 {
            state.capacity -= 1.0;
            return None;
        }
        let seconds = (1.0 - state.capacity) / state.fill_rate;
        Some(Span((libm::ceil(seconds * 1e9) as u64).max(1)))
    }

    /// A response arrived.
    pub fn respond(&self, state: &mut AdaptiveState, throttled: bool, now: Time) {
        self.measure(state, now);
        let wanted = if throttled {
            state.last_max =
                if state.enabled { state.measured.min(state.fill_rate) } else { state.measured };
            state.window = self.round(libm::cbrt(state.last_max * (1.0 - BETA) / SCALE));
            state.throttled = now;
            state.enabled = true;
            state.last_max * BETA
        } else {
            let x = signed_seconds(state.throttled, now) - state.window;
            SCALE * (x * x * x) + state.last_max
        };
        let rate = self.round(wanted).min(2.0 * state.measured);
        state.refill(now);
        state.fill_rate = rate.max(LEAST_RATE);
        state.max_capacity = rate.max(LEAST_CAPACITY);
        state.capacity = state.capacity.min(state.max_capacity);
    }

    /// Counts a response in half seconds; a new half second closes the last one.
    fn measure(&self, state: &mut AdaptiveState, now: Time) {
        let bucket = libm::floor(now.seconds() * 2.0) / 2.0;
        state.count += 1;
        if bucket > state.bucket {
            let rate = f64::from(state.count) / (bucket - state.bucket);
            state.measured = self.round(rate * SMOOTH + state.measured * (1.0 - SMOOTH));
            state.count = 0;
            state.bucket = bucket;
        }
    }

    fn round(&self, rate: f64) -> f64 {
        if self.rounds { libm::round(rate * 1e8) / 1e8 } else { rate }
    }
}

impl AdaptiveState {
    /// Whether it limits.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// Tokens per second.
    #[must_use]
    pub fn fill_rate(&self) -> f64 {
        self.fill_rate
    }

    /// The tokens as of the last event.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        self.capacity
    }

    /// The most tokens that are saved.
    #[must_use]
    pub fn max_capacity(&self) -> f64 {
        self.max_capacity
    }

    /// The smoothed rate of responses, per second.
    #[must_use]
    pub fn measured_rate(&self) -> f64 {
        self.measured
    }

    /// The rate at which throttling was last met.
    #[must_use]
    pub fn last_max_rate(&self) -> f64 {
        self.last_max
    }

    /// The seconds in which the rate grows back to the last maximum.
    #[must_use]
    pub fn time_window(&self) -> f64 {
        self.window
    }

    fn refill(&mut self, now: Time) {
        if let Some(filled) = self.filled {
            let earned = signed_seconds(filled, now) * self.fill_rate;
            self.capacity = (self.capacity + earned).min(self.max_capacity);
        }
        self.filled = Some(now);
    }
}

/// Seconds from `earlier` to `later`, negative if they are the other way round: answers may be told
/// in another order than they came.
fn signed_seconds(earlier: Time, later: Time) -> f64 {
    later.0.wrapping_sub(earlier.0) as i64 as f64 / 1e9
}
