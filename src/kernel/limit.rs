//! Limits: every run ends, and how it ended is a result with a name.

use serde::{Deserialize, Serialize};

use super::time::Time;

/// What a run may use up before it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The virtual time at which the run is complete.
    pub horizon: Time,
    /// Most events that may be dispatched.
    pub events: u64,
    /// Most events, work and messages that may be pending at once: bounds the memory of a run.
    pub pending: usize,
    /// Most events that may be dispatched without virtual time moving, beside a hundred for each
    /// thing that is pending.
    pub instant: u64,
}

impl Limits {
    /// The default limits with the given horizon: a billion events, eight million pending, a
    /// million in one instant.
    ///
    /// Eight million is room for a million users at once: each has a flow, a call, a request that
    /// is handled and one or two events to come.
    #[must_use]
    pub fn until(horizon: Time) -> Limits {
        Limits { horizon, events: 1_000_000_000, pending: 8_000_000, instant: 1_000_000 }
    }
}

/// So many events in one instant are no livelock for each thing that was pending in it: it goes
/// through that many steps at most if no step takes any time. A call is about four of them.
const INSTANT_PER_PENDING: u64 = 100;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Ending {
    /// It reached its horizon, or nothing was left to happen.
    Complete,
    /// It dispatched too many events.
    EventLimit,
    /// Too much was pending at once.
    QueueLimit,
    /// Virtual time stood still: events kept causing events in the same instant.
    Livelock,
    /// Something was lost without a trace: what came in neither went out nor was still there.
    Imbalance,
}

impl Ending {
    /// The name used in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Ending::Complete => "complete",
            Ending::EventLimit => "event-limit",
            Ending::QueueLimit => "queue-limit",
            Ending::Livelock => "livelock",
            Ending::Imbalance => "imbalance",
        }
    }
}

/// Counts events against [`Limits`].
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    limits: Limits,
    events: u64,
    now: Time,
    in_this_instant: u64,
    /// Most that was pending in this instant.
    pending_in_this_instant: u64,
}

impl Meter {
    /// A meter at the start of a run.
    #[must_use]
    pub fn new(limits: Limits) -> Meter {
        Meter { limits, events: 0, now: Time::ZERO, in_this_instant: 0, pending_in_this_instant: 0 }
    }

    /// Counts one event at `now` with `pending` more to come; returns the limit that it broke.
    #[inline]
    pub fn count(&mut self, now: Time, pending: usize) -> Option<Ending> {
        self.events += 1;
        if now != self.now {
            (self.in_this_instant, self.pending_in_this_instant) = (0, 0);
        }
        self.now = now;
        self.in_this_instant += 1;
        self.pending_in_this_instant = self.pending_in_this_instant.max(pending as u64);
        if self.events > self.limits.events {
            return Some(Ending::EventLimit);
        }
        if pending > self.limits.pending {
            return Some(Ending::QueueLimit);
        }
        if self.in_this_instant <= self.limits.instant {
            return None;
        }
        let allowance = INSTANT_PER_PENDING.saturating_mul(self.pending_in_this_instant);
        let most = self.limits.instant.saturating_add(allowance);
        (self.in_this_instant > most).then_some(Ending::Livelock)
    }

    /// The virtual time at which the run is complete.
    #[must_use]
    pub fn horizon(&self) -> Time {
        self.limits.horizon
    }

    /// How many events were counted.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_its_own_ending() {
        let limits = Limits { horizon: Time(100), events: 10, pending: 5, instant: 3 };
        let ending = |pending: usize, step: u64| {
            let mut meter = Meter::new(limits);
            (0..20).find_map(|event| meter.count(Time(event * step), pending))
        };
        assert_eq!(ending(0, 1), Some(Ending::EventLimit));
        assert_eq!(ending(6, 1), Some(Ending::QueueLimit));
        assert_eq!(ending(0, 0), Some(Ending::Livelock));
    }

    #[test]
    fn a_crowd_in_one_instant_is_no_livelock_and_what_stays_in_it_is() {
        let limits = Limits { instant: 10, ..Limits::until(Time(100)) };
        // A hundred are there at once; each goes through fifty steps and is gone.
        let mut crowd = Meter::new(limits);
        let pending = (0..100_usize).rev().flat_map(|left| [left; 50]);
        assert_eq!(pending.into_iter().find_map(|left| crowd.count(Time(1), left)), None);
        // Two that keep causing each other are found out.
        let mut pair = Meter::new(limits);
        assert_eq!((0..211).find_map(|_| pair.count(Time(1), 2)), Some(Ending::Livelock));
        // The crowd of an earlier instant counts no more.
        assert_eq!((0..211).find_map(|_| crowd.count(Time(2), 2)), Some(Ending::Livelock));
    }
}
