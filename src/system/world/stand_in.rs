//! Fallbacks of users: what stands in for a request that failed belongs to that request.
//!
//! A user who is served by a fallback has asked once and was served once. The request keeps its
//! operation and its beginning; its attempts are those of all its calls, and its answer is `ok` if
//! every call of the fallback was answered so.

use crate::kernel::slab::Handle;
use crate::policy::Outcome;
use crate::system::World;
use crate::system::job::StoodInFor;

impl<'p> World<'p> {
    /// The fallback of a user has come to its end.
    pub(in crate::system) fn answer_user(&mut self, handle: Handle) {
        let Some(job) = self.cx.jobs.get_mut(handle) else { return };
        let stood_in_for = job.extra.as_mut().and_then(|extra| extra.stands_in_for.take());
        let is_served = |own: &&StoodInFor| own.served == Some(Outcome::Ok);
        let served = stood_in_for.as_ref().filter(is_served).map(|own| own.request);
        self.tell_quality(handle, served);
        self.cx.tell_stood_in_for(stood_in_for.as_ref());
    }
}
