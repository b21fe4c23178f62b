//! Who works where: jobs that come to an instance, wait for a worker, begin and leave.

use super::World;
use super::fact::{Fact, Refusal};
use super::fleet::{Entry, Next};
use super::job::Origin;
use super::network::Message;
use crate::kernel::slab::Handle;
use crate::model::program::{self, Kind, NodeId, Shedding};
use crate::policy::Outcome;

impl World<'_> {
    /// Lets a job start or wait, or refuses it.
    pub(super) fn enter(&mut self, handle: Handle, node: NodeId, instance: u32) {
        let rules = &self.cx.program().node(node).station;
        if let Some(refusal) = self.fleet.come_to_door(&self.cx, &mut self.jobs, handle) {
            return self.refuse(handle, refusal);
        }
        let index = self.fleet.index(node, instance);
        if matches!(rules.shedding, Some(Shedding::Timeout { .. }))
            && self.fleet.station(index).busy >= rules.workers
        {
            self.shed_overdue(rules, index);
        }
        match self.fleet.enter(&mut self.cx, &mut self.jobs, handle) {
            Entry::Begins => self.jobs.make_ready(handle),
            Entry::Waits => {}
            Entry::Refused(refusal) => self.refuse(handle, refusal),
        }
    }

    /// A job has waited as long as it may: for a worker, without which it is refused, or for a
    /// place of a pool.
    pub(super) fn give_up(&mut self, handle: Handle) {
        if self.give_up_place(handle) {
            return;
        }
        let Some(job) = self.jobs.get(handle) else { return };
        let index = self.fleet.index(job.node, job.instance);
        if self.fleet.give_up(self.cx.now(), index, handle) {
            self.refuse(handle, Refusal::TooLong);
        }
    }

    /// Frees a worker and lets the next job start.
    pub(super) fn leave(&mut self, node: NodeId, instance: u32) {
        let rules = &self.cx.program().node(node).station;
        let index = self.fleet.index(node, instance);
        if matches!(rules.shedding, Some(Shedding::Timeout { .. })) {
            self.shed_overdue(rules, index);
        }
        match self.next_in_line(rules, index) {
            Some(next) if rules.max_wait.is_some() => self.jobs.wake(&mut self.cx, next),
            Some(next) => self.jobs.make_ready(next),
            None => {
                if !self.begin_in_hand(index) {
                    self.fleet.station_mut(index).busy -= 1;
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
            match self.fleet.next_in_line(self.cx.now(), rules, index) {
                Next::Refused(job, refusal) => self.refuse(job, refusal),
                Next::Nobody => return None,
                Next::Begins(job) => {
                    self.jobs.at_mut(job).begun = Some(self.cx.now());
                    return Some(job);
                }
            }
        }
    }

    /// Refuses those at the head of the line that have waited too long.
    fn shed_overdue(&mut self, rules: &program::Station, index: usize) {
        while let Some(overdue) = self.fleet.overdue(self.cx.now(), rules, index) {
            self.refuse(overdue, Refusal::Shed);
        }
    }

    /// Answers a job that will not be begun.
    fn refuse(&mut self, handle: Handle, refusal: Refusal) {
        let job = self.jobs.remove(handle).expect("who is refused has not ended");
        if let Some(timer) = job.timer {
            self.cx.cancel(timer);
        }
        let (from, order) = (job.node, job.subject.order);
        self.cx.tell(Fact::Refused { node: from, order, refusal });
        if matches!(refusal, Refusal::Shed | Refusal::Expired | Refusal::TooLong) {
            self.fleet.teach_limit(&mut self.cx, &job, Outcome::Rejected);
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
