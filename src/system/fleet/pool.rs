//! Pools: places, such as connections, that handlers hold over several steps, and who waits for
//! one.
//!
//! Every place is held by one job until that gives it back or ends, however it ends. Who comes to a
//! pool without a free place waits in line; who holds other places, of the same pool too, keeps
//! them meanwhile. So a pool can lock: each of its places is held by a job that waits for another.

use std::collections::BTreeMap;

use super::{Fleet, Station};
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::Hold;
use crate::policy::Outcome;
use crate::system::core::Core;
use crate::system::event::Event;
use crate::system::fact::{Fact, Pooling};
use crate::system::job::{Job, Progress};
use crate::system::jobs::Jobs;

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
pub(in crate::system) struct Holds {
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
    pub(in crate::system) fn count(&self, pools: &mut [[u32; 2]]) {
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
    pub(in crate::system) fn pools(&self) -> usize {
        self.pools.len()
    }

    /// Whether of each pool so many places are taken, and waited for.
    pub(in crate::system) fn pools_hold(&self, counts: &[[u32; 2]]) -> bool {
        let taken = self.pools.iter().map(|pool| [pool.taken, pool.line.len() as u32]);
        taken.eq(counts.iter().copied())
    }
}

/// A job that has waited for a place as long as it may.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct GivenUp {
    /// Whether it had all the time that the pool gives.
    pub(in crate::system) had_its_time: bool,
    /// Where it goes on without a place.
    pub(in crate::system) on_failure: Option<u32>,
}

impl Fleet {
    /// Takes a place of a pool for a job, or lets the job wait for one, at most until the limit.
    pub(in crate::system) fn hold(
        &mut self,
        core: &mut Core<'_>,
        jobs: &mut Jobs,
        (handle, hold): (Handle, Hold),
        limit: Time,
    ) -> Progress {
        let job = jobs.at_mut(handle);
        let rule = &core.program().node(job.node).station.pools[hold.pool as usize];
        let index = self.index(job.node, job.instance);
        let pool = &mut self.station_mut(index).pools[hold.pool as usize];
        if pool.taken < rule.size {
            pool.taken += 1;
            take_place(core, job, hold.pool, core.now());
            return Progress::GoesOn;
        }
        let number = pool.numbered;
        pool.numbered += 1;
        pool.line.insert(number, handle);
        let at = (core.now() + rule.acquire_timeout).min(limit);
        job.timer = Some(core.schedule_timer(at, Event::GiveUp(handle)));
        job.extra_mut().holds.waits = Some(Waits { hold, number, since: core.now() });
        Progress::Waits
    }

    /// A job gives the place back that it took last.
    pub(in crate::system) fn give_back_place(
        &mut self,
        core: &mut Core<'_>,
        jobs: &mut Jobs,
        handle: Handle,
    ) {
        let job = jobs.at_mut(handle);
        let station = self.index(job.node, job.instance);
        if let Some(pool) = job.extra.as_mut().and_then(|extra| extra.holds.taken.pop()) {
            self.free_place(core, jobs, station, pool);
        }
    }

    /// Gives everything back that a job holds which has ended.
    pub(in crate::system) fn give_back_all(
        &mut self,
        core: &mut Core<'_>,
        jobs: &mut Jobs,
        job: &Job,
    ) {
        let Some(holds) = job.extra.as_ref().map(|extra| &extra.holds) else { return };
        debug_assert!(holds.waits.is_none(), "who waits has not ended");
        let station = self.index(job.node, job.instance);
        for &pool in holds.taken.iter().rev() {
            self.free_place(core, jobs, station, pool);
        }
    }

    /// Gives a free place to the first in line, if anybody waits.
    fn free_place(&mut self, core: &mut Core<'_>, jobs: &mut Jobs, station: usize, pool: u16) {
        let places = &mut self.station_mut(station).pools[pool as usize];
        let Some((_, next)) = places.line.pop_first() else {
            places.taken -= 1;
            return;
        };
        let job = jobs.at_mut(next);
        let waits = job.extra.as_mut().and_then(|extra| extra.holds.waits.take());
        if let Some(timer) = job.timer.take() {
            core.cancel(timer);
        }
        let since = waits.expect("who stands in line waits").since;
        take_place(core, job, pool, since);
        jobs.make_ready(next);
    }

    /// Takes a job out of the line of a pool that has waited there as long as it may; `None` if it
    /// was not waiting for a place.
    pub(in crate::system) fn give_up_place(
        &mut self,
        core: &mut Core<'_>,
        job: &mut Job,
    ) -> Option<GivenUp> {
        let waits = job.extra.as_mut().and_then(|extra| extra.holds.waits.take())?;
        job.heard = Outcome::Rejected;
        let index = self.index(job.node, job.instance);
        self.station_mut(index).pools[waits.hold.pool as usize].line.remove(&waits.number);
        tell_pooling(core, job, waits.since, false);
        let rule = &core.program().node(job.node).station.pools[waits.hold.pool as usize];
        let had_its_time = core.now().since(waits.since) >= rule.acquire_timeout;
        let on_failure = waits.hold.on_failure.filter(|_| had_its_time);
        Some(GivenUp { had_its_time, on_failure })
    }
}

/// Notes that a job holds one place more, for which it has waited since a time.
fn take_place(core: &mut Core<'_>, job: &mut Job, pool: u16, since: Time) {
    job.extra_mut().holds.taken.push(pool);
    job.heard = Outcome::Ok;
    tell_pooling(core, job, since, true);
}

fn tell_pooling(core: &mut Core<'_>, job: &Job, since: Time, got: bool) {
    let (node, order, asked) = (job.node, job.subject.order, job.subject.asked);
    let waited = core.now().since(since);
    core.tell(Fact::Pooled(Pooling { node, order, asked, waited, got }));
}
