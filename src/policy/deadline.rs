//! Deadline propagation: what a caller leaves to those that it calls.

use crate::kernel::time::{Span, Time};

/// The rule of one hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Propagation {
    /// What the hop keeps for itself of what its caller left it.
    pub margin: Span,
}

impl Propagation {
    /// The deadline of a call made at `now`: the earlier of its own timeout and of what its
    /// caller left, less the margin (gRPC `grpc-timeout`; Google SRE book, chapter 22).
    #[must_use]
    pub fn child(&self, now: Time, own: Option<Span>, parent: Option<Time>) -> Option<Time> {
        let own = own.map(|own| now + own);
        let left = parent.map(|parent| Time(parent.0.saturating_sub(self.margin.0)));
        match (own, left) {
            (Some(own), Some(left)) => Some(own.min(left)),
            (own, left) => own.or(left),
        }
    }

    /// Whether work that is about to start can still be of use, if it takes `least` at least.
    #[must_use]
    pub fn worth_starting(&self, now: Time, deadline: Option<Time>, least: Span) -> bool {
        deadline.is_none_or(|deadline| now + least < deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_never_outlives_its_parent() {
        let rule = Propagation { margin: Span(10) };
        let now = Time(1_000);
        assert_eq!(rule.child(now, Some(Span(50)), Some(Time(1_030))), Some(Time(1_020)));
        assert_eq!(rule.child(now, Some(Span(15)), Some(Time(1_030))), Some(Time(1_015)));
        assert_eq!(rule.child(now, None, Some(Time(1_030))), Some(Time(1_020)));
        assert_eq!(rule.child(now, None, None), None);
        assert!(rule.worth_starting(now, Some(Time(1_006)), Span(5)));
        assert!(!rule.worth_starting(now, Some(Time(1_005)), Span(5)));
    }
}
