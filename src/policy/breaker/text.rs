//! A breaker as it is written: `breaker = { … }`.

use super::{
    Breaker, Comparison, Initial, OnClose, Probes, Proof, Rotation, Slow, Trip, Unheard, Window,
};
use crate::kernel::quantity::{AsCount, AsShare, Lasting, Unending, Whole};
use crate::kernel::time::Span;
use crate::policy::backoff::Backoff;
use crate::policy::bulkhead::Around;
use crate::policy::keys::{Wrong, keys, needed};
use crate::policy::outcome::{Errors, OutcomeSet};

keys! {
    /// `breaker = { … }`. It opens by `failure_ratio`, by `consecutive`, by `success_rate`, or by
    /// `consecutive` and one of the others, whichever is first.
    pub struct BreakerKeys {
        /// It opens at this share of failures in the window.
        failure_ratio: f64 as "AsShare",
        /// It opens after so many failures in a row.
        consecutive: u32,
        /// It opens when the exponentially weighted success rate is below this (Finagle).
        success_rate: f64 as "AsShare",
        /// How far back results are counted, or the time constant of the weights; 10s by default.
        window: Span as "Lasting",
        /// Over how many calls results are counted, instead of over a time (resilience4j).
        window_calls: u32 as "Whole::<1, WINDOW_MAX>",
        /// In how many parts a window over time is counted; 10 by default.
        buckets: u32 as "Whole::<1, WINDOW_MAX>",
        /// How the parts of a window move on; `with_traffic` by default.
        rotation: Rotation,
        /// Not before so many results in the window; 20 by default.
        minimum: u32,
        /// How the share is compared; `at_least` by default.
        comparison: Comparison,
        /// Whether a success can open it too, by completing the minimum (resilience4j); false by
        /// default.
        on_success: bool,
        /// A call that takes longer is slow; none is by default.
        slow_call: Span,
        /// It opens at this share of slow calls; with `slow_call`.
        slow_ratio: f64 as "AsShare",
        /// How often the counts are looked at (Hystrix); after every call by default.
        every: Span as "Lasting",
        /// What counts as a failure; all but `conflict` and `invalid` by default.
        failures: OutcomeSet as "Errors",
        /// Failures that count in the share or rate only, not in a row (Linkerd: HTTP 429); none by
        /// default.
        soft: OutcomeSet as "Errors",
        /// What counts neither as a failure nor as a success; nothing by default.
        ignored: OutcomeSet as "Errors",
        /// How long it stays open, `"5s"`; or how that grows with each opening in a row,
        /// `"exponential 1s x2 cap 60s"`; 5s by default.
        open_for: Backoff,
        /// Whether the first probe passes only strictly after that time; false by default.
        strictly_after: bool,
        /// Whether a timer makes it half-open instead of the next call; false by default.
        by_timer: bool,
        /// How many probes it lets through, or `"unlimited"`; 1 by default.
        probes: u32 as "AsCount",
        /// Whether `probes` is how many run at once, not all of a half-open time; false by default.
        probes_at_once: bool,
        /// Whether callers beyond the probes wait for the decision instead of being rejected
        /// (cockatiel); false by default.
        probes_queue: bool,
        /// How long it stays half-open before it opens again, if the probes have not decided by
        /// then (resilience4j); as long as it takes by default.
        half_open_for: Span as "Unending",
        /// What the probes must show; as many successes as there are probes by default.
        proof: Proof,
        /// What becomes of the place of a probe that is never recorded, because its outcome does
        /// not count or its caller is gone; it is free again by default.
        unheard: Unheard,
        /// Whether results count of calls that began before the last change; true by default.
        hears_late: bool,
        /// Whether a reply after its timeout is a result of its own; false by default.
        hears_replies_after_timeout: bool,
        /// What a closing breaker does with its counts; it forgets them by default.
        on_close: OnClose,
        /// Whether calls are counted when they ask, rejected ones too (opossum); false by default.
        counts_at_start: bool,
        /// Around what it stands; `attempt` by default: inside of the retry. With `call` it is
        /// around the retry: asked once for a call, and told once what came of it (resilience4j
        /// `circuitBreakerAspectOrder` below `retryAspectOrder`, Polly with the breaker added
        /// first).
        around: Around,
        /// How it is before its first call (resilience4j `initialState`); closed by default.
        initial: Initial,
    }
}

const RATIO: &[&str] = &[
    "failure_ratio",
    "window",
    "window_calls",
    "buckets",
    "rotation",
    "minimum",
    "comparison",
    "on_success",
    "slow_call",
    "slow_ratio",
    "every",
    "consecutive",
];
const CONSECUTIVE: &[&str] = &["consecutive"];
const SUCCESS_RATE: &[&str] = &["success_rate", "window", "minimum"];
const EITHER: &[&str] = &["consecutive", "success_rate", "window", "minimum"];
const ANY: &[&str] = &[
    "failures",
    "soft",
    "ignored",
    "open_for",
    "strictly_after",
    "by_timer",
    "probes",
    "probes_at_once",
    "probes_queue",
    "half_open_for",
    "proof",
    "unheard",
    "hears_late",
    "hears_replies_after_timeout",
    "on_close",
    "counts_at_start",
    "around",
    "initial",
];

/// A window of more calls or parts than this is refused: each of them takes memory.
const WINDOW_MAX: u32 = 100_000;

impl TryFrom<BreakerKeys> for Breaker {
    type Error = Wrong;

    fn try_from(keys: BreakerKeys) -> Result<Breaker, Wrong> {
        keys.zeros()?;
        let default = Breaker::new(keys.trip()?, Span::from_secs(5));
        let breaker = Breaker {
            trip: default.trip,
            around: keys.around.unwrap_or(default.around),
            initial: keys.initial.unwrap_or(default.initial),
            failures: keys.failures.unwrap_or(default.failures),
            soft: keys.soft.unwrap_or(default.soft),
            ignored: keys.ignored.unwrap_or(default.ignored),
            open_for: keys.open_for.unwrap_or(default.open_for),
            strictly_after: keys.strictly_after.unwrap_or(default.strictly_after),
            by_timer: keys.by_timer.unwrap_or(default.by_timer),
            probes: Probes {
                limit: keys.probes.unwrap_or(1),
                at_once: keys.probes_at_once.unwrap_or_default(),
                queue: keys.probes_queue.unwrap_or_default(),
                proof: keys.proof.unwrap_or(match keys.probes {
                    None | Some(u32::MAX) => Proof::Successes(1),
                    Some(probes) => Proof::Successes(probes),
                }),
            },
            half_open_for: keys.half_open_for.filter(|&span| span < Span::MAX),
            unheard: keys.unheard.unwrap_or(default.unheard),
            hears_late: keys.hears_late.unwrap_or(default.hears_late),
            hears_replies_after_timeout: keys.hears_replies_after_timeout.unwrap_or_default(),
            on_close: keys.on_close.unwrap_or(default.on_close),
            counts_at_start: keys.counts_at_start.unwrap_or(default.counts_at_start),
        };
        if breaker.around == Around::Call && breaker.hears_replies_after_timeout {
            let expected = "`around = \"attempt\"`, or `hears_replies_after_timeout = false`";
            let what = "a breaker around the call hears of no attempt";
            return Err(Wrong::new(what, expected).at("around"));
        }
        Ok(breaker)
    }
}

impl BreakerKeys {
    /// Refuses numbers with which no breaker works.
    fn zeros(&self) -> Result<(), Wrong> {
        if self.consecutive == Some(0) {
            let what = "the breaker would open without a failure";
            return Err(Wrong::new(what, "at least 1 failure in a row").at("consecutive"));
        }
        let never_open = self.open_for.is_some_and(|series| series.base() == Some(Span::ZERO));
        let rules = [
            (self.failure_ratio == Some(0.0), "failure_ratio", "more than 0"),
            (never_open, "open_for", "more than 0s"),
            (self.half_open_for == Some(Span::ZERO), "half_open_for", "more than 0s"),
            (self.probes == Some(0), "probes", "at least 1 probe"),
            (self.proof == Some(Proof::Successes(0)), "proof", "at least 1 success"),
            (matches!(self.proof, Some(Proof::Ratio { calls: 0, .. })), "proof", "at least 1 call"),
        ];
        match rules.into_iter().find(|(is_broken, ..)| *is_broken) {
            None => Ok(()),
            Some((_, key, expected)) => {
                let what = format!("a breaker with a `{key}` of 0 does not work");
                Err(Wrong::new(what, expected).at(key))
            }
        }
    }

    fn trip(&self) -> Result<Trip, Wrong> {
        let only = |rule: &str, own: &[&str]| {
            self.only(&format!("a breaker that opens by {rule}"), &[own, ANY])
        };
        let window = self.window.unwrap_or(Span::from_secs(10));
        let minimum = self.minimum.unwrap_or(20);
        match (self.failure_ratio, self.consecutive, self.success_rate) {
            (Some(ratio), _, None) => {
                only("`failure_ratio`", RATIO)?;
                self.ratio(ratio, window, minimum)
            }
            (None, Some(failures), None) => {
                only("`consecutive`", CONSECUTIVE)?;
                Ok(Trip::Consecutive { failures })
            }
            (None, None, Some(least)) => {
                only("`success_rate`", SUCCESS_RATE)?;
                smooth_window(window)?;
                Ok(Trip::SuccessRate { least, minimum, window })
            }
            (None, Some(failures), Some(least)) => {
                only("`consecutive` or `success_rate`", EITHER)?;
                smooth_window(window)?;
                Ok(Trip::Either { failures, least, minimum, window })
            }
            (Some(_), ..) => Err(Wrong::new(
                "a breaker has one rule for opening, not two",
                "either `failure_ratio` or `success_rate`",
            )),
            (None, None, None) => Err(Wrong::new(
                "a breaker needs a rule for opening",
                "`failure_ratio`, `consecutive` or `success_rate`",
            )),
        }
    }

    fn ratio(&self, ratio: f64, span: Span, minimum: u32) -> Result<Trip, Wrong> {
        let buckets = self.buckets.unwrap_or(10);
        let window = match self.window_calls {
            Some(calls) => Window::Calls(calls),
            None if span.0 < u64::from(buckets) => {
                let what = "the window has more parts than nanoseconds";
                return Err(Wrong::new(what, "a longer window").at("window"));
            }
            None => {
                let rotation = self.rotation.unwrap_or(Rotation::WithTraffic);
                Window::Time { span, buckets, rotation }
            }
        };
        let slow = match (self.slow_call, self.slow_ratio) {
            (None, None) => None,
            (longer_than, ratio) => Some(Slow {
                longer_than: needed(longer_than, "slow_call")?,
                ratio: needed(ratio, "slow_ratio")?,
            }),
        };
        Ok(Trip::Ratio {
            window,
            minimum,
            ratio,
            comparison: self.comparison.unwrap_or(Comparison::AtLeast),
            on_success: self.on_success.unwrap_or_default(),
            slow,
            every: self.every,
            consecutive: self.consecutive,
        })
    }
}

/// Weights decay by whole milliseconds.
fn smooth_window(window: Span) -> Result<(), Wrong> {
    if window >= Span::from_millis(5) {
        return Ok(());
    }
    Err(Wrong::new("the weights would decay at once", "at least 5ms").at("window"))
}

impl From<Breaker> for BreakerKeys {
    fn from(breaker: Breaker) -> BreakerKeys {
        BreakerKeys {
            failures: Some(breaker.failures),
            soft: Some(breaker.soft),
            ignored: Some(breaker.ignored),
            open_for: Some(breaker.open_for),
            strictly_after: Some(breaker.strictly_after),
            by_timer: Some(breaker.by_timer),
            probes: Some(breaker.probes.limit),
            probes_at_once: Some(breaker.probes.at_once),
            probes_queue: Some(breaker.probes.queue),
            half_open_for: breaker.half_open_for,
            proof: Some(breaker.probes.proof),
            unheard: Some(breaker.unheard),
            hears_late: Some(breaker.hears_late),
            hears_replies_after_timeout: Some(breaker.hears_replies_after_timeout),
            on_close: Some(breaker.on_close),
            counts_at_start: Some(breaker.counts_at_start),
            around: Some(breaker.around),
            initial: Some(breaker.initial),
            ..BreakerKeys::from(breaker.trip)
        }
    }
}

/// A rule for opening alone.
impl From<Trip> for BreakerKeys {
    fn from(trip: Trip) -> BreakerKeys {
        let nothing = BreakerKeys::default();
        match trip {
            Trip::Consecutive { failures } => {
                BreakerKeys { consecutive: Some(failures), ..nothing }
            }
            Trip::SuccessRate { least, minimum, window } => BreakerKeys {
                success_rate: Some(least),
                minimum: Some(minimum),
                window: Some(window),
                ..nothing
            },
            Trip::Either { failures, least, minimum, window } => BreakerKeys {
                consecutive: Some(failures),
                ..BreakerKeys::from(Trip::SuccessRate { least, minimum, window })
            },
            Trip::Ratio {
                window,
                minimum,
                ratio,
                comparison,
                on_success,
                slow,
                every,
                consecutive,
            } => {
                let window = match window {
                    Window::Calls(calls) => BreakerKeys { window_calls: Some(calls), ..nothing },
                    Window::Time { span, buckets, rotation } => BreakerKeys {
                        window: Some(span),
                        buckets: Some(buckets),
                        rotation: Some(rotation),
                        ..nothing
                    },
                };
                BreakerKeys {
                    failure_ratio: Some(ratio),
                    minimum: Some(minimum),
                    comparison: Some(comparison),
                    on_success: Some(on_success),
                    slow_call: slow.map(|Slow { longer_than, .. }| longer_than),
                    slow_ratio: slow.map(|Slow { ratio, .. }| ratio),
                    every,
                    consecutive,
                    ..window
                }
            }
        }
    }
}
