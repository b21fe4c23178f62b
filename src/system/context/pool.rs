//! Handlers that take a place of a pool, or give up.

use crate::kernel::slab::Handle;
use crate::model::program::Hold;
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::fact::{Fact, Refusal};
use crate::system::job::Progress;

impl Context<'_> {
    /// Takes a place of a pool for a job, or lets the job wait for one.
    pub(in crate::system) fn hold(&mut self, handle: Handle, hold: Hold) -> Progress {
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
