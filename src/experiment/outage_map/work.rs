//! How old the work in queues is when it is done with.

use crate::kernel::time::{Span, Time};
use crate::system::Observer;
use crate::system::fact::{Fact, Waiting};

/// Work in queues is late if one in a hundred messages is done with so much later than without the
/// failure: what a message waits for a retry or a poll is shorter.
const LATE: Span = Span::from_secs(5);
/// One in so many: the oldest message of all tells of one mishap.
const OF: usize = 100;

/// Notes how old each message is when it is done with, or when the run ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    ages: Vec<Span>,
}

impl Work {
    /// By how much later one in a hundred messages is done with than in the other run; zero if that
    /// is not late.
    pub(super) fn later_than(&self, other: &Work) -> Span {
        let later = self.old().0.saturating_sub(other.old().0);
        if Span(later) >= LATE { Span(later) } else { Span::ZERO }
    }

    /// The age that one in a hundred messages has or exceeds.
    fn old(&self) -> Span {
        let mut ages = self.ages.clone();
        ages.sort_unstable();
        let above = ages.len() / OF;
        ages.len().checked_sub(above + 1).map_or(Span::ZERO, |place| ages[place])
    }
}

impl Observer for Work {
    fn observe(&mut self, now: Time, fact: &Fact) {
        if let Fact::Acknowledged { since, .. }
        | Fact::DeadLettered { since, .. }
        | Fact::Expired { since, .. }
        | Fact::Unprocessed(Waiting { since, .. }) = *fact
        {
            self.ages.push(now.since(since));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(late: usize, of: usize) -> Work {
        let age = |number: usize| Span::from_secs(if number < late { 9 } else { 1 });
        Work { ages: (0..of).map(age).collect() }
    }

    #[test]
    fn work_is_late_if_one_in_a_hundred_messages_is() {
        let usual = work(0, 200);
        assert_eq!(work(2, 200).later_than(&usual), Span::ZERO, "two of 200 are a mishap");
        assert_eq!(work(3, 200).later_than(&usual), Span::from_secs(8));
        assert_eq!(work(3, 200).later_than(&work(3, 200)), Span::ZERO);
        assert_eq!(Work::default().later_than(&usual), Span::ZERO, "nothing was done");
    }
}
