//! How much was under way in the course of a run: requests without an answer, attempts at nodes,
//! and messages that were not done with. Latencies and throughput follow from it (Little: "A proof
//! for the queuing formula: L = lambda W", Operations Research 9, 1961).

use crate::kernel::time::{Span, Time};
use crate::system::Observer;
use crate::system::fact::{Fact, Waiting};

/// How much was in the system, for pieces of time of equal width.
#[derive(Clone, Debug)]
pub struct Presence {
    width: Span,
    /// For each piece, the time that stays which begin or end in it were in it, in nanoseconds.
    partly: Vec<u64>,
    /// By how much the number of stays that fill a whole piece changes from one piece to the next.
    change: Vec<i64>,
}

impl Presence {
    /// Nothing yet, in pieces of this width, from the start of the run until `end`.
    #[must_use]
    pub fn new(width: Span, end: Time) -> Presence {
        let pieces = (end.0 / width.0) as usize;
        Presence { width, partly: vec![0; pieces], change: vec![0; pieces + 1] }
    }

    /// Something was there from one time until another.
    pub(super) fn stayed(&mut self, from: Time, until: Time) {
        let pieces = self.partly.len() as u64;
        let until = until.min(Time(pieces * self.width.0));
        if from >= until {
            return;
        }
        let (first, last) = (from.0 / self.width.0, until.0 / self.width.0);
        if first == last {
            self.partly[first as usize] += until.0 - from.0;
            return;
        }
        self.partly[first as usize] += (first + 1) * self.width.0 - from.0;
        if last < pieces {
            self.partly[last as usize] += until.0 - last * self.width.0;
        }
        self.change[first as usize + 1] += 1;
        self.change[last as usize] -= 1;
    }

    /// How much was in the system in each piece, on average.
    #[must_use]
    pub fn averages(&self) -> Vec<f64> {
        let mut whole = 0;
        let average = |(&partly, &change): (&u64, &i64)| {
            whole += change;
            whole as f64 + partly as f64 / self.width.0 as f64
        };
        self.partly.iter().zip(&self.change).map(average).collect()
    }
}

impl Observer for Presence {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Fact::Answered { request, .. } | Fact::Unanswered(request) => {
                self.stayed(request.started, now);
            }
            Fact::Left(stay) | Fact::Staying(stay) => self.stayed(stay.arrived, now),
            Fact::Acknowledged { since, .. }
            | Fact::DeadLettered { since, .. }
            | Fact::Expired { since, .. }
            | Fact::MessageLost { since, .. }
            | Fact::Unprocessed(Waiting { since, .. }) => self.stayed(since, now),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_count_in_the_pieces_that_they_touch() {
        let mut presence = Presence::new(Span(10), Time(40));
        presence.stayed(Time(2), Time(7));
        presence.stayed(Time(5), Time(25));
        presence.stayed(Time(10), Time(20));
        presence.stayed(Time(38), Time(90));
        presence.stayed(Time(50), Time(60));
        assert_eq!(presence.averages(), [1.0, 2.0, 0.5, 0.2]);
    }
}
