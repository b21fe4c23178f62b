//! Handlers that take a place of a pool, or give up.

use super::World;
use super::context::Context;
use super::fact::{Fact, Refusal};
use super::job::Progress;
use crate::kernel::slab::Handle;
use crate::model::program::Hold;
use crate::policy::Outcome;

impl Context<'_> {
    /// Takes a place of a pool for a job, or lets the job wait for one.
    pub(super) fn hold(&mut self, handle: Handle, hold: Hold) -> Progress {
        let job = self.jobs.at(handle);
        let (node, order, deadline) = (job.node, job.subject.order, job.deadline);
        let limit = self.limit_of(job);
        let rules = &self.core.program().node(node).station;
        if let Some(rule) = rules.propagation
            && !rule.worth_starting(self.core.now(), Some(deadline), rule.margin)
        {
            self.core.tell(Fact::Refused { node, order, refusal: Refusal::Expired });
            return Progress::Ends(Outcome::Failed);
        }
        self.fleet.hold(&mut self.core, &mut self.jobs, (handle, hold), limit)
    }
}

impl<'p> World<'p> {
    /// A job has waited for a place as long as it may: it goes on without, or fails. Says whether
    /// it was waiting for one.
    pub(super) fn give_up_place(&mut self, handle: Handle) -> bool {
        let Some(job) = self.cx.jobs.get_mut(handle) else { return false };
        let Some(given_up) = self.cx.fleet.give_up_place(&mut self.cx.core, job) else {
            return false;
        };
        let (node, order) = (job.node, job.subject.order);
        let refusal = if given_up.had_its_time { Refusal::NoPlace } else { Refusal::Expired };
        self.cx.core.tell(Fact::Refused { node, order, refusal });
        match given_up.on_failure {
            Some(to) => {
                self.cx.jobs.at_mut(handle).step = to;
                self.cx.jobs.make_ready(handle);
            }
            None => self.end_job(handle, Outcome::Failed),
        }
        true
    }
}
