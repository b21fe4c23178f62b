//! What a closed breaker counts, and when that is too much.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::smooth::Smooth;
use crate::kernel::time::{Span, Time};
use crate::policy::rolling::{Rolling, Window};

/// A limit on slow calls (resilience4j).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slow {
    /// A call is slow when it takes longer than this.
    pub longer_than: Span,
    /// The share of slow calls that opens the breaker.
    pub ratio: f64,
}

/// How a share of failures is compared with its limit. The three last differ by rounding only,
/// where a share is exactly at the limit: 57 of 100 is above 57 % for cockatiel, 11 of 20 above
/// 55 % for opossum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `failures / calls >= ratio`.
    AtLeast,
    /// `failures / calls > ratio`.
    Above,
    /// `failures > ratio * calls` (cockatiel).
    AboveProduct,
    /// `failures / calls * 100 > percent` (opossum).
    AbovePercent,
}

impl Comparison {
    /// Whether `failures` of `calls` are too many.
    fn exceeds(self, failures: u32, calls: u32, ratio: f64) -> bool {
        let (failures, calls) = (f64::from(failures), f64::from(calls));
        match self {
            Comparison::AtLeast => failures / calls >= ratio,
            Comparison::Above => failures / calls > ratio,
            Comparison::AboveProduct => failures > ratio * calls,
            Comparison::AbovePercent => failures / calls * 100.0 > libm::round(ratio * 1e11) / 1e9,
        }
    }
}

/// When a closed breaker opens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trip {
    /// After this many failures in a row.
    Consecutive {
        /// How many.
        failures: u32,
    },
    /// When the share of failures in a window is too large.
    Ratio {
        /// The window.
        window: Window,
        /// With fewer calls than this in the window it never opens.
        minimum: u32,
        /// The share of failures.
        ratio: f64,
        /// How the share is compared with `ratio`.
        comparison: Comparison,
        /// Whether a success can open it too, by completing the minimum (resilience4j).
        on_success: bool,
        /// A limit on slow calls.
        slow: Option<Slow>,
        /// The counts are looked at only this often, not after every call (Hystrix).
        every: Option<Span>,
        /// Or after this many failures in a row, whichever is first (Linkerd).
        consecutive: Option<u32>,
    },
    /// When an exponentially weighted success rate falls below a limit (Finagle, failsafe-rs).
    SuccessRate {
        /// The limit.
        least: f64,
        /// With fewer calls than this in the window it never opens.
        minimum: u32,
        /// The time constant of the weights; it never opens within this of its start.
        window: Span,
    },
    /// After failures in a row, or by success rate, whichever is first.
    Either {
        /// How many failures in a row.
        failures: u32,
        /// As in [`Trip::SuccessRate`].
        least: f64,
        /// As in [`Trip::SuccessRate`].
        minimum: u32,
        /// As in [`Trip::SuccessRate`].
        window: Span,
    },
}

impl Trip {
    /// The limit on slow calls, if there is one.
    fn slow(&self) -> Option<Slow> {
        match self {
            Trip::Ratio { slow, .. } => *slow,
            _ => None,
        }
    }

    /// Whether a call that took `took` is slow.
    pub(super) fn is_slow(&self, took: Span) -> bool {
        self.slow().is_some_and(|slow| took > slow.longer_than)
    }

    /// The share of slow calls that opens the breaker.
    pub(super) fn slow_ratio(&self) -> Option<f64> {
        self.slow().map(|slow| slow.ratio)
    }
}

/// The counts of one breaker.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Meter {
    consecutive: u32,
    rolling: Option<Rolling>,
    smooth: Option<Smooth>,
    evaluated: Time,
}

impl Meter {
    pub(super) fn new(trip: &Trip) -> Meter {
        let rolling = match trip {
            Trip::Ratio { window, .. } => Some(Rolling::new(*window)),
            _ => None,
        };
        let smooth = match trip {
            Trip::SuccessRate { window, .. } | Trip::Either { window, .. } => {
                Some(Smooth::new(*window, Time::ZERO))
            }
            _ => None,
        };
        Meter { consecutive: 0, rolling, smooth, evaluated: Time::ZERO }
    }

    pub(super) fn reset(&mut self, trip: &Trip, now: Time) {
        self.consecutive = 0;
        if let (Some(rolling), Trip::Ratio { window, .. }) = (&mut self.rolling, trip) {
            rolling.reset(*window, now);
        }
        if let Some(smooth) = &mut self.smooth {
            smooth.reset(now);
        }
    }

    pub(super) fn consecutive(&self) -> u32 {
        self.consecutive
    }

    /// Counts a call when it starts, for a breaker that also counts those that it rejects.
    pub(super) fn count_call(&mut self, trip: &Trip, now: Time) {
        if let (Some(rolling), Trip::Ratio { window, .. }) = (&mut self.rolling, trip) {
            rolling.count(*window, now);
        }
    }

    /// Counts the failure of a call that was counted when it started.
    pub(super) fn fail(&mut self, trip: &Trip, now: Time) {
        if let (Some(rolling), Trip::Ratio { window, .. }) = (&mut self.rolling, trip) {
            rolling.fail(*window, now);
        }
    }

    /// Counts only how many failures there were in a row.
    pub(super) fn chain(&mut self, failed: bool) {
        self.consecutive = if failed { self.consecutive + 1 } else { 0 };
    }

    /// Counts a call with its result, and whether it is a failure of a row too.
    pub(super) fn push(&mut self, trip: &Trip, failed: bool, hard: bool, took: Span, now: Time) {
        self.chain(hard);
        if let (Some(rolling), Trip::Ratio { window, .. }) = (&mut self.rolling, trip) {
            rolling.push(*window, failed, trip.is_slow(took), now);
        }
        if let Some(smooth) = &mut self.smooth {
            smooth.push(failed, now);
        }
    }

    /// Whether the breaker opens now, after a result that was or was not a failure.
    pub(super) fn trips(&mut self, trip: &Trip, failed: bool, now: Time) -> bool {
        match *trip {
            Trip::Consecutive { failures } => failed && self.consecutive >= failures,
            Trip::Ratio { consecutive: Some(failures), .. }
                if failed && self.consecutive >= failures =>
            {
                true
            }
            Trip::Ratio { every: Some(_), .. } => false,
            Trip::Ratio { on_success, .. } => (failed || on_success) && self.exceeds(trip),
            Trip::SuccessRate { least, minimum, .. } => failed && self.below(least, minimum, now),
            Trip::Either { failures, least, minimum, .. } => {
                failed && (self.consecutive >= failures || self.below(least, minimum, now))
            }
        }
    }

    /// The time of the first look at the counts since the last event, if it opened the breaker.
    pub(super) fn tripped_at_evaluation(&mut self, trip: &Trip, now: Time) -> Option<Time> {
        let &Trip::Ratio { window, every: Some(every), .. } = trip else { return None };
        let next = Time((self.evaluated.0 / every.0 + 1) * every.0);
        if now < next {
            return None;
        }
        self.evaluated = now;
        self.rolling.as_mut()?.advance(window, next);
        self.exceeds(trip).then_some(next)
    }

    /// Whether the shares in the window are too large.
    fn exceeds(&self, trip: &Trip) -> bool {
        let (Some(rolling), &Trip::Ratio { minimum, ratio, comparison, slow, .. }) =
            (&self.rolling, trip)
        else {
            return false;
        };
        let total = rolling.total();
        if total.calls < minimum || total.calls == 0 {
            return false;
        }
        comparison.exceeds(total.failed, total.calls, ratio)
            || slow.is_some_and(|slow| {
                Comparison::AtLeast.exceeds(total.slow, total.calls, slow.ratio)
            })
    }

    /// Whether the smoothed success rate is below `least` and says something.
    fn below(&mut self, least: f64, minimum: u32, now: Time) -> bool {
        self.smooth.as_mut().is_some_and(|smooth| smooth.below(least, minimum, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_differ_where_rounding_decides() {
        use Comparison::{Above, AbovePercent, AboveProduct, AtLeast};
        let at = |failures, calls, ratio| {
            [AtLeast, Above, AboveProduct, AbovePercent]
                .map(|comparison| comparison.exceeds(failures, calls, ratio))
        };
        assert_eq!(at(1, 2, 0.5), [true, false, false, false]);
        assert_eq!(at(57, 100, 0.57), [true, false, true, false]);
        assert_eq!(at(11, 20, 0.55), [true, false, false, true]);
    }
}
