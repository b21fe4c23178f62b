//! Calls: jobs that ask others, and go on when their calls have ended.

use crate::kernel::draw::key_of;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{self, EdgeId, Token};
use crate::policy::bulkhead::Permission;
use crate::policy::{Outcome, Response};
use crate::system::World;
use crate::system::calls::{Call, Decision, Ended, Turn};
use crate::system::context::Context;
use crate::system::control::Moment;
use crate::system::event::Event;
use crate::system::fact::{Asked, Fact};
use crate::system::fleet::Place;
use crate::system::job::Job;

/// Whether the job that called can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::system) enum Resumption {
    /// It waits for the answer, or has ended.
    Later,
    /// The answer is there already.
    Now,
}

impl Context<'_> {
    /// Until when anything may be begun for a job: what its caller leaves it, if its node
    /// propagates deadlines.
    pub(in crate::system) fn limit_of(&self, job: &Job) -> Time {
        let rules = &self.core.program().node(job.node).station;
        let parent = (job.deadline < Time::NEVER).then_some(job.deadline);
        let limit = rules.propagation.and_then(|rule| rule.child(self.core.now(), None, parent));
        limit.unwrap_or(Time::NEVER)
    }
}

impl<'p> World<'p> {
    /// Starts a call of a job, which has come to the step after it.
    pub(in crate::system) fn call(&mut self, owner: Handle, step: &program::Call) -> Resumption {
        if self.cx.core.has_kills() && self.dies_at(owner, step.edge, Moment::Before) {
            return Resumption::Later;
        }
        let value = self.nodes.bring(&mut self.cx, owner, step);
        let job = self.cx.jobs.at(owner);
        let edge = self.cx.core.program().edge(step.edge);
        let key = key_of(job.round_key(), u64::from(step.site));
        let mut subject = job.subject;
        subject.event = step.tells.unwrap_or(subject.event);
        let stands_in_for = self.cx.stands_in_for(owner);
        if edge.is_entry {
            subject.request = key;
            subject.since = self.cx.core.now();
            subject.asked = match stands_in_for {
                Some(request) => request.asked(),
                None => Asked { operation: step.operation, at: self.cx.core.now() },
            };
        }
        let scope = self.cx.calls.scope(self.cx.core.program(), edge, job.instance);
        let call = Call {
            owner,
            edge: step.edge,
            operation: step.operation,
            step: job.step - 1,
            key,
            scope,
            policy: edge.policy,
            process: job.instance,
            progress: self.cx.core.program().policies[edge.policy as usize].1.begin(),
            sent: 0,
            running: false,
            started: self.cx.core.now(),
            attempt_started: self.cx.core.now(),
            timer: None,
            instance: None,
            limit: self.cx.limit_of(job),
            waits_for: None,
            place: Place::Outside,
            hedged: Handle::NONE,
            subject,
            value,
            work: match step.token {
                Token::Caller => key_of(job.key, 5) | 1,
                _ => job.delivery(),
            },
            is_request: edge.is_entry && stands_in_for.is_none(),
        };
        if let Some(request) = call.request() {
            // What the user does with the answer is done for this request.
            if let Some(job) = self.cx.jobs.get_mut(owner) {
                job.subject.asked = request.asked();
            }
            self.cx.core.tell(Fact::Requested(request));
        }
        let handle = self.cx.calls.open(&mut self.cx.core, call);
        match self.ask_room(handle) {
            Permission::Enter => self.attempt(handle),
            Permission::Queue => Resumption::Later,
            Permission::Full => self.deny_room(handle),
        }
    }

    /// Asks the bulkhead of a call for room; one that has to wait gives up at its deadline.
    fn ask_room(&mut self, handle: Handle) -> Permission {
        let call = self.cx.calls.at(handle);
        let Some(passed) = self.cx.fleet.bulkhead(&self.cx.core, call) else {
            return Permission::Enter;
        };
        let deadline = call.deadline(self.cx.core.program());
        let (room, patience) = self.cx.fleet.ask_room(passed, self.cx.core.now(), handle);
        let call = self.cx.calls.at_mut(handle);
        match room {
            Permission::Enter => call.place = Place::Inside,
            Permission::Full => {}
            Permission::Queue => {
                call.place = Place::Waiting;
                self.cx.calls.set_timer(
                    &mut self.cx.core,
                    handle,
                    deadline.min(patience),
                    Event::Retry(handle),
                );
            }
        }
        room
    }

    /// Gives back what a call that has ended held of a bulkhead; the next one may go on.
    pub(in crate::system) fn leave_room(&mut self, handle: Handle, call: &Call) {
        if call.place == Place::Outside {
            return;
        }
        let Some(passed) = self.cx.fleet.bulkhead(&self.cx.core, call) else { return };
        if let Some(next) = self.cx.fleet.leave_room(passed, (handle, call.place), &self.cx.calls) {
            self.cx.calls.at_mut(next).place = Place::Inside;
            let now = self.cx.core.now();
            self.cx.calls.set_timer(&mut self.cx.core, next, now, Event::Retry(next));
        }
    }

    /// A bulkhead has no room for a call: it is not attempted.
    fn deny_room(&mut self, handle: Handle) -> Resumption {
        let ended = self.cx.calls.deny_room(&mut self.cx.core, handle);
        self.end_call(handle, ended, Outcome::Rejected, 0)
    }

    /// Attempts a call, if its policy admits the attempt.
    fn attempt(&mut self, handle: Handle) -> Resumption {
        match self.cx.calls.ask(&mut self.cx.core, handle) {
            Turn::Attempts { deadline } => {
                let (message, until) =
                    self.cx.calls.begin_attempt(&mut self.cx.core, handle, deadline);
                self.nodes.send_request(&mut self.cx, message);
                self.cx.calls.await_attempt(&mut self.cx.core, handle, until);
                Resumption::Later
            }
            Turn::Waits => Resumption::Later,
            Turn::IsOver => self.abandon_call(handle, Outcome::Deadline, 0),
            Turn::Rejected(decision) => self.follow(handle, decision, Outcome::Rejected, 0),
        }
    }

    /// An attempt has taken too long: what it does from now on is nobody's business.
    pub(in crate::system) fn time_out(&mut self, handle: Handle) {
        let Some(call) = self.cx.calls.get(handle) else { return };
        if call.hedged != Handle::NONE {
            return self.hedge_tick(handle);
        }
        let silence = self.cx.calls.silence(&self.cx.core, handle, call.attempt_started);
        self.cx.calls.expect_late_reply(&mut self.cx.core, handle);
        self.settle(handle, Response::new(silence), 0);
    }

    /// A call has waited long enough for its next attempt.
    pub(in crate::system) fn retry(&mut self, handle: Handle) {
        let Some(call) = self.cx.calls.get_mut(handle) else { return };
        call.timer = None;
        let owner = call.owner;
        let resumption = match call.place {
            Place::Waiting => self.deny_room(handle),
            Place::Outside | Place::Inside => self.attempt(handle),
        };
        if resumption == Resumption::Now {
            self.cx.jobs.make_ready(owner);
        }
    }

    /// A reply has arrived.
    pub(in crate::system) fn take_reply(
        &mut self,
        handle: Handle,
        attempt: u32,
        edge: EdgeId,
        order: u64,
        response: Response,
        value: u64,
    ) {
        self.hear_quality(handle, attempt);
        if !self.cx.calls.expects(handle, attempt) {
            let outcome = response.outcome;
            return self.take_stale(handle, attempt, edge, order, outcome, value);
        }
        let Some(call) = self.cx.calls.get_mut(handle) else { return };
        if call.hedged != Handle::NONE {
            return self.take_copy(handle, attempt, response, value);
        }
        if let Some(timer) = call.timer.take() {
            self.cx.core.cancel(timer);
        }
        self.settle(handle, response, value);
    }

    /// Does what the policy says to what the newest attempt came to.
    fn settle(&mut self, handle: Handle, response: Response, value: u64) {
        let owner = self.cx.calls.at(handle).owner;
        let settled = self.cx.calls.settle(&mut self.cx.core, &self.cx.fleet, handle, response);
        if settled.is_kept {
            self.cx.calls.wait(&mut self.cx.core, handle, Span::MAX);
        } else if self.follow(handle, settled.decision, response.outcome, value) == Resumption::Now
        {
            self.cx.jobs.make_ready(owner);
        }
    }

    /// Does what a policy says.
    pub(in crate::system) fn follow(
        &mut self,
        handle: Handle,
        decision: Decision,
        outcome: Outcome,
        value: u64,
    ) -> Resumption {
        match decision {
            Decision::End { done: true, ended } => self.end_call(handle, ended, Outcome::Ok, value),
            Decision::End { done: false, ended } => self.end_call(handle, ended, outcome, 0),
            Decision::Retry { after }
                if self.cx.calls.is_too_late(&self.cx.core, handle, after) =>
            {
                self.abandon_call(handle, outcome, 0)
            }
            Decision::Retry { after } => {
                self.cx.calls.wait(&mut self.cx.core, handle, after);
                Resumption::Later
            }
        }
    }

    /// A reply has arrived for which nobody waits: a breaker may hear it, and a policy that keeps
    /// timed-out attempts takes a good answer after all.
    pub(in crate::system) fn take_stale(
        &mut self,
        handle: Handle,
        attempt: u32,
        edge_id: EdgeId,
        order: u64,
        outcome: Outcome,
        value: u64,
    ) {
        let program = self.cx.core.program();
        let policy = &program.policies[program.edge(edge_id).policy as usize].1;
        let keeps = policy.retry.as_ref().is_some_and(|retry| retry.keep_timed_out);
        if keeps
            && outcome == Outcome::Ok
            && let Some(call) = self.cx.calls.get(handle)
        {
            let (owner, asked) = (call.owner, call.subject.asked);
            self.cx.core.tell(Fact::Settled { edge: edge_id, attempt, order, asked, outcome });
            if self.abandon_call(handle, outcome, value) == Resumption::Now {
                self.cx.jobs.make_ready(owner);
            }
            return;
        }
        self.cx.calls.hear_late(&mut self.cx.core, (handle, attempt), edge_id, outcome);
        self.cx.core.tell(Fact::Stale { edge: edge_id, attempt, order });
    }

    /// Ends a call without a verdict of its policy.
    pub(in crate::system) fn abandon_call(
        &mut self,
        handle: Handle,
        outcome: Outcome,
        value: u64,
    ) -> Resumption {
        let ended = self.cx.calls.abandon(&mut self.cx.core, handle, Some(outcome));
        self.end_call(handle, ended, outcome, value)
    }

    /// Ends a call: its caller gets the outcome.
    pub(in crate::system) fn end_call(
        &mut self,
        handle: Handle,
        ended: Ended,
        outcome: Outcome,
        value: u64,
    ) -> Resumption {
        let call = self.close_call(handle, ended, outcome);
        if self.cx.core.has_kills()
            && outcome == Outcome::Ok
            && self.dies_at(call.owner, call.edge, Moment::After)
        {
            return Resumption::Later;
        }
        let step = call.step(self.cx.core.program());
        match self.take_answer(call.owner, step, outcome, value) {
            true => Resumption::Now,
            false => Resumption::Later,
        }
    }

    /// Takes a call out with what it had of its own, and tells the user's answer if a user asked.
    pub(in crate::system) fn close_call(
        &mut self,
        handle: Handle,
        ended: Ended,
        outcome: Outcome,
    ) -> Call {
        let call = self.cx.calls.close(&mut self.cx.core, handle, ended);
        self.end_quality(handle, &call, outcome);
        self.cx.end_request(&call, outcome);
        self.leave_room(handle, &call);
        call
    }
}
