//! Copies of a running attempt: several attempts of one call in flight, the first good answer wins.
//!
//! Only calls whose policy hedges have an entry here. What the other copies come to when one has
//! won is stale: nothing is cancelled at the server.

use super::World;
use super::call::{Call, Resumption, draw_name};
use super::connections::Connection;
use super::fact::Fact;
use super::network::Message;
use crate::kernel::draw::{Draw, Purpose, key_of};
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::policy::custom::Moment;
use crate::policy::hedge::{Copies, Hedge, Next, Step};
use crate::policy::{Admission, Denial, Holdings, Outcome, Policy, Progress, Response, State};
use crate::system::Event;

/// The copies of one call.
#[derive(Clone, Debug)]
pub(super) struct Hedged {
    copies: Copies,
    running: Vec<Copy>,
    /// When the next copy is due.
    due: Time,
    /// What the last copy that failed came to.
    last: Outcome,
}

/// One attempt of several.
#[derive(Clone, Debug)]
struct Copy {
    attempt: u32,
    /// Nothing for the first copy: its progress is that of the call.
    progress: Option<Progress>,
    started: Time,
    /// When it times out.
    until: Time,
    /// The instance that it came to, if it did.
    instance: Option<u32>,
}

impl<'p> World<'p> {
    /// The first attempt of a call whose policy hedges was sent.
    pub(super) fn begin_hedging(&mut self, handle: Handle, until: Time) {
        let Some((policy, hedge)) = self.hedging(handle) else { return };
        debug_assert!(policy.hedge.is_some());
        let Some(call) = self.calls.get_mut(handle) else { return };
        let Some(state) = &mut self.policies.state(call.scope as usize).hedge else { return };
        let copies = hedge.begin(state, self.cx.now());
        let due = hedge.due(state, &copies).map_or(Time::NEVER, |span| self.cx.now() + span);
        let (attempt, started) = (call.sent, self.cx.now());
        let first = Copy { attempt, progress: None, started, until, instance: None };
        let last = Outcome::TimedOut;
        call.hedged = self.hedges.insert(Hedged { copies, running: vec![first], due, last });
        self.set_hedge_timer(handle);
    }

    /// Whether a caller waits for this attempt, alone or among copies.
    pub(super) fn expects(&self, handle: Handle, attempt: u32) -> bool {
        self.calls.get(handle).is_some_and(|call| match self.hedges.get(call.hedged) {
            None => call.waits_for(attempt),
            Some(hedged) => hedged.running.iter().any(|copy| copy.attempt == attempt),
        })
    }

    /// When an attempt was sent, if its caller still waits for it.
    pub(super) fn sent_at(&self, handle: Handle, attempt: u32) -> Option<Time> {
        let call = self.calls.get(handle)?;
        match self.hedges.get(call.hedged) {
            None => call.waits_for(attempt).then_some(call.attempt_started),
            Some(hedged) => {
                let copy = hedged.running.iter().find(|copy| copy.attempt == attempt);
                copy.map(|copy| copy.started)
            }
        }
    }

    /// An attempt has come to this instance.
    pub(super) fn note_instance(&mut self, handle: Handle, attempt: u32, instance: u32) {
        let Some(call) = self.calls.get_mut(handle) else { return };
        let noted = match self.hedges.get_mut(call.hedged) {
            None if call.waits_for(attempt) => Some(&mut call.instance),
            None => None,
            Some(hedged) => {
                let copy = hedged.running.iter_mut().find(|copy| copy.attempt == attempt);
                copy.map(|copy| &mut copy.instance)
            }
        };
        // Of an attempt that arrives twice, the first copy is the one that counts.
        if let Some(noted) = noted {
            noted.get_or_insert(instance);
        }
    }

    /// A reply to one of several copies has arrived.
    pub(super) fn take_copy(
        &mut self,
        handle: Handle,
        attempt: u32,
        response: Response,
        value: u64,
    ) {
        let Some(hedged) = self.hedged(handle) else { return };
        let Some(index) = hedged.running.iter().position(|copy| copy.attempt == attempt) else {
            return;
        };
        if self.copy_back(handle, index, response, value) {
            self.set_hedge_timer(handle);
        }
    }

    /// A copy has taken too long, or the next one is due.
    pub(super) fn hedge_tick(&mut self, handle: Handle) {
        if let Some(call) = self.calls.get_mut(handle) {
            call.timer = None;
        }
        let now = self.cx.now();
        while let Some(hedged) = self.hedged(handle)
            && let Some(index) = hedged.running.iter().position(|copy| copy.until <= now)
        {
            let silence = self.silence_of_copy(handle, index);
            if !self.copy_back(handle, index, Response::new(silence), 0) {
                return;
            }
        }
        if self.hedged(handle).is_some_and(|hedged| hedged.due <= now) && !self.next_copy(handle) {
            return;
        }
        self.set_hedge_timer(handle);
    }

    fn silence_of_copy(&self, handle: Handle, index: usize) -> Outcome {
        let edge = self.calls.get(handle).map(Call::edge);
        let copy = self.hedged(handle).and_then(|hedged| hedged.running.get(index));
        let known = edge.zip(copy).map(|(edge, copy)| self.silence(edge, copy.started));
        known.unwrap_or(Outcome::TimedOut)
    }

    /// Books what one copy came to; says whether the call goes on.
    fn copy_back(&mut self, handle: Handle, index: usize, response: Response, value: u64) -> bool {
        let Some((policy, hedge)) = self.hedging(handle) else { return false };
        let Some(call) = self.calls.get_mut(handle) else { return false };
        let Some(hedged) = self.hedges.get_mut(call.hedged) else { return false };
        let mut copy = hedged.running.remove(index);
        let edge = self.cx.program().edge(call.step.edge);
        let work = key_of(call.key, u64::from(copy.attempt));
        let draw = self.cx.draw(Purpose::Policy, edge.id, work, 1);
        let detector = self.detectors.of(call.step.edge, call.process);
        let state = self.policies.state(call.scope as usize);
        let progress = copy.progress.as_mut().unwrap_or(&mut call.progress);
        policy.observe(state, progress, self.cx.now(), copy.started, response, draw);
        let took = self.cx.now().since(copy.started);
        let Some(of_hedging) = &mut state.hedge else { return false };
        if copy.progress.is_some() {
            hedge.leave(of_hedging, &mut hedged.copies);
        }
        let step = hedge.back(of_hedging, &mut hedged.copies, response, took, self.cx.now());
        let others = hedged.copies.running() > 0;
        hedged.last = response.outcome;
        let edge = call.step.edge;
        let goes_on = match step {
            Step::Win => None,
            // Silence is no answer: while others run, it does not end the call.
            Step::Fail if response.outcome.is_silence() && others => Some(Time::NEVER),
            Step::Fail => None,
            Step::Next { after } => Some(self.cx.now() + after),
        };
        if let Some(due) = goes_on {
            hedged.due = hedged.due.min(due);
        }
        let scope = call.scope as usize;
        let (order, asked) = (call.subject.order, call.subject.asked);
        let (attempt, outcome) = (copy.attempt, response.outcome);
        self.cx.tell(Fact::Settled { edge, attempt, order, asked, outcome });
        self.judge_instance(detector, copy.instance, work, outcome);
        self.wake_waiters(scope);
        match goes_on {
            None => {
                self.conclude(handle, response, value);
                false
            }
            Some(due) if due <= self.cx.now() => self.next_copy(handle),
            Some(_) => true,
        }
    }

    /// Sends the next copy if the policy lets it; says whether the call goes on.
    fn next_copy(&mut self, handle: Handle) -> bool {
        let Some((policy, hedge)) = self.hedging(handle) else { return false };
        let Some(call) = self.calls.get_mut(handle) else { return false };
        let Some(hedged) = self.hedges.get_mut(call.hedged) else { return false };
        hedged.due = Time::NEVER;
        let detector = self.detectors.of(call.step.edge, call.process);
        let state = self.policies.state(call.scope as usize);
        let Some(of_hedging) = &mut state.hedge else { return false };
        let last = hedged.last;
        match hedge.next(of_hedging, &mut hedged.copies, self.cx.now()) {
            Next::Wait => return true,
            Next::Fail => {
                self.conclude(handle, Response::new(last), 0);
                return false;
            }
            Next::Send => {}
        }
        let due = hedge.due(of_hedging, &hedged.copies);
        hedged.due = due.map_or(Time::NEVER, |span| self.cx.now() + span);
        let attempt = call.sent + 1;
        let edge_id = call.step.edge;
        let key = key_of(call.key, u64::from(attempt));
        let draw = match policy.admits_at_random() {
            true => self.cx.draw(Purpose::Policy, self.cx.program().edge(edge_id).id, key, 0),
            false => Draw(0),
        };
        let mut progress = policy.begin_copy();
        let admission = match self.detectors.leave_nobody(self.cx.program(), detector) {
            true => Admission::Reject(Denial::NoInstance),
            false => policy.admit(state, &mut progress, self.cx.now(), draw),
        };
        let denial = match admission {
            Admission::Go => None,
            Admission::Reject(denial) => Some(denial),
            // A copy waits for nothing.
            Admission::Wait(_) => Some(Denial::RateLimit),
            Admission::Queue if progress.waits_for_room() => Some(policy.without_room()),
            Admission::Queue => Some(Denial::BreakerOpen),
        };
        if let Some(denial) = denial {
            policy.abandon(state, &mut progress);
            hedged.copies.deny();
            if let Some(of_hedging) = &mut state.hedge {
                hedge.leave(of_hedging, &mut hedged.copies);
            }
            let goes_on = hedged.copies.running() > 0;
            let (order, asked) = (call.subject.order, call.subject.asked);
            self.cx.tell(Fact::Denied { edge: edge_id, attempt, denial, order, asked });
            if !goes_on {
                self.conclude(handle, Response::new(last), 0);
            }
            return goes_on;
        }
        call.sent = attempt;
        let deadline = policy.deadline.map_or(Time::NEVER, |span| call.started + span);
        let timeout = policy.attempt_timeout.map_or(Time::NEVER, |span| self.cx.now() + span);
        let until = timeout.min(deadline).min(call.limit);
        let connection = Connection::of(policy, call.scope, progress.ride());
        let (started, progress) = (self.cx.now(), Some(progress));
        hedged.running.push(Copy { attempt, progress, started, until, instance: None });
        let message = Message::Request {
            call: handle,
            attempt,
            edge: edge_id,
            target: self.cx.program().edge(edge_id).target,
            operation: call.step.operation,
            key,
            subject: call.subject,
            value: call.value,
            token: call.token(key),
            deadline: until,
            detector,
            connection,
        };
        let (order, asked) = (call.subject.order, call.subject.asked);
        self.cx.tell(Fact::Attempted { edge: edge_id, attempt, order, asked });
        self.send_request(edge_id, message);
        true
    }

    /// One copy has won, or all have failed: the others are not heard, and the policy says what
    /// comes next.
    fn conclude(&mut self, handle: Handle, response: Response, value: u64) {
        self.abandon_copies(handle);
        let Some((policy, _)) = self.hedging(handle) else { return };
        let Some(call) = self.calls.get_mut(handle) else { return };
        let (owner, scope) = (call.owner, call.scope as usize);
        call.running = false;
        if let Some(timer) = call.timer.take() {
            self.cx.cancel(timer);
        }
        let edge = self.cx.program().edge(call.step.edge);
        let (work, index) = draw_name(call.key, call.progress.attempts(), 1);
        let draw = self.cx.draw(Purpose::Policy, edge.id, work, index);
        let (attempt_started, call_started) = (call.attempt_started, call.started);
        let moment = Moment { now: self.cx.now(), attempt_started, call_started, draw };
        let decision = self.policies.conclude(scope, policy, &mut call.progress, moment, response);
        self.wake_waiters(scope);
        if self.follow(handle, decision, response.outcome, value) == Resumption::Now {
            self.jobs.make_ready(owner);
        }
    }

    /// The copies of a call that run are not heard any more: what they hold is given back.
    pub(super) fn abandon_copies(&mut self, handle: Handle) {
        let Some((policy, hedge)) = self.hedging(handle) else { return };
        let Some(call) = self.calls.get_mut(handle) else { return };
        let hedged = self.hedges.remove(std::mem::replace(&mut call.hedged, Handle::NONE));
        let Some(hedged) = hedged else { return };
        let state = self.policies.state(call.scope as usize);
        for mut copy in hedged.running {
            let progress = copy.progress.as_mut().unwrap_or(&mut call.progress);
            policy.abandon_attempt(state, progress);
        }
        if let Some(of_hedging) = &mut state.hedge {
            hedge.end(of_hedging, hedged.copies);
        }
    }

    /// What the copies of a call hold of the state of its policy, beside what the call itself does.
    pub(super) fn held_by_copies(&self, hedged: Handle, state: &State) -> Holdings {
        let Some(hedged) = self.hedges.get(hedged) else { return Holdings::default() };
        let copies = hedged.running.iter().filter_map(|copy| copy.progress.as_ref());
        let of_all = state.held_by_copies(&hedged.copies);
        copies.fold(of_all, |held, progress| held.and(state.held_by(progress)))
    }

    /// Wakes the call when its next copy is due or a copy has taken too long.
    fn set_hedge_timer(&mut self, handle: Handle) {
        let Some(hedged) = self.hedged(handle) else { return };
        let at = hedged.running.iter().map(|copy| copy.until).fold(hedged.due, Time::min);
        self.set_call_timer(handle, at, Event::Timeout(handle));
    }

    fn hedged(&self, handle: Handle) -> Option<&Hedged> {
        self.hedges.get(self.calls.get(handle)?.hedged)
    }

    /// The policy of a call, if it hedges.
    fn hedging(&self, handle: Handle) -> Option<(&'p Policy, &'p Hedge)> {
        let call = self.calls.get(handle)?;
        let edge = self.cx.program().edge(call.step.edge);
        let policy = &self.cx.program().policies[edge.policy as usize].1;
        Some((policy, policy.hedge.as_ref()?))
    }
}
