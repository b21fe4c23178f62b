//! Who works where: jobs that come to an instance, wait for a worker, begin and leave.

use crate::kernel::slab::Handle;
use crate::model::program::{self, Kind, NodeId, Shedding};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::fact::{Fact, Refusal};
use crate::system::fleet::{Entry, Next};
use crate::system::job::Origin;
use crate::system::network::Message;
use crate::system::node::Nodes;

impl Nodes {
    /// Frees a worker and lets the next job start.
    pub(in crate::system) fn leave(&mut self, cx: &mut Context<'_>, node: NodeId, instance: u32) {
        let rules = &cx.core.program().node(node).station;
        let index = cx.fleet.index(node, instance);
        if matches!(rules.shedding, Some(Shedding::Timeout { .. })) {
            cx.shed_overdue(rules, index);
        }
        match cx.next_in_line(rules, index) {
            Some(next) if rules.max_wait.is_some() => cx.jobs.wake(&mut cx.core, next),
            Some(next) => cx.jobs.make_ready(next),
            None => {
                if !cx.begin_in_hand(index) {
                    cx.fleet.station_mut(index).busy -= 1;
                }
                if let Kind::Service(service) = &cx.core.program().node(node).kind
                    && service.takes.is_some()
                {
                    self.offer_worker(cx, node);
                }
            }
        }
    }
}

impl Context<'_> {
    /// Lets a job start or wait, or refuses it.
    pub(in crate::system) fn enter(&mut self, handle: Handle, node: NodeId, instance: u32) {
        let rules = &self.core.program().node(node).station;
        let index = self.fleet.index(node, instance);
        let coming = (handle, index);
        if let Some(refusal) = self.fleet.come_to_door(&self.core, &mut self.jobs, coming) {
            return self.refuse(handle, refusal);
        }
        if matches!(rules.shedding, Some(Shedding::Timeout { .. }))
            && self.fleet.station(index).busy >= rules.workers
        {
            self.shed_overdue(rules, index);
        }
        match self.fleet.enter(&mut self.core, &mut self.jobs, coming) {
            Entry::Begins => self.jobs.make_ready(handle),
            Entry::Waits => {}
            Entry::Refused(refusal) => self.refuse(handle, refusal),
        }
    }

    /// Takes the next job out of the line that is worth its work; refuses those that are not.
    fn next_in_line(&mut self, rules: &program::Station, index: usize) -> Option<Handle> {
        loop {
            match self.fleet.next_in_line(self.core.now(), rules, index) {
                Next::Refused(job, refusal) => self.refuse(job, refusal),
                Next::Nobody => return None,
                Next::Begins(job) => {
                    self.jobs.at_mut(job).begun = self.core.now();
                    return Some(job);
                }
            }
        }
    }

    /// Refuses those at the head of the line that have waited too long.
    fn shed_overdue(&mut self, rules: &program::Station, index: usize) {
        while let Some(overdue) = self.fleet.overdue(self.core.now(), rules, index) {
            self.refuse(overdue, Refusal::Shed);
        }
    }

    /// Answers a job that will not be begun.
    pub(in crate::system) fn refuse(&mut self, handle: Handle, refusal: Refusal) {
        // It stays where it was put: it is large.
        let removed = self.jobs.remove(handle);
        let job = removed.as_ref().expect("who is refused has not ended");
        if let Some(timer) = job.timer {
            self.core.cancel(timer);
        }
        let (from, order) = (job.node, job.subject.order);
        self.core.tell(Fact::Refused { node: from, order, refusal });
        if matches!(refusal, Refusal::Shed | Refusal::Expired | Refusal::TooLong) {
            self.fleet.teach_limit(&mut self.core, job, Outcome::Rejected);
        }
        if let Some(stay) = job.stay() {
            self.core.tell(Fact::Left(stay));
        }
        if let Origin::Call { call, attempt, edge } = job.origin {
            let outcome = match refusal {
                Refusal::RateLimit => Outcome::Throttled,
                _ => Outcome::Rejected,
            };
            if refusal == Refusal::Expired
                && self.core.program().node(from).station.discards_silently
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
