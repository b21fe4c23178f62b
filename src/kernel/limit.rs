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
    /// Most events that may be dispatched without virtual time moving.
    pub instant: u64,
}

impl Limits {
    /// The default limits with the given horizon: a billion events, two million pending, a million
    /// in one instant.
    #[must_use]
    pub fn until(horizon: Time) -> Limits {
        Limits { horizon, events: 1_000_000_000, pending: 2_000_000, instant: 1_000_000 }
    }
}

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
}

impl Meter {
    /// A meter at the start of a run.
    #[must_use]
    pub fn new(limits: Limits) -> Meter {
        Meter { limits, events: 0, now: Time::ZERO, in_this_instant: 0 }
    }

    /// Counts one event at `now` with `pending` more to come; returns the limit that it broke.
    pub fn count(&mut self, now: Time, pending: usize) -> Option<Ending> {
        self.events += 1;
        self.in_this_instant = if now == self.now { self.in_this_instant + 1 } else { 1 };
        self.now = now;
        if self.events > self.limits.events {
            return Some(Ending::EventLimit);
        }
        if pending > self.limits.pending {
            return Some(Ending::QueueLimit);
        }
        (self.in_this_instant > self.limits.instant).then_some(Ending::Livelock)
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
}
