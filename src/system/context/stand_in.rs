//! Fallbacks of users: what stands in for a request that failed belongs to that request.
//!
//! A user who is served by a fallback has asked once and was served once. The request keeps its
//! operation and its beginning; its attempts are those of all its calls, and its answer is `ok` if
//! every call of the fallback was answered so.

use crate::kernel::slab::Handle;
use crate::policy::Outcome;
use crate::system::calls::Call;
use crate::system::context::Context;
use crate::system::fact::{Fact, Request};
use crate::system::job::{Job, Origin, StoodInFor};

impl Context<'_> {
    /// The job of a user's flow that runs a fallback, of which this job is a part.
    pub(in crate::system) fn standing_in(&self, handle: Handle) -> Option<Handle> {
        let job = self.jobs.get(handle)?;
        if job.extra.as_ref().is_some_and(|extra| extra.stands_in_for.is_some()) {
            return Some(handle);
        }
        let Origin::Fork { parent, round } = job.origin else { return None };
        let waits = self.jobs.get(parent)?.waits_for_branches(round);
        waits.then(|| self.standing_in(parent)).flatten()
    }

    /// The request that failed for which a job's calls stand in, if they do.
    pub(in crate::system) fn stands_in_for(&self, handle: Handle) -> Option<Request> {
        let job = self.jobs.get(self.standing_in(handle)?)?;
        job.extra.as_ref()?.stands_in_for.map(|stood_in_for| stood_in_for.request)
    }

    /// A call of a user has ended: its request is answered, unless a fallback stands by.
    pub(in crate::system) fn end_request(&mut self, call: &Call, outcome: Outcome) {
        let goes_on = outcome != Outcome::Ok && call.step(self.core.program()).stands_by;
        let attempts = call.sent;
        if let Some(request) = call.request() {
            if goes_on && let Some(job) = self.jobs.get_mut(call.owner) {
                let waiting = StoodInFor { request, failed: outcome, attempts, served: None };
                job.extra_mut().stands_in_for = Some(waiting);
                return;
            }
            return self.core.tell(Fact::Answered { request, outcome, attempts });
        }
        let Some(job) = self.standing_in(call.owner).and_then(|job| self.jobs.get_mut(job)) else {
            return;
        };
        if let Some(stood_in_for) = &mut job.extra_mut().stands_in_for {
            stood_in_for.attempts += attempts;
            if !goes_on {
                stood_in_for.hear(outcome);
            }
        }
    }

    /// A job has ended, perhaps in the middle of a fallback.
    pub(in crate::system) fn end_fallback(&mut self, job: &Job) {
        if let Some(extra) = &job.extra {
            self.tell_stood_in_for(extra.stands_in_for.as_ref());
        }
    }

    pub(in crate::system) fn tell_stood_in_for(&mut self, stood_in_for: Option<&StoodInFor>) {
        let Some(&StoodInFor { request, failed, attempts, served }) = stood_in_for else { return };
        let outcome = served.unwrap_or(failed);
        self.core.tell(Fact::Answered { request, outcome, attempts });
    }
}
