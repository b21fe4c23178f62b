//! Stays: how long what callers asked for was at a node, and how many were there at once.

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;
use super::measure::Measure;
use crate::kernel::time::{Span, Time};
use crate::system::fact::Stay;

/// What was seen of the attempts of the load at the nodes that they came to, on behalf of measured
/// requests; who is still there when the run ends included.
///
/// Averages over time are taken from the first counted arrival (`warm_up`) to the last arrival: the
/// length of all stays in that time, also of those that began before, divided by it. That is the
/// average of a number in the system (Stidham: "A last word on L = lambda W", Operations Research
/// 22, 1974).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Stays {
    /// First attempts of calls, and further ones.
    pub arrived: [u64; 2],
    /// See `arrived`: those that left without a worker's taking them up.
    pub refused: [u64; 2],
    /// Those that had to wait for a worker, whether they got one or not.
    pub queued: u64,
    /// How long attempts waited that a worker took up or that waited in vain.
    pub wait: Histogram,
    /// The sum of these waits, in nanoseconds.
    pub wait_total: u128,
    /// How long those had waited so far that still did when the run ended.
    pub waits_so_far: Histogram,
    /// How many were at work or waiting at the instance, as each found on its arrival.
    pub found: Histogram,
    /// How long attempts waited between the warm-up and the last arrival, in nanoseconds.
    pub waiting: u128,
    /// How long workers were taken by them in that time, in nanoseconds.
    pub working: u128,
    /// How long measured requests were without an answer in that time, in nanoseconds.
    pub in_flight: u128,
}

impl Stays {
    /// Counts a stay that ends now, or of which the end of the run is not the end.
    pub(super) fn count(&mut self, measure: &Measure, now: Time, stay: &Stay, goes_on: bool) {
        if !measure.is_about(stay.asked) {
            return;
        }
        let waited_until = stay.begun.unwrap_or(now);
        self.waiting += overlap(measure, stay.arrived, waited_until);
        if let Some(begun) = stay.begun {
            self.working += overlap(measure, begun, now);
        }
        if !measure.counts(stay.asked) {
            return;
        }
        let again = usize::from(stay.attempt > 1);
        let still_waits = goes_on && stay.begun.is_none();
        let wait = waited_until.since(stay.arrived);
        self.arrived[again] += 1;
        self.refused[again] += u64::from(stay.begun.is_none() && !still_waits);
        self.queued += u64::from(wait > Span::ZERO || still_waits);
        self.found.record(Span(u64::from(stay.found)));
        if still_waits {
            self.waits_so_far.record(wait);
        } else if stay.begun.is_some() || wait > Span::ZERO {
            self.wait.record(wait);
            self.wait_total += u128::from(wait.0);
        }
    }

    /// Counts a request without an answer from `started` until now.
    pub(super) fn count_request(&mut self, measure: &Measure, started: Time, now: Time) {
        self.in_flight += overlap(measure, started, now);
    }

    /// The mean wait of an attempt; `None` if more than 1 of 100 waits went on when the run ended:
    /// nobody knows for how long.
    #[must_use]
    pub fn mean_wait(&self) -> Option<Span> {
        let count = self.wait.total();
        let is_known = self.waits_so_far.total() * 100 <= count;
        (count > 0 && is_known).then(|| Span((self.wait_total / u128::from(count)) as u64))
    }

    /// All waits, those that went on when the run ended as long as they were then.
    #[must_use]
    pub fn waits(&self) -> Histogram {
        let mut all = self.wait.clone();
        all.add(&self.waits_so_far);
        all
    }

    /// A quantile of the waits. Those that went on when the run ended are at least as long as they
    /// were then: `None` if that leaves the quantile open by more than a twentieth.
    #[must_use]
    pub fn wait_quantile(&self, p: f64) -> Option<Span> {
        let all = self.waits();
        let least = all.quantile(p)?;
        // If each of them went on for ever.
        let share = p * all.total() as f64 / self.wait.total().max(1) as f64;
        let most = (share <= 1.0).then(|| self.wait.quantile(share)).flatten()?;
        ((most - least).0 <= least.0 / 20).then_some(least)
    }

    /// The share of attempts that had to wait for a worker.
    #[must_use]
    pub fn queued_ratio(&self) -> Option<f64> {
        let arrived = self.arrived[0] + self.arrived[1];
        (arrived > 0).then(|| self.queued as f64 / arrived as f64)
    }

    /// The share that left without a worker's taking them up, of all first attempts (0) or further
    /// ones (1) that came.
    #[must_use]
    pub fn refused_ratio(&self, again: usize) -> Option<f64> {
        let arrived = self.arrived[again];
        (arrived > 0).then(|| self.refused[again] as f64 / arrived as f64)
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
    use crate::model::program::{EdgeId, OperationId};
    use crate::system::fact::Asked;

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
            edge: EdgeId(0),
            attempt,
            asked: Asked { operation: OperationId(0), at: Time(arrived) },
            arrived: Time(arrived),
            begun: begun.map(Time),
            found: 2,
        };
        stays.count(&measure, Time(20), &stay(1, 0, Some(15)), false);
        stays.count(&measure, Time(130), &stay(1, 30, Some(70)), false);
        stays.count(&measure, Time(40), &stay(2, 40, None), false);
        stays.count(&measure, Time(50), &stay(2, 45, None), false);
        assert_eq!((stays.waiting, stays.working), (5 + 40 + 5, 5 + 30));
        assert_eq!((stays.arrived, stays.refused, stays.queued), ([1, 2], [0, 2], 2));
        assert_eq!(stays.mean_wait(), Some(Span(22)));
        assert_eq!(stays.refused_ratio(1), Some(1.0));
        assert_eq!(measure.average(stays.waiting), 50.0 / 90.0);
        // Who is still there is in the averages and in what came, but was not refused.
        stays.count(&measure, Time(150), &stay(2, 60, None), true);
        assert_eq!((stays.waiting, stays.arrived, stays.refused), (50 + 40, [1, 3], [0, 2]));
        assert_eq!((stays.refused_ratio(1), stays.mean_wait()), (Some(2.0 / 3.0), None));
    }

    #[test]
    fn a_wait_that_goes_on_leaves_open_only_the_quantiles_that_it_can_move() {
        let mut stays = Stays::default();
        (1..=1000).for_each(|millis| stays.wait.record(Span::from_millis(millis)));
        let all = stays.wait_quantile(0.99).unwrap().millis();
        assert!((all / 990.0 - 1.0).abs() < 0.01, "{all}");
        // They are above it already.
        (0..9).for_each(|_| stays.waits_so_far.record(Span::from_millis(5_000)));
        assert!(stays.wait_quantile(0.99).is_some());
        // They are below the percentile, and may come to be above it.
        (0..9).for_each(|_| stays.waits_so_far.record(Span::from_millis(1)));
        assert_eq!(stays.wait_quantile(0.99), None);
        assert!(stays.wait_quantile(0.5).is_some());
    }
}
