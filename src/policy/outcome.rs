//! What came back from an attempt, and sets of such outcomes.

use crate::kernel::time::Span;

/// What came back from one attempt, as its caller sees it.
///
/// Whether the effect happened is another question: after `TimedOut` and `Failed` the caller
/// cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Outcome {
    /// The answer that was asked for.
    Ok = 0,
    /// A transient error: a broken connection, an HTTP 500, 502 or 504.
    Failed = 1,
    /// Refused before any work because the server is overloaded: HTTP 503, gRPC `UNAVAILABLE`.
    Rejected = 2,
    /// Refused because this caller asks too often: HTTP 429.
    Throttled = 3,
    /// No answer within the attempt's timeout.
    TimedOut = 4,
    /// The same work is in progress or in conflict: HTTP 409.
    Conflict = 5,
    /// A permanent error of the request itself: another HTTP 4xx.
    Invalid = 6,
}

/// How many kinds of outcome there are.
pub const OUTCOMES: usize = 7;

impl Outcome {
    /// Every outcome, in the order of its number.
    pub const ALL: [Outcome; OUTCOMES] = [
        Outcome::Ok,
        Outcome::Failed,
        Outcome::Rejected,
        Outcome::Throttled,
        Outcome::TimedOut,
        Outcome::Conflict,
        Outcome::Invalid,
    ];
}

/// A set of outcomes: what is retried, or what a breaker counts as a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeSet(u8);

impl OutcomeSet {
    /// No outcome.
    pub const NONE: OutcomeSet = OutcomeSet(0);
    /// What may go away by itself: `Failed`, `Rejected`, `Throttled` and `TimedOut`.
    pub const TRANSIENT: OutcomeSet = OutcomeSet::of(&[
        Outcome::Failed,
        Outcome::Rejected,
        Outcome::Throttled,
        Outcome::TimedOut,
    ]);
    /// Everything but `Ok`.
    pub const ERRORS: OutcomeSet =
        OutcomeSet::TRANSIENT.with(Outcome::Conflict).with(Outcome::Invalid);

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

    /// The set with `outcome` in it.
    #[must_use]
    pub const fn with(self, outcome: Outcome) -> OutcomeSet {
        OutcomeSet(self.0 | 1 << outcome as u8)
    }

    /// The set with `outcome` not in it.
    #[must_use]
    pub const fn without(self, outcome: Outcome) -> OutcomeSet {
        OutcomeSet(self.0 & !(1 << outcome as u8))
    }

    /// Whether `outcome` is in the set.
    #[must_use]
    pub const fn contains(self, outcome: Outcome) -> bool {
        self.0 & 1 << outcome as u8 != 0
    }

    /// The outcomes in the set, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Outcome> {
        Outcome::ALL.into_iter().filter(move |&outcome| self.contains(outcome))
    }
}

/// An outcome with what the server said about retrying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// What came back.
    pub outcome: Outcome,
    /// How long the server asks to wait: Retry-After, `grpc-retry-pushback-ms`.
    pub hint: Option<Span>,
    /// Whether the server forbids a retry: negative pushback, `Stripe-Should-Retry: false`.
    pub forbids_retry: bool,
}

impl Response {
    /// An outcome about which the server said nothing more.
    #[must_use]
    pub const fn new(outcome: Outcome) -> Response {
        Response { outcome, hint: None, forbids_retry: false }
    }

    /// The response with a server hint to wait for `hint`.
    #[must_use]
    pub const fn after(self, hint: Span) -> Response {
        Response { hint: Some(hint), ..self }
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
        assert!(!OutcomeSet::ERRORS.contains(Outcome::Ok));
        assert_eq!(OutcomeSet::ERRORS.iter().count(), OUTCOMES - 1);
    }
}
