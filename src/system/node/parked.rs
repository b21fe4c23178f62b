//! Jobs that wait at a node for something to come: found by job and by what they wait for, in the
//! order in which they began to wait, at a cost that does not grow with how many wait.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::kernel::slab::Handle;

/// Jobs that wait, each for something of its own.
#[derive(Clone, Debug)]
pub(in crate::system) struct Parked<K> {
    /// What each job waits for, and its number in the order.
    jobs: BTreeMap<Handle, (K, u64)>,
    /// The jobs by what they wait for and their numbers.
    by_need: BTreeMap<K, BTreeMap<u64, Handle>>,
    /// How many numbers were given.
    given: u64,
}

impl<K> Default for Parked<K> {
    fn default() -> Parked<K> {
        Parked { jobs: BTreeMap::new(), by_need: BTreeMap::new(), given: 0 }
    }
}

impl<K: Copy + Ord> Parked<K> {
    /// A job waits, behind all others.
    pub(in crate::system) fn wait(&mut self, job: Handle, need: K) {
        self.leave(job);
        self.jobs.insert(job, (need, self.given));
        self.by_need.entry(need).or_default().insert(self.given, job);
        self.given += 1;
    }

    /// A job waits no more; what it has waited for, if it has.
    pub(in crate::system) fn leave(&mut self, job: Handle) -> Option<K> {
        let (need, number) = self.jobs.remove(&job)?;
        if let Some(others) = self.by_need.get_mut(&need) {
            others.remove(&number);
            if others.is_empty() {
                self.by_need.remove(&need);
            }
        }
        Some(need)
    }

    /// Who waits for anything in these ranges, first come first.
    pub(in crate::system) fn waiting_for(
        &self,
        needs: impl IntoIterator<Item = RangeInclusive<K>>,
    ) -> Vec<Handle> {
        let jobs = needs.into_iter().flat_map(|range| self.by_need.range(range));
        in_order(jobs.flat_map(|(_, jobs)| jobs).map(|(&number, &job)| (number, job)))
    }

    /// Who waits for what is such, first come first. All that wait are looked at.
    pub(in crate::system) fn those(&self, is_such: impl Fn(K) -> bool) -> Vec<Handle> {
        let jobs = self.jobs.iter().filter(|&(_, &(need, _))| is_such(need));
        in_order(jobs.map(|(&job, &(_, number))| (number, job)))
    }

    /// Whether nobody waits.
    pub(in crate::system) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Nobody waits any more.
    pub(in crate::system) fn clear(&mut self) {
        self.jobs.clear();
        self.by_need.clear();
    }
}

fn in_order(jobs: impl Iterator<Item = (u64, Handle)>) -> Vec<Handle> {
    let jobs: BTreeMap<u64, Handle> = jobs.collect();
    jobs.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::slab::Slab;

    #[test]
    fn who_waits_is_found_in_the_order_of_coming() {
        let mut slab = Slab::default();
        let jobs: Vec<Handle> = (0..5).map(|_| slab.insert(())).collect();
        let mut parked = Parked::default();
        for (&job, need) in jobs.iter().zip([30, 10, 20, 10, 40]) {
            parked.wait(job, need);
        }
        assert_eq!(parked.waiting_for([10..=10]), [jobs[1], jobs[3]]);
        assert_eq!(
            parked.waiting_for([20..=30, 10..=10, 25..=35]),
            [jobs[0], jobs[1], jobs[2], jobs[3]]
        );
        assert_eq!((parked.leave(jobs[1]), parked.leave(jobs[1])), (Some(10), None));
        parked.wait(jobs[0], 10);
        assert_eq!(parked.waiting_for([10..=10]), [jobs[3], jobs[0]], "it came again");
        assert_eq!(parked.those(|need| need >= 20), [jobs[2], jobs[4]]);
        parked.clear();
        assert!(parked.is_empty() && parked.waiting_for([0..=99]).is_empty());
    }
}
