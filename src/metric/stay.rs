//! Stays: how long what callers asked for was at a node, and how many were there at once.

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;
use super::recorder::Measure;
use crate::kernel::time::{Span, Time};

/// What was seen of the attempts of the load at the nodes that they came to.
///
/// Averages over time are taken from the first counted arrival (`warm_up`) to the last arrival: the
/// length of all stays in that time, divided by it. That is the average of a number in the system
/// (Stidham: "A last word on L = lambda W", Operations Research 22, 1974).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Stays {
    /// First attempts of calls, and further ones, that came after the warm-up.
    pub arrived: [u64; 2],
    /// See `arrived`: those that no worker took up.
    pub refused: [u64; 2],
    /// Those that had to wait for a worker, whether they got one or not.
    pub queued: u64,
    /// How long attempts waited that a worker took up or that waited in vain.
    pub wait: Histogram,
    /// The sum of these waits, in nanoseconds.
    pub wait_total: u128,
    /// How many were at work or waiting at the instance, as each found on its arrival.
    pub found: Histogram,
    /// How long attempts waited between the warm-up and the last arrival, in nanoseconds.
    pub waiting: u128,
    /// How long workers were taken by them in that time, in nanoseconds.
    pub working: u128,
    /// How long measured requests were without an answer in that time, in nanoseconds.
    pub in_flight: u128,
}

/// One stay of an attempt at a node, which has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stay {
    /// Which attempt of its call, from 1.
    pub(super) attempt: u32,
    /// When it came.
    pub(super) arrived: Time,
    /// When a worker took it up.
    pub(super) begun: Option<Time>,
    /// How many were there already.
    pub(super) found: u32,
}

impl Stays {
    /// Counts a stay that ends now.
    pub(super) fn count(&mut self, measure: &Measure, now: Time, stay: Stay) {
        let waited_until = stay.begun.unwrap_or(now);
        self.waiting += overlap(measure, stay.arrived, waited_until);
        if let Some(begun) = stay.begun {
            self.working += overlap(measure, begun, now);
        }
        if stay.arrived < measure.warm_up {
            return;
        }
        let again = usize::from(stay.attempt > 1);
        let wait = waited_until.since(stay.arrived);
        self.arrived[again] += 1;
        self.refused[again] += u64::from(stay.begun.is_none());
        self.queued += u64::from(wait > Span::ZERO);
        self.found.record(Span(u64::from(stay.found)));
        if stay.begun.is_some() || wait > Span::ZERO {
            self.wait.record(wait);
            self.wait_total += u128::from(wait.0);
        }
    }

    /// Counts a request without an answer from `started` until now.
    pub(super) fn count_request(&mut self, measure: &Measure, started: Time, now: Time) {
        self.in_flight += overlap(measure, started, now);
    }

    /// The mean wait of an attempt.
    #[must_use]
    pub fn mean_wait(&self) -> Option<Span> {
        let count = u128::from(self.wait.total());
        (count > 0).then(|| Span((self.wait_total / count) as u64))
    }

    /// The share of attempts that had to wait for a worker.
    #[must_use]
    pub fn queued_ratio(&self) -> Option<f64> {
        let arrived = self.arrived[0] + self.arrived[1];
        (arrived > 0).then(|| self.queued as f64 / arrived as f64)
    }

    /// The share that no worker took up, of first attempts (0) or of further ones (1).
    #[must_use]
    pub fn refused_ratio(&self, again: usize) -> Option<f64> {
        let arrived = self.arrived[again];
        (arrived > 0).then(|| self.refused[again] as f64 / arrived as f64)
    }
}

impl Measure {
    /// For how long is measured: from the end of the warm-up to the last arrival.
    #[must_use]
    pub fn measured_for(&self) -> Span {
        self.arrivals_end.since(self.warm_up)
    }

    /// An average over the measured time of something that lasted so many nanoseconds in all.
    #[must_use]
    pub fn average(&self, nanoseconds: u128) -> f64 {
        nanoseconds as f64 / self.measured_for().0 as f64
    }
}

/// The part of a stretch of time that lies in the measured time, in nanoseconds.
fn overlap(measure: &Measure, from: Time, until: Time) -> u128 {
    let (from, until) = (from.max(measure.warm_up), until.min(measure.arrivals_end));
    u128::from(until.0.saturating_sub(from.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::RecoveryRule;

    #[test]
    fn stays_count_in_the_measured_time_only() {
        let measure = Measure {
            operation: None,
            load: None,
            window: Span::from_secs(1),
            recovery: RecoveryRule::default(),
            faults: None,
            arrivals_end: Time(100),
            warm_up: Time(10),
        };
        let mut stays = Stays::default();
        let stay = |attempt, arrived, begun: Option<u64>| Stay {
            attempt,
            arrived: Time(arrived),
            begun: begun.map(Time),
            found: 2,
        };
        stays.count(&measure, Time(20), stay(1, 0, Some(15)));
        stays.count(&measure, Time(130), stay(1, 30, Some(70)));
        stays.count(&measure, Time(40), stay(2, 40, None));
        stays.count(&measure, Time(50), stay(2, 45, None));
        assert_eq!((stays.waiting, stays.working), (5 + 40 + 5, 5 + 30));
        assert_eq!((stays.arrived, stays.refused, stays.queued), ([1, 2], [0, 2], 2));
        assert_eq!(stays.mean_wait(), Some(Span(22)));
        assert_eq!(stays.refused_ratio(1), Some(1.0));
        assert_eq!(measure.average(stays.waiting), 50.0 / 90.0);
    }
}
