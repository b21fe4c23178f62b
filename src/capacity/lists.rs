//! Lists of steps inside a handler: those that run at once, and those that are done again.

use std::collections::BTreeMap;

use super::means::Visit;
use super::moments::Moments;
use super::visit::{Rounds, Visits};
use crate::kernel::draw::Probability;
use crate::model::program::{Fork, OperationId, Repeat, RepeatStep};

/// A walk goes through so many further rounds at most.
const ROUNDS_MAX: u32 = 100_000;
/// Further rounds of so few visits change nothing.
const SHARE_MIN: f64 = 1e-9;

impl Visits<'_> {
    /// Lists that run at once; returns how likely so many of them succeed as are needed.
    pub(super) fn fork(
        &mut self,
        operation: OperationId,
        fork: u16,
        share: f64,
        visit: &mut Visit,
    ) -> f64 {
        let Fork { branches, need, .. } = &self.program.forks[fork as usize];
        let mut lists: BTreeMap<u32, (u32, Visit)> = BTreeMap::new();
        for &branch in branches {
            if let Some((copies, _)) = lists.get_mut(&branch) {
                *copies += 1;
            } else {
                let list = self.walk(operation, branch);
                lists.insert(branch, (1, list));
            }
        }
        let mut ends: Vec<(f64, f64)> = Vec::new();
        for (copies, list) in lists.values() {
            ends.extend((0..*copies).map(|_| (list.time.mean, list.success)));
            visit.work += share * list.work * f64::from(*copies);
            let part = |of_one: f64| share * of_one * f64::from(*copies);
            add(&mut visit.held, &list.held, part);
            add(&mut visit.calling, &list.calling, part);
            add(&mut visit.calls, &list.calls, part);
            add(&mut visit.messages, &list.messages, part);
        }
        ends.sort_by(|a, b| a.0.partial_cmp(&b.0).expect("no NaN"));
        // The mean of the last is at least the last of the means.
        let last = ends[*need as usize - 1].0;
        visit.time = visit.time.then(Moments::constant(last).times(share));
        at_least(*need, ends.iter().map(|&(_, success)| success))
    }

    /// The frame of a list that is done again: where it goes on, and with which share of visits.
    pub(super) fn repeat(
        &mut self,
        step: RepeatStep,
        at: u32,
        share: f64,
        rounds: &mut Rounds,
        visit: &mut Visit,
    ) -> Vec<(u32, f64)> {
        let id = match step {
            RepeatStep::Again(id) => id,
            RepeatStep::Begin(id) => {
                rounds.each.insert(id, 0);
                return vec![(at + 1, share)];
            }
            RepeatStep::Failed(_) | RepeatStep::End => return vec![(at + 1, share)],
        };
        let program = self.program;
        let Repeat { first, times, between, patience, persistence, .. } =
            &program.repeats[id.0 as usize];
        if patience.is_some() {
            self.assume("no patience ends a list of steps that is repeated".to_owned());
        }
        let round = rounds.each.entry(id).or_insert(0);
        if *round + 1 >= *times || share < SHARE_MIN || rounds.all >= ROUNDS_MAX {
            return vec![(at + 1, share)];
        }
        *round += 1;
        rounds.all += 1;
        let persist = share * persistence.map_or(1.0, Probability::value);
        visit.time = visit.time.then(Moments::of(between, 1.0).times(persist));
        vec![(*first, persist), (at + 1, share - persist)]
    }
}

/// How likely at least so many of independent events happen.
fn at_least(need: u32, events: impl Iterator<Item = f64>) -> f64 {
    // The distribution of their number, one event after the other.
    let mut counts = vec![1.0];
    for p in events {
        counts.push(0.0);
        for index in (1..counts.len()).rev() {
            counts[index] = counts[index] * (1.0 - p) + counts[index - 1] * p;
        }
        counts[0] *= 1.0 - p;
    }
    counts[need as usize..].iter().sum::<f64>().min(1.0)
}

/// Adds a part of each number to the one of the same name.
fn add<K: Ord + Copy>(
    sums: &mut BTreeMap<K, f64>,
    more: &BTreeMap<K, f64>,
    part: impl Fn(f64) -> f64,
) {
    for (&name, &number) in more {
        *sums.entry(name).or_insert(0.0) += part(number);
    }
}
