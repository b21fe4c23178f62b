//! Who works where: jobs that come to an instance, wait for a worker, begin and leave.

use crate::kernel::slab::Handle;
use crate::system::World;
use crate::system::fact::Refusal;

impl<'p> World<'p> {
    /// A job has waited as long as it may: for a worker, without which it is refused, or for a
    /// place of a pool.
    pub(in crate::system) fn give_up(&mut self, handle: Handle) {
        if self.give_up_place(handle) {
            return;
        }
        let Some(job) = self.cx.jobs.get(handle) else { return };
        let index = self.cx.fleet.index(job.node, job.instance);
        if self.cx.fleet.give_up(self.cx.core.now(), index, handle) {
            self.cx.refuse(handle, Refusal::TooLong);
        }
    }
}
