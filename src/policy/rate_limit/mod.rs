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

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::{Wrong, keys, needed};
use crate::kernel::quantity::{PositiveRate, Unending, Whole, WithinDay};
use crate::kernel::time::{Span, Time};

/// A rate limiter, and how long its caller is ready to wait.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(try_from = "RateLimitKeys", into = "RateLimitKeys")]
pub struct RateLimit {
    /// The rule.
    pub rule: Rule,
    /// A caller that would have to wait longer is rejected and takes nothing.
    pub max_wait: Span,
}

keys! {
    /// `rate_limit = { … }`. With `kind` it starts from the defaults of that kind.
    pub struct RateLimitKeys {
        /// Which machine; `gcra` by default.
        kind: RateKind,
        /// How often attempts may start (`gcra`, `debt`, `guava`).
        rate: f64 as "PositiveRate",
        /// The time between attempts (`gcra`), instead of `rate`.
        interval: Span as "WithinDay",
        /// How many may start at once (`gcra`, `debt`); 1 by default.
        burst: u32 as "Whole::<1, { u32::MAX }>",
        /// How long a cold limiter takes to reach its rate (`guava`); 0s by default: never cold.
        warm_up: Span,
        /// How many may start in each period (`cycles`).
        permits: u32 as "Whole::<1, { u32::MAX }>",
        /// The length of a period (`cycles`).
        period: Span as "WithinDay",
        /// An attempt that would have to wait longer is denied; 0s by default.
        max_wait: Span as "Unending",
    }
}

/// Which machine limits a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RateKind {
    /// The generic cell rate algorithm (governor).
    #[default]
    Gcra,
    /// A token bucket that may go into debt (golang.org/x/time/rate).
    Debt,
    /// Guava: the next caller pays for a burst.
    Guava,
    /// Permits in each period, borrowed from periods to come (resilience4j).
    Cycles,
}

/// The largest burst: arithmetic on the intervals of one stays exact.
const BURST_MAX: u32 = 1_000_000;

impl TryFrom<RateLimitKeys> for RateLimit {
    type Error = Wrong;

    fn try_from(keys: RateLimitKeys) -> Result<RateLimit, Wrong> {
        let only = |kind: &str, own: &[&str]| {
            keys.only(&format!("a rate limit of kind `{kind}`"), &[&["kind", "max_wait"], own])
        };
        let rate = || needed(keys.rate, "rate");
        let burst = keys.burst.unwrap_or(1).min(BURST_MAX);
        let rule = match keys.kind.unwrap_or_default() {
            RateKind::Gcra => {
                only("gcra", &["rate", "interval", "burst"])?;
                let interval = match keys.interval {
                    Some(interval) => interval,
                    None => Span::from_secs_f64(1.0 / rate()?),
                };
                Rule::Gcra(Gcra { interval, burst })
            }
            RateKind::Debt => {
                only("debt", &["rate", "burst"])?;
                Rule::Debt(Debt { rate: rate()?, burst })
            }
            RateKind::Guava => {
                only("guava", &["rate", "warm_up"])?;
                Rule::Smooth(Smooth { rate: rate()?, warm_up: keys.warm_up.unwrap_or_default() })
            }
            RateKind::Cycles => {
                only("cycles", &["permits", "period"])?;
                let permits = needed(keys.permits, "permits")?;
                Rule::Cycles(Cycles { permits, period: needed(keys.period, "period")? })
            }
        };
        Ok(RateLimit { rule, max_wait: keys.max_wait.unwrap_or(Span::ZERO) })
    }
}

impl From<RateLimit> for RateLimitKeys {
    fn from(limit: RateLimit) -> RateLimitKeys {
        let nothing = RateLimitKeys { max_wait: Some(limit.max_wait), ..RateLimitKeys::default() };
        match limit.rule {
            Rule::Gcra(Gcra { interval, burst }) => RateLimitKeys {
                kind: Some(RateKind::Gcra),
                interval: Some(interval),
                burst: Some(burst),
                ..nothing
            },
            Rule::Debt(Debt { rate, burst }) => RateLimitKeys {
                kind: Some(RateKind::Debt),
                rate: Some(rate),
                burst: Some(burst),
                ..nothing
            },
            Rule::Smooth(Smooth { rate, warm_up }) => RateLimitKeys {
                kind: Some(RateKind::Guava),
                rate: Some(rate),
                warm_up: Some(warm_up),
                ..nothing
            },
            Rule::Cycles(Cycles { permits, period }) => RateLimitKeys {
                kind: Some(RateKind::Cycles),
                permits: Some(permits),
                period: Some(period),
                ..nothing
            },
        }
    }
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
                rule.reserve(state, permits, now, self.max_wait)
            }
            (Rule::Debt(rule), RateLimitState::Debt(state)) => {
                rule.reserve(state, permits, now, self.max_wait)
            }
            (Rule::Smooth(rule), RateLimitState::Smooth(state)) => {
                rule.reserve(state, permits, now, self.max_wait)
            }
            (Rule::Cycles(rule), RateLimitState::Cycles(state)) => {
                rule.reserve(state, permits, now, self.max_wait)
            }
            _ => None,
        }
    }
}
