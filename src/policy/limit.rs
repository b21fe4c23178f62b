//! Adaptive concurrency: how many calls at once, learned from how long they take.
//!
//! Netflix/concurrency-limits: `AIMDLimit`, `VegasLimit`, `Gradient2Limit`.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::{Wrong, by_kind};
use crate::kernel::draw::Draw;
use crate::kernel::quantity::{AsShare, Number};
use crate::kernel::time::Span;

/// The rule of a limit; the defaults are those of Netflix/concurrency-limits.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Additive increase, multiplicative decrease.
    Aimd(Aimd),
    /// By the queue that the smallest latency shows.
    Vegas(Vegas),
    /// By the latency against its own long average.
    Gradient2(Gradient2),
}

by_kind!(Limit {
    Aimd(Aimd): "aimd",
    Vegas(Vegas): "vegas",
    Gradient2(Gradient2): "gradient2",
});

/// `AIMDLimit`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Aimd {
    /// The limit at the start; 20 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub initial: f64,
    /// The smallest limit; 20 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub min: f64,
    /// The largest limit; 200 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub max: f64,
    /// What a drop multiplies the limit by; 0.9 by default.
    #[serde(with = "AsShare")]
    pub backoff: f64,
    /// A call that takes longer is a drop; 5s by default.
    pub timeout: Span,
}

impl Default for Aimd {
    fn default() -> Aimd {
        let timeout = Span::from_secs(5);
        Aimd { initial: 20.0, min: 20.0, max: 200.0, backoff: 0.9, timeout }
    }
}

/// `VegasLimit`: the queue is estimated from the smallest latency ever seen.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Vegas {
    /// The limit at the start; 20 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub initial: f64,
    /// The largest limit; 1000 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub max: f64,
    /// The weight of a new estimate; 1 by default.
    #[serde(with = "AsShare")]
    pub smoothing: f64,
    /// After so many times the limit of calls, times a random half to one, the smallest latency is
    /// measured anew; 30 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub probe_multiplier: f64,
}

impl Default for Vegas {
    fn default() -> Vegas {
        Vegas { initial: 20.0, max: 1000.0, smoothing: 1.0, probe_multiplier: 30.0 }
    }
}

/// `Gradient2Limit`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Gradient2 {
    /// The limit at the start; 20 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub initial: f64,
    /// The smallest limit; 20 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub min: f64,
    /// The largest limit; 200 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub max: f64,
    /// The weight of a new estimate; 0.2 by default.
    #[serde(with = "AsShare")]
    pub smoothing: f64,
    /// How much longer than the average a call may take; 1.5 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub tolerance: f64,
    /// How many calls may queue; 4 by default.
    #[serde(with = "Number::<0, 1_000_000_000>")]
    pub queue: f64,
    /// Over how many samples the long average is; 600 by default.
    #[serde(with = "Number::<1, 1_000_000_000>")]
    pub long_window: f64,
}

impl Default for Gradient2 {
    fn default() -> Gradient2 {
        Gradient2 {
            initial: 20.0,
            min: 20.0,
            max: 200.0,
            smoothing: 0.2,
            tolerance: 1.5,
            queue: 4.0,
            long_window: 600.0,
        }
    }
}

/// How many samples the first average of `Gradient2` is the mean of.
const WARM_UP: u32 = 10;

/// The state of one limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitState {
    limit: f64,
    /// The smallest latency, or the long average, in nanoseconds; 0 is none yet.
    reference: f64,
    samples: u32,
    probe: f64,
}

impl Limit {
    /// What is wrong with a rule whose keys are each right.
    ///
    /// # Errors
    /// If the smallest limit is larger than the largest.
    pub fn check(&self) -> Result<(), Wrong> {
        match *self {
            Limit::Aimd(Aimd { min, max, .. }) | Limit::Gradient2(Gradient2 { min, max, .. })
                if min > max =>
            {
                let what = format!("`min` cannot be {min}");
                Err(Wrong::new(what, format!("a number from 1 to {max}")).at("min"))
            }
            _ => Ok(()),
        }
    }

    /// A limit that has seen nothing.
    #[must_use]
    pub fn state(&self) -> LimitState {
        let (Limit::Aimd(Aimd { initial, .. })
        | Limit::Vegas(Vegas { initial, .. })
        | Limit::Gradient2(Gradient2 { initial, .. })) = *self;
        LimitState { limit: initial, reference: 0.0, samples: 0, probe: 1.0 }
    }

    /// A call ended: it took `took`, `in_flight` were running when it started, and it was dropped
    /// or not. `draw` is used by Vegas alone.
    pub fn update(
        &self,
        state: &mut LimitState,
        took: Span,
        in_flight: u32,
        dropped: bool,
        draw: Draw,
    ) {
        let (rtt, in_flight) = (took.0 as f64, f64::from(in_flight));
        state.samples = state.samples.saturating_add(1);
        match *self {
            Limit::Aimd(Aimd { min, max, backoff, timeout, .. }) => {
                let mut limit = state.limit;
                if dropped || took > timeout {
                    limit = libm::floor(limit * backoff);
                } else if in_flight * 2.0 >= limit {
                    limit += 1.0;
                }
                state.limit = limit.clamp(min, max);
            }
            Limit::Vegas(Vegas { max, smoothing, probe_multiplier, .. }) => {
                vegas(state, rtt, in_flight, dropped, (max, smoothing, probe_multiplier), draw);
            }
            Limit::Gradient2(Gradient2 {
                min,
                max,
                smoothing,
                tolerance,
                queue,
                long_window,
                ..
            }) => {
                let long = state.lengthen(rtt, long_window);
                if in_flight < state.limit / 2.0 {
                    return;
                }
                let gradient = (tolerance * long / rtt).clamp(0.5, 1.0);
                let wanted = state.limit * gradient + queue;
                let smoothed = state.limit * (1.0 - smoothing) + wanted * smoothing;
                state.limit = smoothed.clamp(min, max);
            }
        }
    }
}

/// One sample of `VegasLimit`.
fn vegas(
    state: &mut LimitState,
    rtt: f64,
    in_flight: f64,
    dropped: bool,
    (max, smoothing, probe_multiplier): (f64, f64, f64),
    draw: Draw,
) {
    if f64::from(state.samples) >= state.probe * probe_multiplier * state.limit {
        state.samples = 0;
        state.probe = 0.5 + draw.unit() / 2.0;
        state.reference = rtt;
        return;
    }
    if state.reference == 0.0 || rtt < state.reference {
        state.reference = rtt;
        return;
    }
    let limit = state.limit;
    let queue = libm::ceil(limit * (1.0 - state.reference / rtt));
    let step = libm::floor(libm::log10(limit)).max(1.0);
    let wanted = if dropped {
        limit - step
    } else if in_flight * 2.0 < limit {
        return;
    } else if queue <= step {
        limit + 6.0 * step
    } else if queue < 3.0 * step {
        limit + step
    } else if queue > 6.0 * step {
        limit - step
    } else {
        return;
    };
    let wanted = wanted.clamp(1.0, max);
    state.limit = (1.0 - smoothing) * limit + smoothing * wanted;
}

impl LimitState {
    /// The limit in whole calls.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit as u32
    }

    /// Adds a latency to the long average and returns it: a mean at first, exponential later. An
    /// average more than twice the sample decays faster.
    fn lengthen(&mut self, rtt: f64, window: f64) -> f64 {
        if self.samples <= WARM_UP {
            let count = f64::from(self.samples);
            self.reference += (rtt - self.reference) / count;
        } else {
            let weight = 2.0 / (window + 1.0);
            self.reference = self.reference * (1.0 - weight) + rtt * weight;
        }
        let long = self.reference;
        if long / rtt > 2.0 {
            self.reference *= 0.95;
        }
        long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit after `calls` calls that all run at the limit.
    fn settled(rule: Limit, calls: u32, took: impl Fn(u32) -> Span) -> u32 {
        let mut state = rule.state();
        for call in 0..calls {
            let limit = state.limit();
            rule.update(&mut state, took(limit), limit, false, Draw(u64::from(call) << 40));
        }
        state.limit()
    }

    #[test]
    fn aimd_grows_by_one_and_falls_by_a_tenth() {
        let rule = Limit::Aimd(Aimd::default());
        assert_eq!(settled(rule, 30, |_| Span::from_millis(1)), 50);
        let mut state = rule.state();
        for _ in 0..30 {
            let limit = state.limit();
            rule.update(&mut state, Span::from_millis(1), limit, false, Draw(0));
        }
        rule.update(&mut state, Span::from_millis(1), 50, true, Draw(0));
        assert_eq!(state.limit(), 45);
        rule.update(&mut state, Span::from_millis(1), 1, false, Draw(0));
        assert_eq!(state.limit(), 45);
    }

    #[test]
    fn gradient_grows_under_a_steady_latency_and_shrinks_under_a_rising_one() {
        let steady =
            settled(Limit::Gradient2(Gradient2::default()), 2_000, |_| Span::from_millis(10));
        assert_eq!(steady, 200);
        let rule = Limit::Gradient2(Gradient2::default());
        let mut state = rule.state();
        for call in 0..200 {
            let took = Span::from_millis(if call < 100 { 10 } else { 40 });
            let limit = state.limit();
            rule.update(&mut state, took, limit, false, Draw(0));
        }
        assert!(state.limit() < 40, "{}", state.limit());
    }

    /// A server that does 100 calls at once in 10 ms, and queues the others. Under a load that
    /// never lets up, each probe takes the queue for the smallest latency and the limit creeps up.
    #[test]
    fn vegas_settles_near_the_capacity_and_creeps_up_with_every_probe() {
        let rule = Limit::Vegas(Vegas::default());
        let latency = |limit: u32| Span::from_micros(10_000 * u64::from(limit.max(100)) / 100);
        let limit = settled(rule, 2_000, latency);
        assert!((100..=112).contains(&limit), "{limit}");
        assert!(settled(rule, 20_000, latency) > 150);
    }
}
