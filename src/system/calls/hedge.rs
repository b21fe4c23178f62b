//! Copies of a running attempt: several attempts of one call in flight, the first good answer wins.
//!
//! Only calls whose policy hedges have an entry here. What the other copies come to when one has
//! won is stale: nothing is cancelled at the server.

use super::Calls;
use super::call::draw_name;
use super::connections::Connection;
use super::ejection::Judged;
use super::policies::Decision;
use crate::kernel::draw::{Draw, Purpose, key_of};
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::Program;
use crate::policy::custom::Moment;
use crate::policy::hedge::{AfterCopy, Copies, Hedge, Next};
use crate::policy::{Admission, Denial, Holdings, Outcome, Policy, Progress, Response, State};
use crate::system::core::Core;
use crate::system::event::{DetectorId, Event};
use crate::system::fact::Fact;
use crate::system::fleet::Fleet;
use crate::system::network::Message;

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

/// What becomes of a call one of whose copies has come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::system) enum CopyStep {
    /// This copy decides what the call came to.
    Concludes,
    /// The next copy is due at once.
    NextIsDue,
    /// Others are waited for.
    GoesOn,
}

/// Whether a call sends its next copy.
#[derive(Debug)]
pub(in crate::system) enum NextCopy {
    /// It does, and this is to be sent.
    Sends(Message),
    /// Not now.
    Waits,
    /// It does not, and none runs any more: this is what the call came to.
    Concludes(Response),
}

impl Calls {
    /// The first attempt of a call whose policy hedges was sent.
    pub(super) fn begin_hedging(&mut self, core: &mut Core<'_>, handle: Handle, until: Time) {
        let call = self.open.at_mut(handle);
        let hedge = hedge_of(call.policy(core.program()));
        let state = self.policies.state(call.scope as usize).hedge.as_mut().expect(HEDGES);
        let copies = hedge.begin(state, core.now());
        let due = hedge.due(state, &copies).map_or(Time::NEVER, |span| core.now() + span);
        let (attempt, started) = (call.sent, core.now());
        let first = Copy { attempt, progress: None, started, until, instance: None };
        let last = Outcome::TimedOut;
        call.hedged = self.hedges.insert(Hedged { copies, running: vec![first], due, last });
        self.set_hedge_timer(core, handle);
    }

    /// Whether a caller waits for this attempt, alone or among copies.
    pub(in crate::system) fn expects(&self, handle: Handle, attempt: u32) -> bool {
        self.get(handle).is_some_and(|call| match self.hedges.get(call.hedged) {
            None => call.waits_for(attempt),
            Some(hedged) => hedged.running.iter().any(|copy| copy.attempt == attempt),
        })
    }

    /// When an attempt was sent, if its caller still waits for it.
    pub(in crate::system) fn sent_at(&self, handle: Handle, attempt: u32) -> Option<Time> {
        let call = self.get(handle)?;
        match self.hedges.get(call.hedged) {
            None => call.waits_for(attempt).then_some(call.attempt_started),
            Some(hedged) => {
                let copy = hedged.running.iter().find(|copy| copy.attempt == attempt);
                copy.map(|copy| copy.started)
            }
        }
    }

    /// An attempt has come to this instance.
    pub(in crate::system) fn note_instance(&mut self, handle: Handle, attempt: u32, instance: u32) {
        let Some(call) = self.open.get_mut(handle) else { return };
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

    /// The copy of a call that is this attempt.
    pub(in crate::system) fn copy(&self, handle: Handle, attempt: u32) -> Option<usize> {
        self.hedged(handle).running.iter().position(|copy| copy.attempt == attempt)
    }

    /// A copy of a call that has taken too long, and what it so came to; without one, whether the
    /// next copy is due.
    pub(in crate::system) fn overdue_copy(
        &self,
        core: &Core<'_>,
        handle: Handle,
    ) -> Option<(usize, Outcome)> {
        let running = &self.hedged(handle).running;
        let index = running.iter().position(|copy| copy.until <= core.now())?;
        Some((index, self.silence(core, handle, running[index].started)))
    }

    /// Whether the next copy of a call is due.
    pub(in crate::system) fn is_copy_due(&self, core: &Core<'_>, handle: Handle) -> bool {
        self.hedged(handle).due <= core.now()
    }

    /// Books what one copy came to; says whether the call goes on.
    pub(in crate::system) fn copy_back(
        &mut self,
        core: &mut Core<'_>,
        fleet: &Fleet,
        (handle, index): (Handle, usize),
        response: Response,
    ) -> CopyStep {
        let call = self.open.at_mut(handle);
        let (policy, hedged) = (call.policy(core.program()), self.hedges.get_mut(call.hedged));
        let (hedge, hedged) = (hedge_of(policy), hedged.expect(HEDGES));
        let mut copy = hedged.running.remove(index);
        let edge = call.edge;
        let work = key_of(call.key, u64::from(copy.attempt));
        let draw = core.draw(Purpose::Policy, core.program().edge(edge).id, work, 1);
        let detector = self.detectors.of(edge, call.process);
        let state = self.policies.state(call.scope as usize);
        let progress = copy.progress.as_mut().unwrap_or(&mut call.progress);
        policy.observe(state, progress, core.now(), copy.started, response, draw);
        let took = core.now().since(copy.started);
        let of_hedging = state.hedge.as_mut().expect(HEDGES);
        if copy.progress.is_some() {
            hedge.leave(of_hedging, &mut hedged.copies);
        }
        let step = hedge.back(of_hedging, &mut hedged.copies, response, took, core.now());
        let others = hedged.copies.running() > 0;
        hedged.last = response.outcome;
        let due = match step {
            AfterCopy::Win => None,
            // Silence is no answer: while others run, it does not end the call.
            AfterCopy::Fail if response.outcome.is_silence() && others => Some(Time::NEVER),
            AfterCopy::Fail => None,
            AfterCopy::Next { after } => Some(core.now() + after),
        };
        if let Some(due) = due {
            hedged.due = hedged.due.min(due);
        }
        let scope = call.scope as usize;
        let (order, asked) = (call.subject.order, call.subject.asked);
        let (attempt, outcome, instance) = (copy.attempt, response.outcome, copy.instance);
        core.tell(Fact::Settled { edge, attempt, order, asked, outcome });
        self.detectors.judge(core, fleet, detector, Judged { instance, work, outcome });
        self.wake_waiters(core, scope);
        match due {
            None => CopyStep::Concludes,
            Some(due) if due <= core.now() => CopyStep::NextIsDue,
            Some(_) => CopyStep::GoesOn,
        }
    }

    /// Prepares the next copy of a call, if its policy lets it send one.
    pub(in crate::system) fn next_copy(&mut self, core: &mut Core<'_>, handle: Handle) -> NextCopy {
        let call = self.open.at_mut(handle);
        let hedge = hedge_of(call.policy(core.program()));
        let hedged = self.hedges.get_mut(call.hedged).expect(HEDGES);
        hedged.due = Time::NEVER;
        let state = self.policies.state(call.scope as usize).hedge.as_mut().expect(HEDGES);
        match hedge.next(state, &mut hedged.copies, core.now()) {
            Next::Wait => return NextCopy::Waits,
            Next::Fail => return NextCopy::Concludes(Response::new(hedged.last)),
            Next::Send => {}
        }
        let due = hedge.due(state, &hedged.copies);
        hedged.due = due.map_or(Time::NEVER, |span| core.now() + span);
        let detector = self.detectors.of(call.edge, call.process);
        match self.admit_copy(core, handle, detector) {
            Ok(progress) => NextCopy::Sends(self.begin_copy(core, handle, progress, detector)),
            Err(denial) => self.deny_copy(core, handle, denial),
        }
    }

    /// Asks the policy of a call whether one more copy may be sent.
    fn admit_copy(
        &mut self,
        core: &mut Core<'_>,
        handle: Handle,
        detector: Option<DetectorId>,
    ) -> Result<Progress, Denial> {
        let call = self.open.at(handle);
        let policy = call.policy(core.program());
        let key = key_of(call.key, u64::from(call.sent + 1));
        let draw = match policy.admits_at_random() {
            true => core.draw(Purpose::Policy, core.program().edge(call.edge).id, key, 0),
            false => Draw(0),
        };
        let state = self.policies.state(call.scope as usize);
        let mut progress = policy.begin_copy();
        let admission = match self.detectors.leave_nobody(core.program(), detector) {
            true => Admission::Reject(Denial::NoInstance),
            false => policy.admit(state, &mut progress, core.now(), draw),
        };
        let denial = match admission {
            Admission::Go => return Ok(progress),
            Admission::Reject(denial) => denial,
            // A copy waits for nothing.
            Admission::Wait(_) => Denial::RateLimit,
            Admission::Queue if progress.waits_for_room() => policy.without_room(),
            Admission::Queue => Denial::BreakerOpen,
        };
        policy.abandon(state, &mut progress);
        Err(denial)
    }

    /// A copy must not be sent.
    fn deny_copy(&mut self, core: &mut Core<'_>, handle: Handle, denial: Denial) -> NextCopy {
        let call = self.open.at(handle);
        let hedge = hedge_of(call.policy(core.program()));
        let hedged = self.hedges.get_mut(call.hedged).expect(HEDGES);
        let state = self.policies.state(call.scope as usize).hedge.as_mut().expect(HEDGES);
        hedged.copies.deny();
        hedge.leave(state, &mut hedged.copies);
        let (edge, attempt) = (call.edge, call.sent + 1);
        let (order, asked) = (call.subject.order, call.subject.asked);
        core.tell(Fact::Denied { edge, attempt, denial, order, asked });
        match hedged.copies.running() > 0 {
            true => NextCopy::Waits,
            false => NextCopy::Concludes(Response::new(hedged.last)),
        }
    }

    /// Begins a copy that was admitted; what is to be sent.
    fn begin_copy(
        &mut self,
        core: &mut Core<'_>,
        handle: Handle,
        progress: Progress,
        detector: Option<DetectorId>,
    ) -> Message {
        let call = self.open.at_mut(handle);
        let (edge, policy) = (call.edge, call.policy(core.program()));
        call.sent += 1;
        let attempt = call.sent;
        let key = key_of(call.key, u64::from(attempt));
        let timeout = policy.attempt_timeout.map_or(Time::NEVER, |span| core.now() + span);
        let until = timeout.min(call.deadline(core.program()));
        let connection = Connection::of(call.scope, progress.ride());
        let (started, progress) = (core.now(), Some(progress));
        let hedged = self.hedges.get_mut(call.hedged).expect(HEDGES);
        hedged.running.push(Copy { attempt, progress, started, until, instance: None });
        let (order, asked) = (call.subject.order, call.subject.asked);
        core.tell(Fact::Attempted { edge, attempt, order, asked });
        Message::Request {
            call: handle,
            attempt,
            edge,
            target: core.program().edge(edge).target,
            operation: call.operation,
            key,
            subject: call.subject,
            value: call.value,
            token: call.token(core.program(), key),
            deadline: until,
            detector,
            connection,
        }
    }

    /// One copy has won, or all have failed: the others are not heard, and the policy says what
    /// comes next.
    pub(in crate::system) fn conclude(
        &mut self,
        core: &mut Core<'_>,
        handle: Handle,
        response: Response,
    ) -> Decision {
        self.abandon_copies(core.program(), handle);
        let call = self.open.at_mut(handle);
        let (policy, scope) = (call.policy(core.program()), call.scope as usize);
        call.running = false;
        if let Some(timer) = call.timer.take() {
            core.cancel(timer);
        }
        let edge = core.program().edge(call.edge);
        let (work, index) = draw_name(call.key, call.progress.attempts(), 1);
        let draw = core.draw(Purpose::Policy, edge.id, work, index);
        let (attempt_started, call_started) = (call.attempt_started, call.started);
        let moment = Moment { now: core.now(), attempt_started, call_started, draw };
        let decision = self.policies.conclude(scope, policy, &mut call.progress, moment, response);
        self.wake_waiters(core, scope);
        decision
    }

    /// The copies of a call that run are not heard any more: what they hold is given back.
    pub(super) fn abandon_copies(&mut self, program: &Program, handle: Handle) {
        let call = self.open.at_mut(handle);
        let hedged = self.hedges.remove(std::mem::replace(&mut call.hedged, Handle::NONE));
        let Some(hedged) = hedged else { return };
        let policy = call.policy(program);
        let state = self.policies.state(call.scope as usize);
        for mut copy in hedged.running {
            let progress = copy.progress.as_mut().unwrap_or(&mut call.progress);
            policy.abandon_attempt(state, progress);
        }
        if let Some(of_hedging) = &mut state.hedge {
            hedge_of(policy).end(of_hedging, hedged.copies);
        }
    }

    /// What the copies of a call hold of the state of its policy, beside what the call itself does.
    pub(in crate::system) fn held_by_copies(&self, hedged: Handle, state: &State) -> Holdings {
        let Some(hedged) = self.hedges.get(hedged) else { return Holdings::default() };
        let copies = hedged.running.iter().filter_map(|copy| copy.progress.as_ref());
        let of_all = state.held_by_copies(&hedged.copies);
        copies.fold(of_all, |held, progress| held.and(state.held_by(progress)))
    }

    /// Wakes the call when its next copy is due or a copy has taken too long.
    pub(in crate::system) fn set_hedge_timer(&mut self, core: &mut Core<'_>, handle: Handle) {
        let hedged = self.hedged(handle);
        let at = hedged.running.iter().map(|copy| copy.until).fold(hedged.due, Time::min);
        self.set_timer(core, handle, at, Event::Timeout(handle));
    }

    fn hedged(&self, handle: Handle) -> &Hedged {
        self.hedges.get(self.open.at(handle).hedged).expect(HEDGES)
    }
}

/// What holds of every call that has copies.
const HEDGES: &str = "a call with copies has a policy that hedges";

fn hedge_of(policy: &Policy) -> &Hedge {
    policy.hedge.as_ref().expect(HEDGES)
}
