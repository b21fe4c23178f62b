//! Workers and waiting lines: a job of a node starts when a worker is free.

mod balance;
mod door;
mod line;
mod room;

pub(super) use room::Place;

use std::collections::VecDeque;

use super::fact::{Fact, Refusal};
use super::job::Origin;
use super::network::Message;
use super::pool::Pool;
use super::{Event, World};
use crate::kernel::draw::Purpose;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{self, ConcurrencyCost, Kind, NodeId, Order, Program, Shedding};
use crate::policy::Outcome;
use crate::policy::codel::CodelState;
use crate::policy::limit::{Limit, LimitState};
use crate::policy::rate_limit::{RateLimit, RateLimitState};
use line::{Line, Waiting};

/// The workers and the waiting line of one instance of a node.
#[derive(Clone, Debug)]
pub(super) struct Station {
    /// Workers that are taken.
    pub(super) busy: u32,
    /// Messages that were handed over ahead of their turn and have no worker yet, those that still
    /// travel included.
    pub(super) ahead: u32,
    /// Those of them that are here, in the order in which they came.
    pub(super) in_hand: VecDeque<Handle>,
    /// Jobs that are at work, of those of a node whose work slows down.
    working: u32,
    waiting: Line,
    /// When the line was empty last.
    empty: Time,
    codel: CodelState,
    rate_limit: Option<RateLimitState>,
    limit: Option<LimitState>,
    /// By bulkhead of the node.
    rooms: Vec<room::Room>,
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
            rooms: rules.bulkheads.iter().map(|_| room::Room::default()).collect(),
            pools: vec![Pool::default(); rules.pools.len()],
        }
    }

    /// How many jobs wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn outstanding(&self) -> usize {
        self.busy as usize + self.waiting.len()
    }

    /// Counts a job as at work; says how many times as long its work takes that begins now.
    pub(super) fn begin_work(&mut self, cost: &ConcurrencyCost) -> f64 {
        self.working += 1;
        cost.factor(self.working)
    }

    /// A job that was at work has done it.
    pub(super) fn end_work(&mut self) {
        self.working -= 1;
    }
}

/// The stations of every instance of every node, and the first one of each node.
pub(super) fn stations(program: &Program) -> (Vec<Station>, Vec<u32>) {
    let mut first = Vec::new();
    let mut all = Vec::new();
    for node in &program.nodes {
        first.push(all.len() as u32);
        all.extend((0..node.station.instances).map(|_| Station::new(&node.station)));
    }
    (all, first)
}

impl World<'_> {
    /// The index of the station of an instance.
    pub(super) fn station_index(&self, node: NodeId, instance: u32) -> usize {
        (self.first_station[node.0 as usize] + instance) as usize
    }

    /// Lets a job start or wait, or refuses it.
    pub(super) fn enter(&mut self, handle: Handle, node: NodeId, instance: u32) {
        let rules = &self.cx.program().node(node).station;
        let index = self.station_index(node, instance);
        let outstanding = self.stations[index].outstanding() as u32;
        if let Some(job) = self.jobs.get_mut(handle) {
            (job.entered, job.beside) = (self.cx.now(), outstanding + 1);
        }
        if let Some(refusal) = self.ask_door(rules, index) {
            return self.refuse(handle, refusal);
        }
        let job = self.jobs.at_mut(handle);
        let (deadline, operation, key) = (job.deadline, job.operation, job.key);
        let station = &mut self.stations[index];
        if station.busy < rules.workers {
            if let Some(slack) = rules.discard
                && self.cx.now() + slack >= deadline
            {
                return self.refuse(handle, Refusal::Expired);
            }
            if let Some(Shedding::Codel(rule)) = &rules.shedding {
                // Who does not wait at all ends a time of standing waits.
                rule.refuses(&mut station.codel, Span::ZERO, self.cx.now());
            }
            station.busy += 1;
            job.begun = Some(self.cx.now());
            return self.jobs.make_ready(handle);
        }
        if matches!(rules.shedding, Some(Shedding::Timeout { .. })) {
            self.shed_overdue(rules, index);
        }
        let station = &mut self.stations[index];
        if station.waiting.len() >= rules.queue_limit as usize {
            return self.refuse(handle, Refusal::Full);
        }
        let rank = match rules.order {
            Order::Deadline => deadline.0,
            Order::Priority => {
                u64::from(u32::MAX - self.cx.program().operation(operation).priority)
            }
            Order::Fifo | Order::Lifo | Order::AdaptiveLifo { .. } => 0,
        };
        let until = station.latest_start(rules, self.cx.now());
        station.waiting.push(rank, Waiting { job: handle, since: self.cx.now(), deadline, until });
        if let Some(max_wait) = &rules.max_wait {
            let draw = self.cx.draw(Purpose::Shed, self.cx.program().node(node).id, key, 0);
            let at = self.cx.now() + max_wait.sample(draw);
            let timer = self.cx.schedule_timer(at, Event::GiveUp(handle));
            self.jobs.at_mut(handle).timer = Some(timer);
        }
    }

    /// A job has waited as long as it may: for a worker, without which it is refused, or for a
    /// place of a pool.
    pub(super) fn give_up(&mut self, handle: Handle) {
        if self.give_up_place(handle) {
            return;
        }
        let job = self.jobs.at(handle);
        let index = self.station_index(job.node, job.instance);
        let station = &mut self.stations[index];
        if station.waiting.remove(handle) {
            if station.waiting.len() == 0 {
                station.empty = self.cx.now();
            }
            self.refuse(handle, Refusal::TooLong);
        }
    }

    /// Frees a worker and lets the next job start.
    pub(super) fn leave(&mut self, node: NodeId, instance: u32) {
        let rules = &self.cx.program().node(node).station;
        let index = self.station_index(node, instance);
        if matches!(rules.shedding, Some(Shedding::Timeout { .. })) {
            self.shed_overdue(rules, index);
        }
        match self.next_in_line(rules, index) {
            Some(next) if rules.max_wait.is_some() => self.jobs.wake(&mut self.cx, next),
            Some(next) => self.jobs.make_ready(next),
            None => {
                if !self.begin_in_hand(index) {
                    self.stations[index].busy -= 1;
                }
                if let Kind::Service(service) = &self.cx.program().node(node).kind
                    && service.takes.is_some()
                {
                    self.offer_worker(node);
                }
            }
        }
    }

    /// Takes the next job out of the line that is worth its work; refuses those that are not.
    fn next_in_line(&mut self, rules: &program::Station, index: usize) -> Option<Handle> {
        loop {
            let station = &mut self.stations[index];
            let next = station.waiting.pop(rules.order)?;
            if station.waiting.len() == 0 {
                station.empty = self.cx.now();
            }
            let refusal = match &rules.shedding {
                Some(Shedding::Codel(rule)) => {
                    let delay = self.cx.now().since(next.since);
                    rule.refuses(&mut station.codel, delay, self.cx.now()).then_some(Refusal::Shed)
                }
                Some(Shedding::Timeout { .. }) => {
                    (next.until <= self.cx.now()).then_some(Refusal::Shed)
                }
                None => None,
            };
            let is_expired =
                rules.discard.is_some_and(|slack| self.cx.now() + slack >= next.deadline);
            match refusal.or(is_expired.then_some(Refusal::Expired)) {
                Some(refusal) => self.refuse(next.job, refusal),
                None => {
                    if let Some(job) = self.jobs.get_mut(next.job) {
                        job.begun = Some(self.cx.now());
                    }
                    return Some(next.job);
                }
            }
        }
    }

    /// Refuses those at the head of the line that have waited too long.
    fn shed_overdue(&mut self, rules: &program::Station, index: usize) {
        while let Some(overdue) =
            self.stations[index].waiting.pop_overdue(rules.order, self.cx.now())
        {
            self.refuse(overdue.job, Refusal::Shed);
        }
        let station = &mut self.stations[index];
        if station.waiting.len() == 0 {
            station.empty = self.cx.now();
        }
    }

    /// Answers a job that will not be begun.
    fn refuse(&mut self, handle: Handle, refusal: Refusal) {
        let Some(job) = self.jobs.remove(handle) else { return };
        if let Some(timer) = job.timer {
            self.cx.cancel(timer);
        }
        let (from, order) = (job.node, job.subject.order);
        self.cx.tell(Fact::Refused { node: from, order, refusal });
        if matches!(refusal, Refusal::Shed | Refusal::Expired | Refusal::TooLong) {
            self.teach_limit(&job, Outcome::Rejected);
        }
        if let Some(stay) = job.stay() {
            self.cx.tell(Fact::Left(stay));
        }
        if let Origin::Call { call, attempt, edge } = job.origin {
            let outcome = match refusal {
                Refusal::RateLimit => Outcome::Throttled,
                _ => Outcome::Rejected,
            };
            if refusal == Refusal::Expired && self.cx.program().node(from).station.discards_silently
            {
                return;
            }
            let (value, key, hint) = (0, job.key, None);
            let reply =
                Message::Reply { call, attempt, edge, from, order, outcome, value, key, hint };
            self.send_reply(edge, from, call, reply);
        }
    }
}

impl Station {
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
