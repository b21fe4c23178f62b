//! Quality of answers: a fallback may serve less than was asked for.
//!
//! What a handler answers after such a fallback is degraded, and so is what its caller answers by
//! that answer, up to the user. An answer that nobody hears degrades nothing.

use std::collections::BTreeSet;

use crate::kernel::slab::Handle;
use crate::policy::Outcome;
use crate::system::World;
use crate::system::calls::Call;
use crate::system::fact::{Fact, Request};
use crate::system::job::{Job, Origin};

/// What is degraded.
#[derive(Clone, Debug, Default)]
pub(in crate::system) struct Quality {
    /// Jobs that have served less than was asked for, or have heard so.
    jobs: BTreeSet<Handle>,
    /// Answers on their way, by call and attempt.
    answers: BTreeSet<(Handle, u32)>,
    /// Calls by the answer that they heard last.
    calls: BTreeSet<Handle>,
}

impl<'p> World<'p> {
    /// A fallback of a job serves less than was asked for.
    pub(in crate::system) fn degrade(&mut self, handle: Handle) {
        self.quality.jobs.insert(handle);
    }

    /// A job has ended: whoever asked for it will hear of its quality.
    pub(in crate::system) fn pass_quality_on(
        &mut self,
        handle: Handle,
        job: &Job,
        outcome: Outcome,
    ) {
        if self.quality.jobs.is_empty() {
            return;
        }
        if !self.quality.jobs.remove(&handle) || outcome != Outcome::Ok {
            return;
        }
        match job.origin {
            Origin::Call { call, attempt, .. } => {
                self.quality.answers.insert((call, attempt));
            }
            Origin::Fork { parent, round } => {
                if self.cx.jobs.get(parent).is_some_and(|parent| parent.waits_for_branches(round)) {
                    self.quality.jobs.insert(parent);
                }
            }
            Origin::Nobody | Origin::User(_) | Origin::Delivery { .. } | Origin::Publish { .. } => {
            }
        }
    }

    /// A call hears the answer to an attempt.
    pub(in crate::system) fn hear_quality(&mut self, call: Handle, attempt: u32) {
        if self.quality.answers.is_empty() {
            return;
        }
        let is_degraded = self.quality.answers.remove(&(call, attempt));
        if is_degraded && self.cx.calls.expects(call, attempt) {
            self.quality.calls.insert(call);
        }
    }

    /// A call has ended: what it heard is passed on to whoever made it.
    pub(in crate::system) fn end_quality(&mut self, handle: Handle, call: &Call, outcome: Outcome) {
        if self.quality.calls.is_empty() {
            return;
        }
        if !self.quality.calls.remove(&handle) || outcome != Outcome::Ok {
            return;
        }
        match call.request() {
            Some(request) => self.cx.core.tell(Fact::Degraded(request)),
            None => {
                let owner = self.cx.standing_in(call.owner).unwrap_or(call.owner);
                self.quality.jobs.insert(owner);
            }
        }
    }

    /// The fallback of a user has come to its end; `served` is the request that it answers `ok`.
    pub(in crate::system) fn tell_quality(&mut self, handle: Handle, served: Option<Request>) {
        if self.quality.jobs.remove(&handle)
            && let Some(request) = served
        {
            self.cx.core.tell(Fact::Degraded(request));
        }
    }
}
