//! Who judges a run, and what is said of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::fault::FaultText;
use crate::kernel::time::{Span, Time};
use crate::model::program::Program;
use crate::system::Observer;
use crate::system::fact::Fact;

/// A promise that is judged from the facts of one run.
pub trait Invariant {
    /// Takes note of a fact.
    fn observe(&mut self, now: Time, fact: &Fact);

    /// What it came to when the run has ended.
    fn tally(&self, judgement: Judgement) -> Tally;

    /// Itself, if it compares the run with the same run without a cause.
    fn compares(&mut self) -> Option<&mut dyn Compares> {
        None
    }
}

/// A promise about what differs between a run and the same run without a cause.
pub trait Compares {
    /// Takes note, before the run, of which of its faults are the cause; returns their numbers.
    fn cause(&mut self, faults: &[FaultText], program: &Program) -> BTreeSet<usize>;

    /// Who is to be told the facts of the run without the cause.
    fn without(&mut self) -> &mut dyn Observer;
}

/// When a run is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// When the last fault was over; the start of the run if there was none.
    pub healed: Time,
    /// What is due after this is not judged. A run that came to its end is judged until then
    /// (arrivals and drain), even if nothing happens any more long before.
    pub end: Time,
}

impl Judgement {
    /// By when something must be so that is promised within a time from `since` on; with
    /// `after_faults`, from the end of all faults if that is later.
    pub(super) fn due(self, since: Time, within: Span, after_faults: bool) -> Time {
        if after_faults { since.max(self.healed) + within } else { since + within }
    }
}

/// How often an invariant was broken, and how often it could have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often it was broken.
    pub violations: u64,
    /// How many operations could have broken it and were judged.
    pub exposure: u64,
    /// How many could have broken it and were not judged: their time was not up when the run ended.
    pub unjudged: u64,
    /// The earliest violation.
    pub first: Option<Violation>,
}

impl Tally {
    /// An operation could have broken it.
    pub fn exposed(&mut self) {
        self.exposure += 1;
    }

    /// An operation could have broken it, but the run ended before that could be said.
    pub fn not_judged(&mut self) {
        self.unjudged += 1;
    }

    /// It was broken.
    pub fn broken(&mut self, at: Time, order: Option<u64>) {
        self.violations += 1;
        if self.first.is_none_or(|first| at < first.at) {
            self.first = Some(Violation { at, order });
        }
    }
}

/// What a run says about one of the promises that its cell watches, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Verdict {
    /// How often it was broken.
    pub violations: u64,
    /// How many operations could have broken it and were judged.
    pub exposure: u64,
    /// How many could have broken it and were not judged: the run ended before that could be said.
    pub unjudged: u64,
    /// The first violation.
    pub first: Option<Violation>,
    /// Whether it is judged when a run has come to its end: a run that did not says nothing of it.
    pub at_end: bool,
}

/// An invariant was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Violation {
    /// When it became wrong or could no longer be kept, as `docs/invariants.md` says for each.
    pub at: Time,
    /// The order that it was broken for, where it is about one.
    pub order: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::super::fixture::at;
    use super::*;

    #[test]
    fn of_two_at_one_time_the_first_that_is_told_stays() {
        let mut tally = Tally::default();
        for (seconds, order) in [(5, 1), (5, 2), (6, 3)] {
            tally.broken(at(seconds), Some(order));
        }
        assert_eq!(tally.first, Some(Violation { at: at(5), order: Some(1) }));
        tally.broken(at(4), None);
        assert_eq!((tally.violations, tally.first.unwrap().at), (4, at(4)));
    }
}
