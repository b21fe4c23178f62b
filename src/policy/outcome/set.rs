//! Sets of outcomes: what is retried, or what a breaker counts as a failure.

use super::{NUMBERS, Outcome, OutcomeKind};

/// A set of outcomes, a bit for each number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeSet([u64; WORDS]);

const WORDS: usize = NUMBERS.div_ceil(64) as usize;

impl OutcomeSet {
    /// No outcome.
    pub const NONE: OutcomeSet = OutcomeSet([0; WORDS]);
    /// All that is of the kind `Failed`.
    pub const FAILED: OutcomeSet = OutcomeSet::kinds(&[OutcomeKind::Failed]);
    /// All that is of the kind `Rejected`.
    pub const REJECTED: OutcomeSet = OutcomeSet::kinds(&[OutcomeKind::Rejected]);
    /// All that is of the kind `Throttled`.
    pub const THROTTLED: OutcomeSet = OutcomeSet::kinds(&[OutcomeKind::Throttled]);
    /// Silence: all that is of the kind `TimedOut`.
    pub const TIMED_OUT: OutcomeSet = OutcomeSet::kinds(&[OutcomeKind::TimedOut]);
    /// All that is of the kind `Conflict`.
    pub const CONFLICT: OutcomeSet = OutcomeSet::kinds(&[OutcomeKind::Conflict]);
    /// All that is of the kind `Invalid`.
    pub const INVALID: OutcomeSet = OutcomeSet::kinds(&[OutcomeKind::Invalid]);
    /// What may go away by itself: failed, rejected, throttled and timed out.
    pub const TRANSIENT: OutcomeSet = OutcomeSet::FAILED
        .or(OutcomeSet::REJECTED)
        .or(OutcomeSet::THROTTLED)
        .or(OutcomeSet::TIMED_OUT);
    /// Everything but `Ok`.
    pub const ERRORS: OutcomeSet =
        OutcomeSet::TRANSIENT.or(OutcomeSet::CONFLICT).or(OutcomeSet::INVALID);
    /// What goes wrong with a connection: not made, or broken before or after the request.
    pub const NETWORK: OutcomeSet = OutcomeSet::of(&[
        Outcome::NotConnected,
        Outcome::RefusedStream,
        Outcome::ResetBeforeRequest,
        Outcome::Reset,
    ]);
    /// The answers HTTP 500 to 599.
    pub const SERVER_ERRORS: OutcomeSet = OutcomeSet::http_range(500, 599);

    /// The set of exactly these outcomes.
    #[must_use]
    pub const fn of(outcomes: &[Outcome]) -> OutcomeSet {
        let mut set = OutcomeSet::NONE;
        let mut index = 0;
        while index < outcomes.len() {
            set = set.with(outcomes[index]);
            index += 1;
        }
        set
    }

    /// The set of all outcomes of these kinds.
    #[must_use]
    pub const fn kinds(kinds: &[OutcomeKind]) -> OutcomeSet {
        let mut set = OutcomeSet::NONE;
        let mut number = 0;
        while number < NUMBERS {
            if let Some(outcome) = Outcome::of_number(number) {
                let mut index = 0;
                while index < kinds.len() {
                    if kinds[index] as u8 == outcome.kind() as u8 {
                        set = set.with(outcome);
                    }
                    index += 1;
                }
            }
            number += 1;
        }
        set
    }

    /// The set of these HTTP statuses; a number that is no error of HTTP is left out.
    #[must_use]
    pub const fn http(statuses: &[u16]) -> OutcomeSet {
        let mut set = OutcomeSet::NONE;
        let mut index = 0;
        while index < statuses.len() {
            if let Some(outcome) = Outcome::http(statuses[index]) {
                set = set.with(outcome);
            }
            index += 1;
        }
        set
    }

    /// The set of the HTTP statuses from one to another, both included.
    #[must_use]
    pub const fn http_range(first: u16, last: u16) -> OutcomeSet {
        let mut set = OutcomeSet::NONE;
        let mut status = first;
        while status <= last {
            set = set.or(OutcomeSet::http(&[status]));
            status += 1;
        }
        set
    }

    /// The set with `outcome` in it.
    #[must_use]
    pub const fn with(mut self, outcome: Outcome) -> OutcomeSet {
        let number = outcome.number() as usize;
        self.0[number / 64] |= 1 << (number % 64);
        self
    }

    /// The set with `outcome` not in it.
    #[must_use]
    pub const fn without(mut self, outcome: Outcome) -> OutcomeSet {
        let number = outcome.number() as usize;
        self.0[number / 64] &= !(1 << (number % 64));
        self
    }

    /// All that is in one set or in the other.
    #[must_use]
    pub const fn or(mut self, other: OutcomeSet) -> OutcomeSet {
        let mut word = 0;
        while word < WORDS {
            self.0[word] |= other.0[word];
            word += 1;
        }
        self
    }

    /// All that is in this set and not in the other.
    #[must_use]
    pub const fn less(mut self, other: OutcomeSet) -> OutcomeSet {
        let mut word = 0;
        while word < WORDS {
            self.0[word] &= !other.0[word];
            word += 1;
        }
        self
    }

    /// Whether `outcome` is in the set.
    #[inline]
    #[must_use]
    pub const fn contains(self, outcome: Outcome) -> bool {
        let number = outcome.number() as usize;
        self.0[number / 64] & 1 << (number % 64) != 0
    }

    /// Whether all of `other` is in the set.
    #[must_use]
    pub fn includes(self, other: OutcomeSet) -> bool {
        other.less(self).is_empty()
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == OutcomeSet::NONE
    }

    /// The outcomes in the set, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Outcome> {
        let known = (0..NUMBERS).filter_map(Outcome::of_number);
        known.filter(move |&outcome| self.contains(outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = OutcomeSet::of(&[Outcome::Failed, Outcome::Conflict]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Outcome::Failed, Outcome::Conflict]);
        assert_eq!(set.without(Outcome::Failed), OutcomeSet::of(&[Outcome::Conflict]));
        assert!(OutcomeSet::FAILED.includes(OutcomeSet::of(&[Outcome::Reset, Outcome::Failed])));
        assert!(!OutcomeSet::FAILED.includes(OutcomeSet::of(&[Outcome::Reset, Outcome::Ok])));
    }

    #[test]
    fn every_error_is_of_one_kind() {
        assert!(!OutcomeSet::ERRORS.contains(Outcome::Ok));
        let kinds = OutcomeKind::ALL.map(|kind| OutcomeSet::kinds(&[kind]));
        for outcome in OutcomeSet::ERRORS.iter() {
            let of = kinds.iter().filter(|set| set.contains(outcome)).count();
            assert_eq!(of, 1, "{outcome:?}");
        }
        assert_eq!(OutcomeSet::SERVER_ERRORS.iter().count(), 100);
    }
}
