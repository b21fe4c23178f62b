//! The attempts of a call: whether one is made, what it came to, and what its policy says to that.

use super::Calls;
use super::call::draw_name;
use super::connections::Connection;
use super::ejection::Judged;
use super::policies::{Decision, Ended};
use crate::kernel::draw::{Draw, Purpose, key_of};
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::policy::custom::Moment;
use crate::policy::{Admission, Denial, Outcome, Response};
use crate::system::core::Core;
use crate::system::event::Event;
use crate::system::fact::Fact;
use crate::system::fleet::Fleet;
use crate::system::network::Message;
use crate::system::trace::TraceKind;

/// What becomes of a call whose turn it is to make an attempt.
#[derive(Debug)]
pub(in crate::system) enum Turn {
    /// It makes one, which has to be answered until then.
    Attempts { deadline: Time },
    /// It waits.
    Waits,
    /// It has no time left and makes none.
    IsOver,
    /// It must not make one, and its policy says what it does instead.
    Rejected(Decision),
}

/// What an attempt came to.
#[derive(Debug)]
pub(in crate::system) struct Settled {
    /// What the policy says.
    pub(in crate::system) decision: Decision,
    /// Whether the attempt is kept, which may still answer until the deadline of the call.
    pub(in crate::system) is_kept: bool,
}

impl Calls {
    /// Asks the policy of a call whether it may make an attempt.
    pub(in crate::system) fn ask(&mut self, core: &mut Core<'_>, handle: Handle) -> Turn {
        let program = core.program();
        let call = self.open.at_mut(handle);
        let edge = program.edge(call.edge);
        let policy = call.policy(program);
        let deadline = call.deadline(program);
        if core.now() >= deadline && (core.now() > call.started || core.now() >= call.limit) {
            let denial = call.waits_for.unwrap_or(Denial::Deadline);
            self.tell_never_made(core, handle, denial);
            return Turn::IsOver;
        }
        // Admission and decision of one attempt have draws of their own.
        let (work, index) = draw_name(call.key, call.progress.attempts(), 0);
        let scope = call.scope as usize;
        let draw = match policy.admits_at_random() || self.policies.is_own(scope) {
            true => core.draw(Purpose::Policy, edge.id, work, index),
            false => Draw(0),
        };
        let held = call.progress.holds_place();
        let detector = self.detectors.of(call.edge, call.process);
        let admission = match self.detectors.leave_nobody(program, detector) {
            true => self.policies.reject(scope, policy, &mut call.progress, Denial::NoInstance),
            false => self.policies.admit(scope, policy, &mut call.progress, core.now(), draw),
        };
        let waits_for_room = call.progress.waits_for_room();
        let patience = policy.patience(&call.progress, core.now());
        if admission != Admission::Queue && self.policies.wait_no_more(scope, handle) {
            // What was kept for it and is not taken is for the next.
            self.wake_waiters(core, scope);
        }
        match admission {
            Admission::Go => Turn::Attempts { deadline },
            Admission::Wait(span) => {
                self.open.at_mut(handle).waits_for = Some(Denial::RateLimit);
                self.wait(core, handle, span.max(Span(1)));
                Turn::Waits
            }
            Admission::Queue => {
                let denial =
                    if waits_for_room { policy.without_room() } else { Denial::BreakerOpen };
                self.open.at_mut(handle).waits_for = Some(denial);
                self.policies.wait(scope, handle, waits_for_room);
                self.wait(core, handle, patience);
                Turn::Waits
            }
            Admission::Reject(denial) => {
                let draw = core.draw(Purpose::Policy, edge.id, work, index + 1);
                Turn::Rejected(self.reject(core, handle, (denial, held), draw))
            }
        }
    }

    /// Asks the policy of a call what it does after an attempt that it must not make; `held` says
    /// whether it had a place in a bulkhead before it asked.
    fn reject(
        &mut self,
        core: &mut Core<'_>,
        handle: Handle,
        (denial, held): (Denial, bool),
        draw: Draw,
    ) -> Decision {
        let call = self.open.at_mut(handle);
        let (policy, scope) = (call.policy(core.program()), call.scope as usize);
        let (now, call_started) = (core.now(), call.started);
        let moment = Moment { now, attempt_started: now, call_started, draw };
        let decision = self.policies.denied(scope, policy, &mut call.progress, denial, moment);
        let (edge, attempt) = (call.edge, call.progress.attempts());
        let gives_back = held && !call.progress.holds_place();
        let (order, asked) = (call.subject.order, call.subject.asked);
        call.waits_for = None;
        core.tell(Fact::Denied { edge, attempt, denial, order, asked });
        if gives_back {
            self.wake_waiters(core, scope);
        }
        decision
    }

    /// A bulkhead of the caller has no room for a call, which so has never asked its policy.
    pub(in crate::system) fn deny_room(&self, core: &mut Core<'_>, handle: Handle) -> Ended {
        let call = self.open.at(handle);
        let (edge, order, asked) = (call.edge, call.subject.order, call.subject.asked);
        let ended = self.policies.never_asked(&call.progress);
        core.tell(Fact::Denied { edge, attempt: 1, denial: Denial::Bulkhead, order, asked });
        ended
    }

    /// Tells that the attempt which a call was about to make, its first one or one that its policy
    /// let wait, will never be made. A call that waits for its next retry had no such attempt.
    pub(in crate::system) fn tell_never_made(
        &self,
        core: &mut Core<'_>,
        handle: Handle,
        denial: Denial,
    ) {
        let call = self.open.at(handle);
        if call.progress.attempts() > 0 && call.waits_for.is_none() {
            return;
        }
        let (edge, order, asked) = (call.edge, call.subject.order, call.subject.asked);
        let attempt = call.progress.attempts() + 1;
        core.tell(Fact::Denied { edge, attempt, denial, order, asked });
    }

    /// Begins an attempt that was admitted; what is to be sent, and until when it is waited for.
    pub(in crate::system) fn begin_attempt(
        &mut self,
        core: &mut Core<'_>,
        handle: Handle,
        deadline: Time,
    ) -> (Message, Time) {
        let call = self.open.at_mut(handle);
        let (edge, policy) = (call.edge, call.policy(core.program()));
        call.sent += 1;
        call.running = true;
        call.waits_for = None;
        call.instance = None;
        call.attempt_started = core.now();
        let key = key_of(call.key, u64::from(call.sent));
        let timeout = policy.attempt_timeout.map_or(Time::NEVER, |span| core.now() + span);
        let until = timeout.min(deadline);
        let message = Message::Request {
            call: handle,
            attempt: call.sent,
            edge,
            target: core.program().edge(edge).target,
            operation: call.operation,
            key,
            subject: call.subject,
            value: call.value,
            token: call.token(core.program(), key),
            deadline: until,
            detector: self.detectors.of(edge, call.process),
            connection: Connection::of(call.scope, call.progress.ride()),
        };
        let (order, asked) = (call.subject.order, call.subject.asked);
        core.tell(Fact::Attempted { edge, attempt: call.progress.attempts(), order, asked });
        (message, until)
    }

    /// An attempt was sent: its caller waits for it until then, and may send copies of it.
    pub(in crate::system) fn await_attempt(
        &mut self,
        core: &mut Core<'_>,
        handle: Handle,
        until: Time,
    ) {
        if self.open.at(handle).policy(core.program()).hedge.is_some() {
            self.begin_hedging(core, handle, until);
        } else {
            self.set_timer(core, handle, until, Event::Timeout(handle));
        }
    }

    /// Tells the policy what the newest attempt came to, and asks it what comes next.
    pub(in crate::system) fn settle(
        &mut self,
        core: &mut Core<'_>,
        fleet: &Fleet,
        handle: Handle,
        response: Response,
    ) -> Settled {
        let outcome = response.outcome;
        let call = self.open.at_mut(handle);
        let (edge_id, scope) = (call.edge, call.scope as usize);
        let edge = core.program().edge(edge_id);
        let policy = call.policy(core.program());
        call.running = false;
        call.timer = None;
        let attempt = call.progress.attempts();
        let (order, asked) = (call.subject.order, call.subject.asked);
        let draw = if outcome == Outcome::Ok && !self.policies.is_own(scope) {
            Draw(0)
        } else {
            let (work, index) = draw_name(call.key, attempt, 1);
            core.draw(Purpose::Policy, edge.id, work, index)
        };
        let (now, attempt_started, call_started) = (core.now(), call.attempt_started, call.started);
        let moment = Moment { now, attempt_started, call_started, draw };
        let decision = self.policies.settle(scope, policy, &mut call.progress, moment, response);
        let (detector, instance) = (self.detectors.of(edge_id, call.process), call.instance);
        let work = key_of(call.key, u64::from(call.sent));
        core.tell(Fact::Settled { edge: edge_id, attempt, order, asked, outcome });
        self.detectors.judge(core, fleet, detector, Judged { instance, work, outcome });
        self.wake_waiters(core, scope);
        let is_kept = outcome.is_silence()
            && matches!(decision, Decision::End { done: false, .. })
            && policy.retry.as_ref().is_some_and(|retry| retry.keep_timed_out)
            && policy.deadline.is_some();
        Settled { decision, is_kept }
    }

    /// What the newest attempt came to that has ended without an answer: it had its time, or its
    /// call had.
    #[inline]
    pub(in crate::system) fn silence(
        &self,
        core: &Core<'_>,
        handle: Handle,
        started: Time,
    ) -> Outcome {
        match self.open.at(handle).policy(core.program()).attempt_timeout {
            Some(span) if started + span <= core.now() => Outcome::TimedOut,
            _ => Outcome::Deadline,
        }
    }

    /// Tells the policy that a call ends without a verdict, whatever it is doing, and what came of
    /// it, if anybody is there to know: all that it and its copies hold is given back, and others
    /// who wait for that may ask again.
    pub(in crate::system) fn abandon(
        &mut self,
        core: &mut Core<'_>,
        handle: Handle,
        outcome: Option<Outcome>,
    ) -> Ended {
        let call = self.open.at(handle);
        let gives_back = call.progress.holds_place() || call.hedged != Handle::NONE;
        self.abandon_copies(core.program(), handle);
        let call = self.open.at_mut(handle);
        let edge = core.program().edge(call.edge);
        let policy = call.policy(core.program());
        let scope = call.scope as usize;
        call.running = false;
        let ended = match outcome.filter(|_| policy.breaks_calls()) {
            None => self.policies.abandon(scope, policy, &mut call.progress),
            Some(outcome) => {
                let (work, index) = draw_name(call.key, call.progress.attempts(), 1);
                let draw = core.draw(Purpose::Policy, edge.id, work, index);
                let (now, call_started) = (core.now(), call.started);
                let moment = Moment { now, attempt_started: now, call_started, draw };
                self.policies.cut_short(scope, policy, &mut call.progress, outcome, moment)
            }
        };
        if gives_back {
            self.wake_waiters(core, scope);
        }
        ended
    }

    /// Whether a retry after this wait would begin when the caller's own caller leaves no time.
    #[inline]
    pub(in crate::system) fn is_too_late(
        &self,
        core: &Core<'_>,
        handle: Handle,
        after: Span,
    ) -> bool {
        let limit = self.open.at(handle).limit;
        limit < Time::NEVER && core.now() + after >= limit
    }

    /// Lets a call wait for its next attempt, but not beyond its deadline.
    #[inline]
    pub(in crate::system) fn wait(&mut self, core: &mut Core<'_>, handle: Handle, span: Span) {
        let deadline = self.open.at(handle).deadline(core.program());
        let at = (core.now() + span).min(deadline);
        self.set_timer(core, handle, at, Event::Retry(handle));
    }

    /// Sets the timer of a call, instead of the one that it has; no timer for what is never due.
    ///
    /// A caller that stood still finds its replies first when it goes on, and then what was due
    /// meanwhile: so no timer is set in a caller's past.
    #[inline]
    pub(in crate::system) fn set_timer(
        &mut self,
        core: &mut Core<'_>,
        handle: Handle,
        at: Time,
        event: Event,
    ) {
        let Some(call) = self.open.get_mut(handle) else { return };
        if let Some(timer) = call.timer.take() {
            core.cancel(timer);
        }
        if at < Time::NEVER {
            call.timer = Some(core.schedule_timer(at.max(core.now()), event));
        }
    }

    /// Lets calls that wait for this policy state ask again, as far as they may find room.
    #[inline]
    pub(in crate::system) fn wake_waiters(&mut self, core: &mut Core<'_>, scope: usize) {
        if !self.policies.keeps_nobody_waiting(scope) {
            self.wake_those(core, scope);
        }
    }

    fn wake_those(&mut self, core: &mut Core<'_>, scope: usize) {
        for handle in self.policies.wake(core.program(), scope) {
            self.set_timer(core, handle, core.now(), Event::Retry(handle));
        }
    }

    /// Folds an event about a call into the digest.
    #[inline]
    pub(in crate::system) fn fold(&self, core: &mut Core<'_>, kind: TraceKind, handle: Handle) {
        if let Some(call) = self.open.get(handle) {
            let caller = core.program().edge(call.edge).caller;
            core.fold(kind, caller, call.key);
        }
    }
}
