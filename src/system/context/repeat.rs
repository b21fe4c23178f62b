//! Lists of steps that are done again until they succeed.
//!
//! A round has draws of its own, and its calls are calls of their own; the first round has those
//! that it would have if there were no other, and so has what comes after the list, however many
//! rounds there were.

use crate::kernel::draw::{Purpose, key_of};
use crate::kernel::sample::Distribution;
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::{RepeatId, RepeatStep};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::job::{Job, Progress};

/// The lists that a job is in, the innermost last.
#[derive(Clone, Debug, Default)]
pub(in crate::system) struct Rounds(Vec<Round>);

/// A round of a list.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// Counted from 0.
    number: u32,
    /// When the first round began.
    began: Time,
    /// How many draws the job had made by then.
    drawn: u16,
    /// The most that it has made in any round.
    most: u16,
}

/// Keys of rounds are not those of calls and branches, which are below this.
const FIRST_ROUND: u64 = 1 << 40;

impl Rounds {
    /// A stable key of what is done in this round by a job with this key.
    fn key(&self, job: u64) -> u64 {
        let rounds = self.0.iter().zip(0_u64..).filter(|(round, _)| round.number > 0);
        rounds.fold(job, |key, (round, depth)| {
            key_of(key, FIRST_ROUND + (depth << 32) + u64::from(round.number))
        })
    }
}

impl Job {
    /// A stable key of what it does in this round of the lists that it is in.
    pub(in crate::system) fn round_key(&self) -> u64 {
        self.rounds.as_ref().map_or(self.key, |rounds| rounds.key(self.key))
    }

    fn begin_rounds(&mut self, now: Time) {
        let round = Round { number: 0, began: now, drawn: self.drawn, most: self.drawn };
        self.rounds.get_or_insert_default().0.push(round);
    }

    fn begin_next_round(&mut self) {
        let drawn = self.drawn;
        let Some(round) = self.rounds.as_mut().and_then(|rounds| rounds.0.last_mut()) else {
            return;
        };
        round.number += 1;
        round.most = round.most.max(drawn);
        self.drawn = round.drawn;
    }

    fn end_rounds(&mut self) {
        if let Some(round) = self.rounds.as_mut().and_then(|rounds| rounds.0.pop()) {
            self.drawn = self.drawn.max(round.most);
        }
    }
}

impl Context<'_> {
    pub(in crate::system) fn take_repeat_step(
        &mut self,
        handle: Handle,
        step: RepeatStep,
    ) -> Progress {
        let job = self.jobs.at_mut(handle);
        match step {
            RepeatStep::Begin(_) => job.begin_rounds(self.core.now()),
            RepeatStep::Failed(repeat) => {
                let is_last =
                    !self.core.program().repeats[repeat.0 as usize].on.contains(job.heard);
                job.step += u32::from(is_last);
            }
            RepeatStep::Again(repeat) => return self.do_again(handle, repeat),
            RepeatStep::End => job.end_rounds(),
        }
        Progress::GoesOn
    }

    /// Begins the next round of a list, if there is one.
    fn do_again(&mut self, handle: Handle, id: RepeatId) -> Progress {
        let repeat = &self.core.program().repeats[id.0 as usize];
        let job = self.jobs.at(handle);
        let Some(&round) = job.rounds.as_ref().and_then(|rounds| rounds.0.last()) else {
            return Progress::GoesOn;
        };
        let (node, key, drawn, limit) = (job.node, job.round_key(), job.drawn, self.limit_of(job));
        let persists = repeat.persistence.is_none_or(|share| {
            share.happens(self.core.draw(Purpose::Choice, repeat.site, key, 0))
        });
        let span = match &repeat.between {
            Distribution::Constant(span) => *span,
            varied => {
                let site = self.core.program().node(node).id;
                varied.sample(self.core.draw(Purpose::Think, site, key, drawn))
            }
        };
        let at = self.core.now() + span;
        let is_late = repeat.patience.is_some_and(|patience| at > round.began + patience);
        let job = self.jobs.at_mut(handle);
        if round.number + 1 >= repeat.times || !persists || is_late || at >= limit {
            // A list that is not done has failed, although its last call may not have.
            if job.heard == Outcome::Ok {
                job.heard = Outcome::Failed;
            }
            return Progress::GoesOn;
        }
        job.begin_next_round();
        job.step = repeat.first;
        self.pass(handle, span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_of_nested_lists_has_a_key_of_its_own() {
        let round = |number| Round { number, began: Time::ZERO, drawn: 0, most: 0 };
        let key = |numbers: &[u32]| Rounds(numbers.iter().map(|&it| round(it)).collect()).key(7);
        let mut keys = vec![key(&[0, 0]), key(&[1, 0]), key(&[0, 1]), key(&[1, 1]), key(&[2, 1])];
        assert_eq!((key(&[]), keys[0]), (7, 7), "first rounds are as if there were no list");
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 5);
    }
}
