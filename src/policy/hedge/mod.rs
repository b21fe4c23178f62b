//! Hedging: a second copy of a slow request, and the first good answer wins.
//!
//! Dean, Barroso: "The Tail at Scale" (CACM 2013); gRFC A6 `hedgingPolicy`; tower
//! (`tower/src/hedge`); Finagle `BackupRequestFilter`; Polly `HedgingStrategyOptions`.

mod quantile;
mod text;

pub use quantile::{Quantile, QuantileState};
pub use text::HedgeKeys;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget::{Budget, BudgetState, Share};
use super::outcome::{Outcome, OutcomeSet, Response};
use crate::kernel::time::{Span, Time};

/// How long to wait for an answer before the next copy is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum After {
    /// Always this long.
    Fixed(Span),
    /// As long as most requests lately took.
    Quantile(Quantile),
}

/// The rule of hedging.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(try_from = "HedgeKeys", into = "HedgeKeys")]
pub struct Hedge {
    /// How many copies may be sent beside the first one.
    pub extra: u32,
    /// When the next copy is sent.
    pub after: After,
    /// After which outcomes the next copy is sent at once; any other error ends the call.
    pub at_once_on: OutcomeSet,
    /// What limits extra copies over many calls; the cost is that of a retry.
    pub budget: Option<Budget>,
}

/// What hedging remembers across calls.
#[derive(Clone, Debug, PartialEq)]
pub struct HedgeState {
    quantile: Option<QuantileState>,
    budget: Option<BudgetState>,
}

/// What hedging remembers of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copies {
    sent: u32,
    running: u32,
    /// How many slots of a budget of concurrent retries its copies hold.
    slots: u32,
}

/// What to do after one copy came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterCopy {
    /// It is the answer: cancel the other copies.
    Win,
    /// Ask [`Hedge::next`] after this long.
    Next {
        /// Zero, or what the server asked for.
        after: Span,
    },
    /// The call failed with this outcome: cancel the other copies.
    Fail,
}

/// What to do some time after a copy failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send the next copy now.
    Send,
    /// Wait for the copies that are running.
    Wait,
    /// Nothing runs and nothing may be sent: the call failed.
    Fail,
}

impl Hedge {
    /// A fresh state for one scope.
    #[must_use]
    pub fn state(&self) -> HedgeState {
        let quantile = match &self.after {
            After::Fixed(_) => None,
            After::Quantile(rule) => Some(rule.state()),
        };
        HedgeState { quantile, budget: self.budget.as_ref().map(Budget::state) }
    }

    /// A call sends its first copy.
    pub fn begin(&self, state: &mut HedgeState, now: Time) -> Copies {
        if let (Some(budget), Some(state)) = (&self.budget, &mut state.budget) {
            budget.begin(state, &mut Share::default(), now);
        }
        Copies { sent: 1, running: 1, slots: 0 }
    }

    /// After how long without an answer, counted from the latest copy, the next one is due.
    #[must_use]
    pub fn due(&self, state: &HedgeState, copies: &Copies) -> Option<Span> {
        if copies.sent > self.extra {
            return None;
        }
        match (&self.after, &state.quantile) {
            (After::Fixed(span), _) => Some(*span),
            (After::Quantile(rule), Some(state)) => rule.value(state),
            (After::Quantile(_), None) => None,
        }
    }

    /// Sends the next copy if the number of copies and the budget allow it.
    pub fn send(&self, state: &mut HedgeState, copies: &mut Copies, now: Time) -> bool {
        if copies.sent > self.extra {
            return false;
        }
        let mut share = Share::default();
        if let (Some(budget), Some(state)) = (&self.budget, &mut state.budget)
            && !budget.withdraw(state, &mut share, Outcome::TimedOut, now)
        {
            return false;
        }
        copies.slots += u32::from(share.slot);
        copies.sent += 1;
        copies.running += 1;
        true
    }

    /// One copy came back after `took`.
    pub fn back(
        &self,
        state: &mut HedgeState,
        copies: &mut Copies,
        response: Response,
        took: Span,
        now: Time,
    ) -> AfterCopy {
        copies.running -= 1;
        if let (After::Quantile(rule), Some(state)) = (&self.after, &mut state.quantile) {
            rule.record(state, took, now);
        }
        let goes_on = self.at_once_on.contains(response.outcome);
        if let (Some(budget), Some(state)) = (&self.budget, &mut state.budget) {
            budget.observe(state, &mut Share::default(), response.outcome, goes_on, now);
        }
        if response.outcome == Outcome::Ok {
            AfterCopy::Win
        } else if response.forbids_retry || !goes_on {
            AfterCopy::Fail
        } else {
            AfterCopy::Next { after: response.hint.unwrap_or(Span::ZERO) }
        }
    }

    /// A copy beside the first one runs no longer, or could not start: its slot is free.
    pub fn leave(&self, state: &mut HedgeState, copies: &mut Copies) {
        if let (Some(budget), Some(state)) = (&self.budget, &mut state.budget)
            && copies.slots > 0
        {
            copies.slots -= 1;
            budget.end(state, &mut Share { slot: true, ..Share::default() }, false);
        }
    }

    /// The copies of a call are over, in whatever way: what they still hold is given back.
    pub fn end(&self, state: &mut HedgeState, mut copies: Copies) {
        while copies.slots > 0 {
            self.leave(state, &mut copies);
        }
        if let (Some(budget), Some(state)) = (&self.budget, &mut state.budget) {
            budget.end(state, &mut Share::default(), true);
        }
    }

    /// The time has come that [`Hedge::back`] had given. On [`Next::Send`] the copy is counted.
    pub fn next(&self, state: &mut HedgeState, copies: &mut Copies, now: Time) -> Next {
        if self.send(state, copies, now) {
            Next::Send
        } else if copies.running > 0 {
            Next::Wait
        } else {
            Next::Fail
        }
    }
}

impl HedgeState {
    /// What its budget is: some count what calls hold.
    #[must_use]
    pub fn budget(&self) -> Option<&BudgetState> {
        self.budget.as_ref()
    }
}

impl Copies {
    /// How many slots of a budget of concurrent retries they hold.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// A copy that was counted could not start.
    pub fn deny(&mut self) {
        self.running -= 1;
    }

    /// How many copies were sent.
    #[must_use]
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// How many copies have not come back.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_counted_and_the_last_failure_ends_the_call() {
        let rule = Hedge {
            extra: 1,
            after: After::Fixed(Span::from_millis(5)),
            at_once_on: OutcomeSet::TRANSIENT,
            budget: None,
        };
        let mut state = rule.state();
        let (now, took) = (Time::ZERO, Span::ZERO);
        let mut copies = rule.begin(&mut state, now);
        assert_eq!(rule.due(&state, &copies), Some(Span::from_millis(5)));
        assert!(rule.send(&mut state, &mut copies, now));
        assert_eq!(rule.due(&state, &copies), None);
        let failed = Response::new(Outcome::Failed);
        for expected in [Next::Wait, Next::Fail] {
            let step = rule.back(&mut state, &mut copies, failed, took, now);
            assert_eq!(step, AfterCopy::Next { after: Span::ZERO });
            assert_eq!(rule.next(&mut state, &mut copies, now), expected);
        }
    }
}
