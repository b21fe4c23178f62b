//! Client-side adaptive throttling: a client that is often refused refuses itself.
//!
//! Google SRE book, chapter 21 ("Handling Overload"); Envoy `admission_control`
//! (`source/extensions/filters/http/admission_control`); failsafe-go `adaptivethrottler`; Finagle
//! `NackAdmissionFilter`.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::{Wrong, keys, needed, within};
use super::outcome::{Outcome, OutcomeSet};
use super::rolling::{Rolling, Rotation, Window};
use crate::kernel::draw::{Draw, Probability};
use crate::kernel::quantity::{AsRate, AsShare, Lasting, Number, Whole};
use crate::kernel::time::{Span, Time};

/// How the probability of a local rejection follows from what was counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Formula {
    /// `max(0, (requests - K * accepts) / (requests + 1))`, where the requests that were rejected
    /// locally are counted too (Google SRE).
    Multiplier {
        /// K: how many requests may go to the server for each that it accepts.
        k: f64,
    },
    /// `((requests - accepts / rate) / (requests + 1))^(1 / aggression)`, of the admitted requests
    /// (Envoy, failsafe-go).
    SuccessRate {
        /// The success rate below which rejection begins.
        rate: f64,
        /// The exponent; 1 is linear.
        aggression: f64,
    },
    /// `1 - average / threshold` below the threshold, where the average of acceptance is
    /// exponential with the window as its time constant and starts at 1 (Finagle
    /// `NackAdmissionFilter.scala`, `Ema.scala`).
    Average {
        /// The average below which rejection begins.
        threshold: f64,
    },
}

/// The rule of adaptive throttling.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(try_from = "ThrottlingKeys", into = "ThrottlingKeys")]
pub struct Throttling {
    /// The formula.
    pub formula: Formula,
    /// What counts as accepted by the server: for Google, whatever is not an overload error.
    pub accepted: OutcomeSet,
    /// The window that is counted.
    pub window: Span,
    /// In how many buckets.
    pub buckets: u32,
    /// The largest probability of a rejection.
    pub max_rejection: f64,
    /// With fewer requests per second than this nothing is rejected.
    pub min_rate: f64,
}

keys! {
    /// `throttling = { … }`: the client rejects attempts itself when the server rejects many. By
    /// `k` (Google SRE book), `success_rate` (Envoy admission control) or `average` (Finagle).
    pub struct ThrottlingKeys {
        /// How many requests may go to the server for each that it accepts; 2 by default.
        k: f64 as "Number::<1, 1_000_000>",
        /// The success rate below which rejection begins, instead of `k`.
        success_rate: f64 as "AsShare",
        /// The exponent of rejection; 1 by default. With `success_rate`.
        aggression: f64,
        /// The moving average of acceptance below which rejection begins, instead of `k`.
        average: f64 as "AsShare",
        /// What counts as accepted; all but `rejected`, `throttled` and `timed_out` by default.
        accepted: OutcomeSet,
        /// How far back requests are counted, and the time constant of `average`; 2min by default.
        window: Span as "Lasting",
        /// In how many parts; 120 by default.
        buckets: u32 as "Whole::<1, 100_000>",
        /// The largest probability of a rejection; 1 by default.
        max_rejection: f64 as "AsShare",
        /// With fewer requests nothing is rejected; 0/s by default.
        min_rate: f64 as "AsRate",
    }
}

impl TryFrom<ThrottlingKeys> for Throttling {
    type Error = Wrong;

    fn try_from(keys: ThrottlingKeys) -> Result<Throttling, Wrong> {
        let default = Throttling::GOOGLE_SRE;
        let window = keys.window.unwrap_or(default.window);
        let buckets = keys.buckets.unwrap_or(default.buckets);
        if window.0 < u64::from(buckets) {
            let what = format!("`buckets` cannot be {buckets}");
            return Err(Wrong::new(what, "no more than the window has nanoseconds").at("buckets"));
        }
        let by_rate = keys.success_rate.is_some() || keys.aggression.is_some();
        let formula = match (keys.k, by_rate, keys.average) {
            (None, true, None) => Formula::SuccessRate {
                rate: within(
                    "success_rate",
                    needed(keys.success_rate, "success_rate")?,
                    1e-6,
                    1.0,
                )?,
                aggression: within("aggression", keys.aggression.unwrap_or(1.0), 1e-3, 1e3)?,
            },
            (None, false, Some(threshold)) => {
                Formula::Average { threshold: within("average", threshold, 1e-6, 1.0)? }
            }
            (Some(k), false, None) => {
                let own = ["k", "accepted", "window", "buckets", "max_rejection", "min_rate"];
                keys.only("throttling by `k`", &[&own])?;
                Formula::Multiplier { k }
            }
            (None, false, None) => default.formula,
            _ => {
                let expected = "one of `k`, `success_rate` and `average`";
                return Err(Wrong::new("throttling has one formula, not two", expected));
            }
        };
        Ok(Throttling {
            formula,
            accepted: keys.accepted.unwrap_or(default.accepted),
            window,
            buckets,
            max_rejection: keys.max_rejection.unwrap_or(default.max_rejection),
            min_rate: keys.min_rate.unwrap_or(default.min_rate),
        })
    }
}

impl From<Throttling> for ThrottlingKeys {
    fn from(rule: Throttling) -> ThrottlingKeys {
        let nothing = ThrottlingKeys::default();
        let formula = match rule.formula {
            Formula::Multiplier { k } => ThrottlingKeys { k: Some(k), ..nothing },
            Formula::SuccessRate { rate, aggression } => {
                ThrottlingKeys { success_rate: Some(rate), aggression: Some(aggression), ..nothing }
            }
            Formula::Average { threshold } => {
                ThrottlingKeys { average: Some(threshold), ..nothing }
            }
        };
        ThrottlingKeys {
            accepted: Some(rule.accepted),
            window: Some(rule.window),
            buckets: Some(rule.buckets),
            max_rejection: Some(rule.max_rejection),
            min_rate: Some(rule.min_rate),
            ..formula
        }
    }
}

/// The counts of one scope.
#[derive(Clone, Debug, PartialEq)]
pub struct ThrottlingState {
    counts: Rolling,
    average: f64,
    last: Time,
}

impl Throttling {
    /// Google's numbers: K = 2 over two minutes.
    pub const GOOGLE_SRE: Throttling = Throttling {
        formula: Formula::Multiplier { k: 2.0 },
        accepted: OutcomeSet::ERRORS
            .with(Outcome::Ok)
            .less(OutcomeSet::REJECTED)
            .less(OutcomeSet::THROTTLED)
            .less(OutcomeSet::TIMED_OUT),
        window: Span::from_secs(120),
        buckets: 120,
        max_rejection: 1.0,
        min_rate: 0.0,
    };

    /// Finagle's numbers: below an average of 0.5 over two minutes, at most 0.75, above 5/s.
    pub const FINAGLE: Throttling = Throttling {
        formula: Formula::Average { threshold: 0.5 },
        accepted: OutcomeSet::ERRORS.with(Outcome::Ok).less(OutcomeSet::REJECTED),
        window: Span::from_secs(120),
        buckets: 120,
        max_rejection: 0.75,
        min_rate: 5.0,
    };

    const fn rolling(&self) -> Window {
        Window::Time { span: self.window, buckets: self.buckets, rotation: Rotation::Aligned }
    }

    /// Nothing counted yet.
    #[must_use]
    pub fn state(&self) -> ThrottlingState {
        ThrottlingState { counts: Rolling::new(self.rolling()), average: 1.0, last: Time::ZERO }
    }

    /// The probability that a request is rejected now.
    pub fn probability(&self, state: &mut ThrottlingState, now: Time) -> f64 {
        state.counts.advance(self.rolling(), now);
        let total = state.counts.total();
        let (requests, accepts) =
            (f64::from(total.calls), f64::from(total.calls.saturating_sub(total.failed)));
        if requests < self.min_rate * self.window.seconds() {
            return 0.0;
        }
        let probability = match self.formula {
            Formula::Multiplier { k } => (requests - k * accepts) / (requests + 1.0),
            Formula::SuccessRate { rate, aggression } => {
                let linear = ((requests - accepts / rate) / (requests + 1.0)).max(0.0);
                libm::pow(linear, 1.0 / aggression)
            }
            Formula::Average { threshold } => 1.0 - state.average / threshold,
        };
        probability.clamp(0.0, self.max_rejection)
    }

    /// Whether a request may be sent. A local rejection is counted where the formula says so.
    pub fn admit(&self, state: &mut ThrottlingState, now: Time, draw: Draw) -> bool {
        let rejected = Probability::new(self.probability(state, now)).happens(draw);
        if rejected && matches!(self.formula, Formula::Multiplier { .. }) {
            state.counts.push(self.rolling(), true, false, now);
        }
        !rejected
    }

    /// Tells what an admitted request came back with.
    pub fn record(&self, state: &mut ThrottlingState, outcome: Outcome, now: Time) {
        let accepted = self.accepted.contains(outcome);
        state.counts.push(self.rolling(), !accepted, false, now);
        if let Formula::Average { .. } = self.formula {
            let passed = now.since(state.last).0 as f64 / self.window.0 as f64;
            let weight = libm::exp(-passed);
            state.average = state.average * weight + f64::from(u8::from(accepted)) * (1.0 - weight);
            state.last = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_rejects_what_exceeds_k_times_the_accepts() {
        let rule = Throttling::GOOGLE_SRE;
        let mut state = rule.state();
        for call in 0..300 {
            let outcome = if call < 100 { Outcome::Ok } else { Outcome::Rejected };
            rule.record(&mut state, outcome, Time::ZERO);
        }
        let probability = rule.probability(&mut state, Time::ZERO);
        assert!((probability - 100.0 / 301.0).abs() < 1e-12, "{probability}");
        let later = Time::ZERO + Span::from_secs(121);
        assert_eq!(rule.probability(&mut state, later), 0.0);
    }

    /// `exp(-dt / window)` weighs the past: after `ln 4` windows of rejections 1 has become 1/4.
    #[test]
    fn finagle_rejects_below_half_by_the_average_of_acceptance() {
        let rule = Throttling { min_rate: 0.0, ..Throttling::FINAGLE };
        let mut state = rule.state();
        let at = |windows: f64| Time::ZERO + Span::from_nanos_f64(windows * 120e9);
        rule.record(&mut state, Outcome::Rejected, at(0.5));
        assert_eq!(rule.probability(&mut state, at(0.5)), 0.0, "exp(-0.5) is above one half");
        rule.record(&mut state, Outcome::Rejected, at(libm::log(4.0)));
        let probability = rule.probability(&mut state, at(libm::log(4.0)));
        assert!((probability - 0.5).abs() < 1e-9, "{probability}");
        rule.record(&mut state, Outcome::Rejected, at(20.0));
        assert_eq!(rule.probability(&mut state, at(20.0)), 0.75, "never all of them");
        let few = Throttling::FINAGLE;
        assert_eq!(few.probability(&mut state, at(20.0)), 0.0, "fewer than 5/s");
    }

    #[test]
    fn an_error_after_work_was_accepted() {
        let rule = Throttling::GOOGLE_SRE;
        let mut state = rule.state();
        for _ in 0..100 {
            rule.record(&mut state, Outcome::Failed, Time::ZERO);
        }
        assert_eq!(rule.probability(&mut state, Time::ZERO), 0.0);
    }
}
