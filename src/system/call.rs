//! Calls: attempts, timeouts, retries, and what the caller's policy says to each.

use super::connections::Connection;
use super::crash;
use super::fact::{Asked, Fact, Request};
use super::fleet::Place;
use super::job::{Job, Subject};
use super::network::Message;
use super::policies::Decision;
use super::trace::TraceKind;
use super::{Event, World};
use crate::kernel::draw::{Draw, Purpose, key_of};
use crate::kernel::queue::TimerId;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{self, EdgeId, StateOf, Token};
use crate::policy::bulkhead::Room;
use crate::policy::custom::Moment;
use crate::policy::{Admission, Denial, Outcome, Progress, Response};

/// A call that has not come to its end.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The job that waits for it.
    pub(super) owner: Handle,
    pub(super) step: program::Call,
    /// A stable key of this call.
    pub(super) key: u64,
    /// The policy state that it shares.
    pub(super) scope: u32,
    /// The caller's process: its instance.
    pub(super) process: u32,
    pub(super) progress: Progress,
    /// How many attempts were sent.
    pub(super) sent: u32,
    /// Whether the newest attempt is on its way.
    pub(super) running: bool,
    pub(super) started: Time,
    pub(super) attempt_started: Time,
    pub(super) timer: Option<TimerId>,
    /// The instance that the newest attempt came to, as far as an ejection asks for it.
    pub(super) instance: Option<u32>,
    /// When it must have ended: what the caller's own caller leaves it.
    pub(super) limit: Time,
    /// What its next attempt waits for, if its policy lets it wait.
    waits_for: Option<Denial>,
    /// What it holds of a bulkhead.
    pub(super) place: Place,
    /// Its copies, if its policy hedges and an attempt runs.
    pub(super) hedged: Handle,
    pub(super) subject: Subject,
    pub(super) value: u64,
    /// What names the caller's own work: the message that it is handling, or the job itself.
    work: u64,
    /// Whether a user asked.
    is_request: bool,
}

/// Whether the job that called can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resumption {
    /// It waits for the answer, or has ended.
    Later,
    /// The answer is there already.
    Now,
}

impl Call {
    pub(super) fn edge(&self) -> EdgeId {
        self.step.edge
    }

    /// Whether the caller waits for this attempt.
    pub(super) fn waits_for(&self, attempt: u32) -> bool {
        self.running && self.sent == attempt
    }

    /// The word that makes an attempt the same work as others; 0 if nothing does.
    pub(super) fn token(&self, attempt_key: u64) -> u64 {
        match self.step.token {
            Token::None => 0,
            Token::Order => key_of(self.subject.order, 1) | 1,
            Token::Request => key_of(self.subject.request, 2) | 1,
            Token::Attempt => key_of(attempt_key, 3) | 1,
            Token::Key => key_of(u64::from(self.subject.key), 4) | 1,
            Token::Delivery | Token::Caller => self.work,
        }
    }

    /// The user's request, if this call is one.
    pub(super) fn request(&self) -> Option<Request> {
        let request = Request {
            operation: self.step.operation,
            order: self.subject.order,
            key: self.subject.key,
            started: self.started,
        };
        self.is_request.then_some(request)
    }
}

impl World<'_> {
    /// Starts a call of a job.
    pub(super) fn call(&mut self, owner: Handle, step: program::Call) -> Resumption {
        if self.cx.has_kills() && self.dies_at(owner, step.edge, crash::Moment::Before) {
            return Resumption::Later;
        }
        let value = self.bring(owner, &step);
        let job = self.jobs.at(owner);
        let edge = self.cx.program().edge(step.edge);
        let key = key_of(job.round_key(), u64::from(step.site));
        let mut subject = job.subject;
        subject.event = step.tells.unwrap_or(subject.event);
        let stands_in_for = self.stands_in_for(owner);
        if edge.is_entry {
            subject.request = key;
            subject.since = self.cx.now();
            subject.asked = match stands_in_for {
                Some(request) => request.asked(),
                None => Asked { operation: step.operation, at: self.cx.now() },
            };
        }
        let scope = match edge.state_of {
            StateOf::Process => edge.scope + job.instance,
            StateOf::Everybody => edge.scope,
            StateOf::Call => self.policies.for_a_call(self.cx.program(), edge.policy),
        };
        let call = Call {
            owner,
            step,
            key,
            scope,
            process: job.instance,
            progress: self.cx.program().policies[edge.policy as usize].1.begin(),
            sent: 0,
            running: false,
            started: self.cx.now(),
            attempt_started: self.cx.now(),
            timer: None,
            instance: None,
            limit: self.limit_of(job),
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
            if let Some(job) = self.jobs.get_mut(owner) {
                job.subject.asked = request.asked();
            }
            self.cx.tell(Fact::Requested(request));
        }
        self.cx.ledger_mut().calls.enter();
        let handle = self.calls.open(call);
        match self.ask_room(handle) {
            Room::Enter => self.attempt(handle),
            Room::Queue => Resumption::Later,
            Room::Full => self.deny_room(handle),
        }
    }

    /// Asks the bulkhead of a call for room; one that has to wait gives up at its deadline.
    fn ask_room(&mut self, handle: Handle) -> Room {
        let call = self.calls.at(handle);
        let Some(passed) = self.fleet.bulkhead(&self.cx, call) else { return Room::Enter };
        let deadline = self.deadline_of(call);
        let (room, patience) = self.fleet.ask_room(passed, self.cx.now(), handle);
        let call = self.calls.at_mut(handle);
        match room {
            Room::Enter => call.place = Place::Inside,
            Room::Full => {}
            Room::Queue => {
                call.place = Place::Waiting;
                self.set_call_timer(handle, deadline.min(patience), Event::Retry(handle));
            }
        }
        room
    }

    /// Gives back what a call that has ended held of a bulkhead; the next one may go on.
    pub(super) fn leave_room(&mut self, handle: Handle, call: &Call) {
        if call.place == Place::Outside {
            return;
        }
        let Some(passed) = self.fleet.bulkhead(&self.cx, call) else { return };
        if let Some(next) = self.fleet.leave_room(passed, (handle, call.place), &self.calls) {
            self.calls.at_mut(next).place = Place::Inside;
            self.set_call_timer(next, self.cx.now(), Event::Retry(next));
        }
    }

    /// Until when anything may be begun for a job: what its caller leaves it, if its node
    /// propagates deadlines.
    pub(super) fn limit_of(&self, job: &Job) -> Time {
        let rules = &self.cx.program().node(job.node).station;
        let parent = (job.deadline < Time::NEVER).then_some(job.deadline);
        let limit = rules.propagation.and_then(|rule| rule.child(self.cx.now(), None, parent));
        limit.unwrap_or(Time::NEVER)
    }

    /// When a call must have ended, retries included.
    pub(super) fn deadline_of(&self, call: &Call) -> Time {
        let edge = self.cx.program().edge(call.step.edge);
        let policy = &self.cx.program().policies[edge.policy as usize].1;
        policy.deadline.map_or(Time::NEVER, |span| call.started + span).min(call.limit)
    }

    /// A bulkhead has no room for a call: it is not attempted.
    fn deny_room(&mut self, handle: Handle) -> Resumption {
        let Some(call) = self.calls.get(handle) else { return Resumption::Later };
        let (edge, order, asked) = (call.step.edge, call.subject.order, call.subject.asked);
        let ended = self.policies.never_asked(&call.progress);
        self.cx.tell(Fact::Denied { edge, attempt: 1, denial: Denial::Bulkhead, order, asked });
        self.end_call(handle, ended, Outcome::Rejected, 0)
    }

    /// Attempts a call, if its policy admits the attempt.
    fn attempt(&mut self, handle: Handle) -> Resumption {
        let Some(call) = self.calls.get_mut(handle) else { return Resumption::Later };
        let edge = self.cx.program().edge(call.step.edge);
        let policy = &self.cx.program().policies[edge.policy as usize].1;
        let own = policy.deadline.map_or(Time::NEVER, |span| call.started + span);
        let deadline = own.min(call.limit);
        if self.cx.now() >= deadline
            && (self.cx.now() > call.started || self.cx.now() >= call.limit)
        {
            let denial = call.waits_for.unwrap_or(Denial::Deadline);
            self.tell_never_made(handle, denial);
            return self.abandon_call(handle, Outcome::Deadline, 0);
        }
        // Admission and decision of one attempt have draws of their own.
        let (work, index) = draw_name(call.key, call.progress.attempts(), 0);
        let scope = call.scope as usize;
        let draw = match policy.admits_at_random() || self.policies.is_own(scope) {
            true => self.cx.draw(Purpose::Policy, edge.id, work, index),
            false => Draw(0),
        };
        let held = call.progress.holds_place();
        let detector = self.detectors.of(call.step.edge, call.process);
        let admission = match self.detectors.leave_nobody(self.cx.program(), detector) {
            true => self.policies.reject(scope, policy, &mut call.progress, Denial::NoInstance),
            false => self.policies.admit(scope, policy, &mut call.progress, self.cx.now(), draw),
        };
        let waits_for_room = call.progress.waits_for_room();
        let patience = policy.patience(&call.progress, self.cx.now());
        if admission != Admission::Queue && self.policies.wait_no_more(scope, handle) {
            // What was kept for it and is not taken is for the next.
            self.wake_waiters(scope);
        }
        match admission {
            Admission::Go => {
                self.send_attempt(handle, deadline);
                Resumption::Later
            }
            Admission::Wait(span) => {
                self.note_waiting(handle, Denial::RateLimit);
                self.wait(handle, span.max(Span(1)))
            }
            Admission::Queue => {
                let denial =
                    if waits_for_room { policy.without_room() } else { Denial::BreakerOpen };
                self.note_waiting(handle, denial);
                self.policies.wait(scope, handle, waits_for_room);
                self.wait(handle, patience)
            }
            Admission::Reject(denial) => {
                let Some(call) = self.calls.get_mut(handle) else { return Resumption::Later };
                let draw = self.cx.draw(Purpose::Policy, edge.id, work, index + 1);
                let moment = Moment {
                    now: self.cx.now(),
                    attempt_started: self.cx.now(),
                    call_started: call.started,
                    draw,
                };
                let decision =
                    self.policies.denied(scope, policy, &mut call.progress, denial, moment);
                let (edge, attempt) = (call.step.edge, call.progress.attempts());
                let gives_back = held && !call.progress.holds_place();
                let (order, asked) = (call.subject.order, call.subject.asked);
                call.waits_for = None;
                self.cx.tell(Fact::Denied { edge, attempt, denial, order, asked });
                if gives_back {
                    self.wake_waiters(scope);
                }
                self.follow(handle, decision, Outcome::Rejected, 0)
            }
        }
    }

    /// Notes what the next attempt of a call waits for.
    fn note_waiting(&mut self, handle: Handle, denial: Denial) {
        if let Some(call) = self.calls.get_mut(handle) {
            call.waits_for = Some(denial);
        }
    }

    /// Tells that the attempt which a call was about to make, its first one or one that its policy
    /// let wait, will never be made. A call that waits for its next retry had no such attempt.
    pub(super) fn tell_never_made(&mut self, handle: Handle, denial: Denial) {
        let Some(call) = self.calls.get(handle) else { return };
        if call.progress.attempts() > 0 && call.waits_for.is_none() {
            return;
        }
        let (edge, order, asked) = (call.step.edge, call.subject.order, call.subject.asked);
        let attempt = call.progress.attempts() + 1;
        self.cx.tell(Fact::Denied { edge, attempt, denial, order, asked });
    }

    /// Sends an admitted attempt and sets its timer.
    fn send_attempt(&mut self, handle: Handle, deadline: Time) {
        let Some(call) = self.calls.get_mut(handle) else { return };
        let edge_id = call.step.edge;
        let edge = self.cx.program().edge(edge_id);
        let policy = &self.cx.program().policies[edge.policy as usize].1;
        call.sent += 1;
        call.running = true;
        call.waits_for = None;
        call.instance = None;
        call.attempt_started = self.cx.now();
        let attempt = call.sent;
        let key = key_of(call.key, u64::from(attempt));
        let timeout = policy.attempt_timeout.map_or(Time::NEVER, |span| self.cx.now() + span);
        let until = timeout.min(deadline);
        let token = call.token(key);
        let message = Message::Request {
            call: handle,
            attempt,
            edge: edge_id,
            target: edge.target,
            operation: call.step.operation,
            key,
            subject: call.subject,
            value: call.value,
            token,
            deadline: until,
            detector: self.detectors.of(edge_id, call.process),
            connection: Connection::of(policy, call.scope, call.progress.ride()),
        };
        let (order, asked) = (call.subject.order, call.subject.asked);
        let attempt = call.progress.attempts();
        self.cx.tell(Fact::Attempted { edge: edge_id, attempt, order, asked });
        self.send_request(edge_id, message);
        if policy.hedge.is_some() {
            self.begin_hedging(handle, until);
        } else {
            self.set_call_timer(handle, until, Event::Timeout(handle));
        }
    }

    /// Sets the timer of a call, instead of the one that it has; no timer for what is never due.
    ///
    /// A caller that stood still finds its replies first when it goes on, and then what was due
    /// meanwhile: so no timer is set in a caller's past.
    pub(super) fn set_call_timer(&mut self, handle: Handle, at: Time, event: Event) {
        let Some(call) = self.calls.get_mut(handle) else { return };
        if let Some(timer) = call.timer.take() {
            self.cx.cancel(timer);
        }
        if at < Time::NEVER {
            call.timer = Some(self.cx.schedule_timer(at.max(self.cx.now()), event));
        }
    }

    /// An attempt has taken too long: what it does from now on is nobody's business.
    pub(super) fn time_out(&mut self, handle: Handle) {
        let Some(call) = self.calls.get(handle) else { return };
        if call.hedged != Handle::NONE {
            return self.hedge_tick(handle);
        }
        let silence = self.silence(call.edge(), call.attempt_started);
        self.expect_late_reply(handle);
        self.settle(handle, Response::new(silence), 0);
    }

    /// What an attempt came to that has ended without an answer: it had its time, or the call had.
    pub(super) fn silence(&self, edge: EdgeId, started: Time) -> Outcome {
        let policy = &self.cx.program().policies[self.cx.program().edge(edge).policy as usize].1;
        match policy.attempt_timeout {
            Some(span) if started + span <= self.cx.now() => Outcome::TimedOut,
            _ => Outcome::Deadline,
        }
    }

    /// A call has waited long enough for its next attempt.
    pub(super) fn retry(&mut self, handle: Handle) {
        let Some(call) = self.calls.get_mut(handle) else { return };
        call.timer = None;
        let owner = call.owner;
        let resumption = match call.place {
            Place::Waiting => self.deny_room(handle),
            Place::Outside | Place::Inside => self.attempt(handle),
        };
        if resumption == Resumption::Now {
            self.jobs.make_ready(owner);
        }
    }

    /// A reply has arrived.
    pub(super) fn take_reply(
        &mut self,
        handle: Handle,
        attempt: u32,
        edge: EdgeId,
        order: u64,
        response: Response,
        value: u64,
    ) {
        self.hear_quality(handle, attempt);
        if !self.expects(handle, attempt) {
            let outcome = response.outcome;
            return self.take_stale(handle, attempt, edge, order, outcome, value);
        }
        let Some(call) = self.calls.get_mut(handle) else { return };
        if call.hedged != Handle::NONE {
            return self.take_copy(handle, attempt, response, value);
        }
        if let Some(timer) = call.timer.take() {
            self.cx.cancel(timer);
        }
        self.settle(handle, response, value);
    }

    /// Tells the policy what the newest attempt came to, and does what it says.
    fn settle(&mut self, handle: Handle, response: Response, value: u64) {
        let outcome = response.outcome;
        let Some(call) = self.calls.get_mut(handle) else { return };
        let (edge_id, owner, scope) = (call.step.edge, call.owner, call.scope as usize);
        let edge = self.cx.program().edge(edge_id);
        let policy = &self.cx.program().policies[edge.policy as usize].1;
        call.running = false;
        call.timer = None;
        let attempt = call.progress.attempts();
        let (order, asked) = (call.subject.order, call.subject.asked);
        let draw = if outcome == Outcome::Ok && !self.policies.is_own(scope) {
            Draw(0)
        } else {
            let (work, index) = draw_name(call.key, attempt, 1);
            self.cx.draw(Purpose::Policy, edge.id, work, index)
        };
        let moment = Moment {
            now: self.cx.now(),
            attempt_started: call.attempt_started,
            call_started: call.started,
            draw,
        };
        let decision = self.policies.settle(scope, policy, &mut call.progress, moment, response);
        let (detector, instance) = (self.detectors.of(edge_id, call.process), call.instance);
        let work = key_of(call.key, u64::from(call.sent));
        self.cx.tell(Fact::Settled { edge: edge_id, attempt, order, asked, outcome });
        self.judge_instance(detector, instance, work, outcome);
        self.wake_waiters(scope);
        // An attempt that was kept may still answer until the deadline.
        let kept = outcome.is_silence()
            && matches!(decision, Decision::End { done: false, .. })
            && policy.retry.is_some_and(|retry| retry.keep_timed_out);
        if kept && policy.deadline.is_some() {
            self.wait(handle, Span::MAX);
        } else if self.follow(handle, decision, outcome, value) == Resumption::Now {
            self.jobs.make_ready(owner);
        }
    }

    /// Does what a policy says.
    pub(super) fn follow(
        &mut self,
        handle: Handle,
        decision: Decision,
        outcome: Outcome,
        value: u64,
    ) -> Resumption {
        match decision {
            Decision::End { done: true, ended } => self.end_call(handle, ended, Outcome::Ok, value),
            Decision::End { done: false, ended } => self.end_call(handle, ended, outcome, 0),
            Decision::Retry { after } if self.is_too_late(handle, after) => {
                self.abandon_call(handle, outcome, 0)
            }
            Decision::Retry { after } => self.wait(handle, after),
        }
    }

    /// Whether a retry after this wait would begin when the caller's own caller leaves no time.
    fn is_too_late(&self, handle: Handle, after: Span) -> bool {
        let limit = self.calls.get(handle).map_or(Time::NEVER, |call| call.limit);
        limit < Time::NEVER && self.cx.now() + after >= limit
    }

    /// Lets a call wait for its next attempt, but not beyond its deadline.
    fn wait(&mut self, handle: Handle, span: Span) -> Resumption {
        let Some(call) = self.calls.get(handle) else { return Resumption::Later };
        let at = (self.cx.now() + span).min(self.deadline_of(call));
        self.set_call_timer(handle, at, Event::Retry(handle));
        Resumption::Later
    }

    /// Lets calls that wait for this policy state ask again, as far as they may find room.
    pub(super) fn wake_waiters(&mut self, scope: usize) {
        for handle in self.policies.wake(self.cx.program(), scope) {
            self.set_call_timer(handle, self.cx.now(), Event::Retry(handle));
        }
    }

    /// Folds an event about a call into the digest.
    pub(super) fn fold_call(&mut self, kind: TraceKind, handle: Handle) {
        if let Some(call) = self.calls.get(handle) {
            let caller = self.cx.program().edge(call.step.edge).caller;
            self.cx.fold(kind, caller, call.key);
        }
    }
}

/// The work and the index that name the draws of an attempt, one of them for each side of it. An
/// index counts to 2^16: attempts beyond are named like those of other work.
pub(super) fn draw_name(key: u64, attempts: u32, side: u16) -> (u64, u16) {
    let rounds = attempts >> 15;
    let work = if rounds == 0 { key } else { key_of(key, u64::from(rounds)) };
    (work, ((attempts & 0x7fff) as u16) << 1 | side)
}
