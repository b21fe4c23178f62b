//! The calls that have not come to their end, and what it takes to close one: the word of its
//! policy that it holds nothing any more.

use super::World;
use super::call::{Call, Resumption, draw_name};
use super::crash;
use super::policies::Ended;
use crate::kernel::draw::Purpose;
use crate::kernel::slab::{Handle, Slab};
use crate::model::program::StateOf;
use crate::policy::Outcome;
use crate::policy::custom::Moment;

/// Every open call. There is no way to take one out without [`Ended`].
#[derive(Clone, Debug, Default)]
pub(super) struct OpenCalls(Slab<Call>);

impl OpenCalls {
    pub(super) fn open(&mut self, call: Call) -> Handle {
        self.0.insert(call)
    }

    pub(super) fn get(&self, handle: Handle) -> Option<&Call> {
        self.0.get(handle)
    }

    /// A call that is open.
    ///
    /// # Panics
    /// If it has been closed.
    #[track_caller]
    pub(super) fn at(&self, handle: Handle) -> &Call {
        self.0.get(handle).expect("an open call has not been closed")
    }

    /// The same, to change it.
    ///
    /// # Panics
    /// If it has been closed.
    #[track_caller]
    pub(super) fn at_mut(&mut self, handle: Handle) -> &mut Call {
        self.0.get_mut(handle).expect("an open call has not been closed")
    }

    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut Call> {
        self.0.get_mut(handle)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Handle, &Call)> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes a call out that its policy knows has ended.
    pub(super) fn close(&mut self, handle: Handle, _: Ended) -> Option<Call> {
        self.0.remove(handle)
    }
}

impl World<'_> {
    /// Tells the policy that a call ends without a verdict, whatever it is doing, and what came of
    /// it, if anybody is there to know: all that it and its copies hold is given back, and others
    /// who wait for that may ask again.
    pub(super) fn abandon(&mut self, handle: Handle, outcome: Option<Outcome>) -> Option<Ended> {
        let call = self.calls.get(handle)?;
        let gives_back = call.progress.holds_place() || call.hedged != Handle::NONE;
        self.abandon_copies(handle);
        let call = self.calls.get_mut(handle)?;
        let edge = self.cx.program().edge(call.step.edge);
        let policy = &self.cx.program().policies[edge.policy as usize].1;
        let scope = call.scope as usize;
        call.running = false;
        let ended = match outcome.filter(|_| policy.breaks_calls()) {
            None => self.policies.abandon(scope, policy, &mut call.progress),
            Some(outcome) => {
                let (work, index) = draw_name(call.key, call.progress.attempts(), 1);
                let draw = self.cx.draw(Purpose::Policy, edge.id, work, index);
                let (now, call_started) = (self.cx.now(), call.started);
                let moment = Moment { now, attempt_started: now, call_started, draw };
                self.policies.cut_short(scope, policy, &mut call.progress, outcome, moment)
            }
        };
        if gives_back {
            self.wake_waiters(scope);
        }
        Some(ended)
    }

    /// Ends a call without a verdict of its policy.
    pub(super) fn abandon_call(
        &mut self,
        handle: Handle,
        outcome: Outcome,
        value: u64,
    ) -> Resumption {
        let Some(ended) = self.abandon(handle, Some(outcome)) else {
            return Resumption::Later;
        };
        self.end_call(handle, ended, outcome, value)
    }

    /// Ends a call: its caller gets the outcome.
    pub(super) fn end_call(
        &mut self,
        handle: Handle,
        ended: Ended,
        outcome: Outcome,
        value: u64,
    ) -> Resumption {
        let Some(call) = self.close_call(handle, ended, outcome) else { return Resumption::Later };
        if self.cx.has_kills()
            && outcome == Outcome::Ok
            && self.dies_at(call.owner, call.step.edge, crash::Moment::After)
        {
            return Resumption::Later;
        }
        match self.take_answer(call.owner, &call.step, outcome, value) {
            true => Resumption::Now,
            false => Resumption::Later,
        }
    }

    /// Takes a call out with what it had of its own, and tells the user's answer if a user asked.
    pub(super) fn close_call(
        &mut self,
        handle: Handle,
        ended: Ended,
        outcome: Outcome,
    ) -> Option<Call> {
        let mut call = self.calls.close(handle, ended)?;
        debug_assert_eq!(call.hedged, Handle::NONE, "its copies were given up");
        self.cx.ledger_mut().calls.leave();
        if let Some(timer) = call.timer.take() {
            self.cx.cancel(timer);
        }
        let scope = call.scope as usize;
        if self.policies.wait_no_more(scope, handle) {
            self.wake_waiters(scope);
        }
        if self.cx.program().edge(call.step.edge).state_of == StateOf::Call {
            self.policies.leave(call.scope);
        }
        self.end_quality(handle, &call, outcome);
        self.end_request(&call, outcome);
        self.leave_room(handle, &call);
        Some(call)
    }
}
