//! Workers and waiting lines: a job of a node starts when a worker is free.

use std::collections::VecDeque;

use super::Fleet;
use super::bulkhead::Room;
use super::line::{Line, Waiting};
use super::pool::Pool;
use crate::kernel::draw::Purpose;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{self, ConcurrencyCost, Order, Shedding};
use crate::policy::codel::CodelState;
use crate::policy::limit::{Limit, LimitState};
use crate::policy::rate_limit::{RateLimit, RateLimitState};
use crate::system::core::Core;
use crate::system::event::Event;
use crate::system::fact::Refusal;
use crate::system::jobs::Jobs;

/// The workers and the waiting line of one instance of a node.
#[derive(Clone, Debug)]
pub(in crate::system) struct Station {
    /// Workers that are taken.
    pub(in crate::system) busy: u32,
    /// Messages that were handed over ahead of their turn and have no worker yet, those that still
    /// travel included.
    pub(in crate::system) ahead: u32,
    /// Those of them that are here, in the order in which they came.
    pub(in crate::system) in_hand: VecDeque<Handle>,
    /// Jobs that are at work, of those of a node whose work slows down.
    working: u32,
    waiting: Line,
    /// When the line was empty last.
    empty: Time,
    codel: CodelState,
    pub(super) rate_limit: Option<RateLimitState>,
    pub(super) limit: Option<LimitState>,
    /// By bulkhead of the node.
    pub(super) rooms: Vec<Room>,
    /// By pool of the node.
    pub(super) pools: Vec<Pool>,
}

impl Station {
    pub(super) fn new(rules: &program::Station) -> Station {
        Station {
            busy: 0,
            ahead: 0,
            in_hand: VecDeque::new(),
            working: 0,
            waiting: Line::new(rules.order, rules.max_wait.is_some()),
            empty: Time::ZERO,
            codel: CodelState::default(),
            rate_limit: rules.rate_limit.as_ref().map(RateLimit::state),
            limit: rules.limit.as_ref().map(Limit::state),
            rooms: rules.bulkheads.iter().map(|_| Room::default()).collect(),
            pools: vec![Pool::default(); rules.pools.len()],
        }
    }

    /// How many jobs wait.
    #[inline]
    pub(in crate::system) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    #[inline]
    pub(in crate::system) fn outstanding(&self) -> usize {
        self.busy as usize + self.waiting.len()
    }

    /// Counts a job as at work; says how many times as long its work takes that begins now.
    pub(in crate::system) fn begin_work(&mut self, cost: &ConcurrencyCost) -> f64 {
        self.working += 1;
        cost.factor(self.working)
    }

    /// A job that was at work has done it.
    pub(in crate::system) fn end_work(&mut self) {
        self.working -= 1;
    }
}

/// What becomes of a job that comes to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::system) enum Entry {
    /// It begins at once.
    Begins,
    /// It waits for a worker.
    Waits,
    /// It is not let in, and answered why.
    Refused(Refusal),
}

/// Who left a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::system) enum Next {
    /// This job begins: a worker is free for it.
    Begins(Handle),
    /// This job is refused, and there may be others.
    Refused(Handle, Refusal),
    /// Nobody waits any more.
    Nobody,
}

impl Fleet {
    /// Lets a job begin or wait at the instance that is kept there, or refuses it. Before one
    /// comes, those at the head of the line that have waited too long are to be refused: see
    /// [`Fleet::overdue`].
    pub(in crate::system) fn enter(
        &mut self,
        core: &mut Core<'_>,
        jobs: &mut Jobs,
        (handle, index): (Handle, usize),
    ) -> Entry {
        let job = jobs.at_mut(handle);
        let (deadline, node, key) = (job.deadline, job.node, job.key);
        let rules = &core.program().node(node).station;
        let station = self.station_mut(index);
        if station.busy < rules.workers {
            if rules.discard.is_some_and(|slack| core.now() + slack >= deadline) {
                return Entry::Refused(Refusal::Expired);
            }
            if let Some(Shedding::Codel(rule)) = &rules.shedding {
                // Who does not wait at all ends a time of standing waits.
                rule.refuses(&mut station.codel, Span::ZERO, core.now());
            }
            station.busy += 1;
            job.begun = core.now();
            return Entry::Begins;
        }
        if station.waiting.len() >= rules.queue_limit as usize {
            return Entry::Refused(Refusal::Full);
        }
        let rank = match rules.order {
            Order::Deadline => deadline.0,
            Order::Priority => {
                u64::from(u32::MAX - core.program().operation(job.operation).priority)
            }
            Order::Fifo | Order::Lifo | Order::AdaptiveLifo { .. } => 0,
        };
        let until = station.latest_start(rules, core.now());
        station.waiting.push(rank, Waiting { job: handle, since: core.now(), deadline, until });
        if let Some(max_wait) = &rules.max_wait {
            let draw = core.draw(Purpose::Shed, core.program().node(node).id, key, 0);
            let timer =
                core.schedule_timer(core.now() + max_wait.sample(draw), Event::GiveUp(handle));
            job.timer = Some(timer);
        }
        Entry::Waits
    }

    /// Notes when a job came to the instance that is kept there, and asks the limits at the door;
    /// says why it may not come in.
    #[inline]
    pub(in crate::system) fn come_to_door(
        &mut self,
        core: &Core<'_>,
        jobs: &mut Jobs,
        (handle, index): (Handle, usize),
    ) -> Option<Refusal> {
        let job = jobs.at_mut(handle);
        let station = self.station_mut(index);
        (job.entered, job.beside) = (core.now(), station.outstanding() as u32 + 1);
        station.ask_door(&core.program().node(job.node).station, core.now())
    }

    /// Takes a job out of its line that has waited as long as it may; says whether it was there.
    pub(in crate::system) fn give_up(&mut self, now: Time, index: usize, handle: Handle) -> bool {
        let station = self.station_mut(index);
        let was_there = station.waiting.remove(handle);
        if was_there {
            station.note_if_empty(now);
        }
        was_there
    }

    /// Takes the next job out of the line of an instance, one that begins or one that is not worth
    /// its work any more.
    pub(in crate::system) fn next_in_line(
        &mut self,
        now: Time,
        rules: &program::Station,
        index: usize,
    ) -> Next {
        let station = self.station_mut(index);
        let Some(next) = station.waiting.pop(rules.order) else { return Next::Nobody };
        station.note_if_empty(now);
        let refusal = match &rules.shedding {
            Some(Shedding::Codel(rule)) => {
                let delay = now.since(next.since);
                rule.refuses(&mut station.codel, delay, now).then_some(Refusal::Shed)
            }
            Some(Shedding::Timeout { .. }) => (next.until <= now).then_some(Refusal::Shed),
            None => None,
        };
        let is_expired = rules.discard.is_some_and(|slack| now + slack >= next.deadline);
        match refusal.or(is_expired.then_some(Refusal::Expired)) {
            Some(refusal) => Next::Refused(next.job, refusal),
            None => Next::Begins(next.job),
        }
    }

    /// Takes the job out of the line of an instance that is at its head and has waited too long.
    pub(in crate::system) fn overdue(
        &mut self,
        now: Time,
        rules: &program::Station,
        index: usize,
    ) -> Option<Handle> {
        let station = self.station_mut(index);
        let overdue = station.waiting.pop_overdue(rules.order, now);
        if overdue.is_none() {
            station.note_if_empty(now);
        }
        overdue.map(|waiting| waiting.job)
    }
}

impl Station {
    /// Remembers when nobody waited last.
    #[inline]
    fn note_if_empty(&mut self, now: Time) {
        if self.waiting.len() == 0 {
            self.empty = now;
        }
    }

    /// Until when one may wait who comes now (Maurer: "Fail at Scale", ACM Queue 2015).
    fn latest_start(&mut self, rules: &program::Station, now: Time) -> Time {
        let Some(Shedding::Timeout { target, interval }) = rules.shedding else {
            return Time::NEVER;
        };
        if self.waiting.len() == 0 {
            self.empty = now;
        }
        now + if now.since(self.empty) > interval { target } else { interval }
    }
}
