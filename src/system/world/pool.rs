//! Handlers that take a place of a pool, or give up.

use crate::kernel::slab::Handle;
use crate::policy::Outcome;
use crate::system::World;
use crate::system::fact::{Fact, Refusal};

impl<'p> World<'p> {
    /// A job has waited for a place as long as it may: it goes on without, or fails. Says whether
    /// it was waiting for one.
    pub(in crate::system) fn give_up_place(&mut self, handle: Handle) -> bool {
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
