//! The lists that a job is in which are done again until they succeed, and their keys.

use super::Job;
use crate::kernel::draw::key_of;
use crate::kernel::time::Time;

/// The lists that a job is in, the innermost last.
#[derive(Clone, Debug, Default)]
pub(in crate::system) struct Rounds(Vec<Round>);

/// A round of a list.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct Round {
    /// Counted from 0.
    pub(in crate::system) number: u32,
    /// When the first round began.
    pub(in crate::system) began: Time,
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
    #[inline]
    pub(in crate::system) fn round_key(&self) -> u64 {
        self.extra.as_ref().map_or(self.key, |extra| extra.rounds.key(self.key))
    }

    pub(in crate::system) fn begin_rounds(&mut self, now: Time) {
        let round = Round { number: 0, began: now, drawn: self.drawn, most: self.drawn };
        self.extra_mut().rounds.0.push(round);
    }

    pub(in crate::system) fn begin_next_round(&mut self) {
        let drawn = self.drawn;
        let Some(round) = self.extra.as_mut().and_then(|extra| extra.rounds.0.last_mut()) else {
            return;
        };
        round.number += 1;
        round.most = round.most.max(drawn);
        self.drawn = round.drawn;
    }

    /// The round of the innermost list that it is in.
    pub(in crate::system) fn round(&self) -> Option<Round> {
        self.extra.as_ref().and_then(|extra| extra.rounds.0.last()).copied()
    }

    pub(in crate::system) fn end_rounds(&mut self) {
        if let Some(round) = self.extra.as_mut().and_then(|extra| extra.rounds.0.pop()) {
            self.drawn = self.drawn.max(round.most);
        }
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
