//! What a job knows of its branches.

use crate::model::program::{Fork, ForkId};
use crate::policy::Outcome;

/// The fork that a job waits at, and what came of its branches.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::system) struct Forked {
    /// How many forks it has come to; branches of an earlier one are nobody's concern.
    round: u16,
    /// The fork that it waits at.
    fork: Option<ForkId>,
    succeeded: u16,
    failed: u16,
}

impl Forked {
    /// Comes to a fork; returns the round of its branches.
    pub(in crate::system) fn begin(&mut self, fork: ForkId) -> u16 {
        let round = self.round.wrapping_add(1);
        *self = Forked { round, fork: Some(fork), succeeded: 0, failed: 0 };
        round
    }

    /// The fork at which the job still waits for the branches of this round.
    pub(in crate::system) fn waits_at(self, round: u16) -> Option<ForkId> {
        self.fork.filter(|_| self.round == round)
    }

    /// Whether the job still waits for the branches of this round.
    pub(in crate::system) fn waits_for(self, round: u16) -> bool {
        self.waits_at(round).is_some()
    }

    /// Counts a branch that has ended; returns what the fork comes to once enough have succeeded or
    /// too many have failed, and waits for none of the others.
    pub(in crate::system) fn count(&mut self, outcome: Outcome, fork: &Fork) -> Option<Outcome> {
        match outcome {
            Outcome::Ok => self.succeeded += 1,
            _ => self.failed += 1,
        }
        let may_fail = fork.branches.len() as u32 - fork.need;
        let decided = if u32::from(self.succeeded) >= fork.need {
            Outcome::Ok
        } else if u32::from(self.failed) > may_fail {
            Outcome::Failed
        } else {
            return None;
        };
        self.fork = None;
        Some(decided)
    }
}
