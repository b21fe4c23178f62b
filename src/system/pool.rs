//! Pools: places, such as connections, that handlers hold over several steps, and who waits for
//! one.
//!
//! Every place is held by one job until that gives it back or ends, however it ends. Who comes to a
//! pool without a free place waits in line; who holds other places, of the same pool too, keeps
//! them meanwhile. So a pool can lock: each of its places is held by a job that waits for another.

use std::collections::BTreeMap;

use super::fact::{Fact, Pooling, Refusal};
use super::job::{Job, Progress};
use super::station::Station;
use super::{Event, World};
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::Hold;
use crate::policy::Outcome;

/// The places of one pool of an instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    taken: u32,
    /// Jobs that wait, in the order in which they came.
    line: BTreeMap<u64, Handle>,
    /// How many have waited.
    numbered: u64,
}

/// What a job has of the pools of its instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Holds {
    /// The pools of which it holds a place, as it took them: the last one is given back first.
    taken: Vec<u16>,
    waits: Option<Waits>,
}

/// A job's place in the line of a pool.
#[derive(Clone, Copy, Debug)]
struct Waits {
    hold: Hold,
    number: u64,
    since: Time,
}

impl Holds {
    /// Counts what is held and waited for, by pool: places first.
    pub(super) fn count(&self, pools: &mut [[u32; 2]]) {
        for &pool in &self.taken {
            pools[pool as usize][0] += 1;
        }
        if let Some(waits) = self.waits {
            pools[waits.hold.pool as usize][1] += 1;
        }
    }
}

impl Station {
    /// How many pools it has.
    pub(super) fn pools(&self) -> usize {
        self.pools.len()
    }

    /// Whether of each pool so many places are taken, and waited for.
    pub(super) fn pools_hold(&self, counts: &[[u32; 2]]) -> bool {
        let taken = self.pools.iter().map(|pool| [pool.taken, pool.line.len() as u32]);
        taken.eq(counts.iter().copied())
    }
}

impl World<'_> {
    /// Takes a place of a pool for a job, or lets the job wait for one.
    pub(super) fn hold(&mut self, handle: Handle, hold: Hold) -> Progress {
        let job = self.jobs.at(handle);
        let (node, order, deadline) = (job.node, job.subject.order, job.deadline);
        let index = self.station_index(node, job.instance);
        let limit = self.limit_of(job);
        let rules = &self.cx.program().node(node).station;
        if let Some(rule) = rules.propagation
            && !rule.worth_starting(self.cx.now(), Some(deadline), rule.margin)
        {
            self.cx.tell(Fact::Refused { node, order, refusal: Refusal::Expired });
            return Progress::Ends(Outcome::Failed);
        }
        let rule = &rules.pools[hold.pool as usize];
        let pool = &mut self.stations[index].pools[hold.pool as usize];
        if pool.taken < rule.size {
            pool.taken += 1;
            self.take_place(handle, hold.pool, self.cx.now());
            return Progress::GoesOn;
        }
        let number = pool.numbered;
        pool.numbered += 1;
        pool.line.insert(number, handle);
        let at = (self.cx.now() + rule.acquire_timeout).min(limit);
        let timer = self.cx.schedule_timer(at, Event::GiveUp(handle));
        if let Some(job) = self.jobs.get_mut(handle) {
            job.timer = Some(timer);
            let holds = job.holds.get_or_insert_default();
            holds.waits = Some(Waits { hold, number, since: self.cx.now() });
        }
        Progress::Waits
    }

    /// Notes that a job holds one place more, for which it has waited since a time.
    fn take_place(&mut self, handle: Handle, pool: u16, since: Time) {
        let job = self.jobs.at_mut(handle);
        job.holds.get_or_insert_default().taken.push(pool);
        job.heard = Outcome::Ok;
        self.tell_pooling(handle, since, true);
    }

    fn tell_pooling(&mut self, handle: Handle, since: Time, got: bool) {
        let job = self.jobs.at(handle);
        let (node, order, asked) = (job.node, job.subject.order, job.subject.asked);
        let waited = self.cx.now().since(since);
        self.cx.tell(Fact::Pooled(Pooling { node, order, asked, waited, got }));
    }

    /// A job gives the place back that it took last.
    pub(super) fn give_back_place(&mut self, handle: Handle) {
        let job = self.jobs.at_mut(handle);
        let station = self.first_station[job.node.0 as usize] + job.instance;
        if let Some(pool) = job.holds.as_mut().and_then(|holds| holds.taken.pop()) {
            self.free_place(station as usize, pool);
        }
    }

    /// Gives everything back that a job holds which has ended.
    pub(super) fn give_back_all(&mut self, job: &Job) {
        let Some(holds) = &job.holds else { return };
        debug_assert!(holds.waits.is_none(), "who waits has not ended");
        let station = self.station_index(job.node, job.instance);
        for &pool in holds.taken.iter().rev() {
            self.free_place(station, pool);
        }
    }

    /// Gives a free place to the first in line, if anybody waits.
    fn free_place(&mut self, station: usize, pool: u16) {
        let places = &mut self.stations[station].pools[pool as usize];
        let Some((_, next)) = places.line.pop_first() else {
            places.taken -= 1;
            return;
        };
        let job = self.jobs.at_mut(next);
        let waits = job.holds.as_mut().and_then(|holds| holds.waits.take());
        if let Some(timer) = job.timer.take() {
            self.cx.cancel(timer);
        }
        self.take_place(next, pool, waits.map_or(self.cx.now(), |waits| waits.since));
        self.jobs.make_ready(next);
    }

    /// A job has waited for a place as long as it may: it goes on without, or fails. Says whether
    /// it was waiting for one.
    pub(super) fn give_up_place(&mut self, handle: Handle) -> bool {
        let job = self.jobs.at_mut(handle);
        let Some(waits) = job.holds.as_mut().and_then(|holds| holds.waits.take()) else {
            return false;
        };
        job.heard = Outcome::Rejected;
        let (node, instance, order) = (job.node, job.instance, job.subject.order);
        let index = self.station_index(node, instance);
        self.stations[index].pools[waits.hold.pool as usize].line.remove(&waits.number);
        self.tell_pooling(handle, waits.since, false);
        let rule = &self.cx.program().node(node).station.pools[waits.hold.pool as usize];
        let had_its_time = self.cx.now().since(waits.since) >= rule.acquire_timeout;
        let refusal = if had_its_time { Refusal::NoPlace } else { Refusal::Expired };
        self.cx.tell(Fact::Refused { node, order, refusal });
        match waits.hold.on_failure.filter(|_| had_its_time) {
            Some(to) => {
                self.jobs.at_mut(handle).step = to;
                self.jobs.make_ready(handle);
            }
            None => self.end_job(handle, Outcome::Failed),
        }
        true
    }
}
