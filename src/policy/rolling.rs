//! Counts over the last calls or over the last seconds.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::{Span, Time};

/// How the buckets of a time window move on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// A bucket begins with the first call after the last one's time (Polly).
    WithTraffic,
    /// Buckets begin at multiples of their width (resilience4j, Hystrix, opossum).
    Aligned,
    /// Each call moves on by at most one bucket, however long the gap: old counts outlive the
    /// window when there is no traffic (cockatiel).
    OnePerCall,
    /// Each whole width since the current bucket began moves on by one bucket; the remainder of the
    /// time is dropped (Finagle and failsafe-rs `WindowedAdder`).
    Shifting,
}

/// How far back a window reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Over this many calls.
    Calls(u32),
    /// Over this time.
    Time {
        /// How long.
        span: Span,
        /// In how many buckets.
        buckets: u32,
        /// How they move.
        rotation: Rotation,
    },
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u32,
    pub(super) failed: u32,
    pub(super) slow: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bucket {
    start: Time,
    counts: Counts,
}

/// A ring of buckets with their running sum. One call is one bucket in a window over calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rolling {
    buckets: Box<[Bucket]>,
    current: usize,
    total: Counts,
}

impl Rolling {
    pub(super) fn new(window: Window) -> Rolling {
        let size = match window {
            Window::Calls(calls) => calls,
            Window::Time { buckets, .. } => buckets,
        };
        let buckets = vec![Bucket::default(); size.max(1) as usize].into_boxed_slice();
        Rolling { buckets, current: 0, total: Counts::default() }
    }

    pub(super) fn total(&self) -> Counts {
        self.total
    }

    pub(super) fn reset(&mut self, window: Window, now: Time) {
        self.buckets.fill(Bucket::default());
        self.current = 0;
        self.total = Counts::default();
        let start = match window {
            Window::Time { span, buckets, rotation: Rotation::Aligned } => {
                Time(now.0 - now.0 % (span.0 / u64::from(buckets)))
            }
            Window::Time { .. } => now,
            Window::Calls(_) => Time::ZERO,
        };
        self.buckets[0].start = start;
    }

    /// Counts a call that has only started.
    pub(super) fn count(&mut self, window: Window, now: Time) {
        self.advance(window, now);
        self.add(Counts { calls: 1, ..Counts::default() });
    }

    /// Counts a call with its result.
    pub(super) fn push(&mut self, window: Window, failed: bool, slow: bool, now: Time) {
        if let Window::Calls(_) = window {
            self.turn(now);
        }
        self.advance(window, now);
        let counts = Counts { calls: 1, failed: u32::from(failed), slow: u32::from(slow) };
        self.add(counts);
    }

    /// Counts a failure of a call that was counted when it started.
    pub(super) fn fail(&mut self, window: Window, now: Time) {
        self.advance(window, now);
        self.add(Counts { failed: 1, ..Counts::default() });
    }

    /// Drops what has left the window by `now`.
    pub(super) fn advance(&mut self, window: Window, now: Time) {
        let Window::Time { span, buckets, rotation } = window else { return };
        let width = span.0 / u64::from(buckets);
        let start = self.buckets[self.current].start;
        match rotation {
            Rotation::WithTraffic => {
                if now.since(start).0 >= width {
                    self.turn(now);
                }
                self.drop_before(now, span);
            }
            Rotation::OnePerCall => {
                if now.since(start).0 >= width {
                    self.turn(now);
                }
            }
            Rotation::Shifting => {
                for _ in 0..(now.since(start).0 / width).min(u64::from(buckets)) {
                    self.turn(now);
                }
            }
            Rotation::Aligned => {
                let behind = (now.0 / width).saturating_sub(start.0 / width);
                for step in 1..=behind.min(u64::from(buckets)) {
                    self.turn(Time((start.0 / width + step) * width));
                }
                if behind > 0 {
                    self.buckets[self.current].start = Time(now.0 / width * width);
                }
            }
        }
    }

    /// Empties every bucket that began `span` ago or earlier.
    fn drop_before(&mut self, now: Time, span: Span) {
        for index in 0..self.buckets.len() {
            if now.since(self.buckets[index].start) >= span {
                self.empty(index, self.buckets[index].start);
            }
        }
    }

    /// Makes the oldest bucket the current one, empty and starting at `start`.
    fn turn(&mut self, start: Time) {
        self.current = (self.current + 1) % self.buckets.len();
        self.empty(self.current, start);
    }

    fn empty(&mut self, index: usize, start: Time) {
        let gone = std::mem::replace(
            &mut self.buckets[index],
            Bucket { start, counts: Counts::default() },
        );
        self.total.calls -= gone.counts.calls;
        self.total.failed -= gone.counts.failed;
        self.total.slow -= gone.counts.slow;
    }

    fn add(&mut self, counts: Counts) {
        let bucket = &mut self.buckets[self.current].counts;
        for sum in [bucket, &mut self.total] {
            sum.calls += counts.calls;
            sum.failed += counts.failed;
            sum.slow += counts.slow;
        }
    }
}
