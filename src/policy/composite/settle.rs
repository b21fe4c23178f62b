//! After an attempt.

use super::{AfterAttempt, Denial, GiveUp, Policy, Progress, Room, State};
use crate::kernel::draw::{Draw, key_of};
use crate::kernel::time::{Span, Time};
use crate::policy::bulkhead::Around;
use crate::policy::outcome::{Outcome, OutcomeKind, OutcomeSet, Response};
use crate::policy::retry::{OnDenial, Retry};

/// What an adaptive limit takes for a sign of overload.
const DROPPED: OutcomeSet =
    OutcomeSet::REJECTED.or(OutcomeSet::THROTTLED).or(OutcomeSet::TIMED_OUT);

impl Policy {
    /// Tells what an admitted attempt came back with, and asks what to do.
    ///
    /// `started` is when this attempt started and `call_started` when the call did. A timeout is an
    /// outcome like others; what comes after it is for [`Policy::late`].
    #[expect(clippy::too_many_arguments, reason = "the inputs of one decision, all of them plain")]
    pub fn settle(
        &self,
        state: &mut State,
        progress: &mut Progress,
        now: Time,
        started: Time,
        call_started: Time,
        response: Response,
        draw: Draw,
    ) -> AfterAttempt {
        self.observe(state, progress, now, started, response, draw);
        self.conclude(state, progress, now, call_started, response, draw)
    }

    /// Tells what an admitted attempt came back with, without asking what to do: one of several
    /// attempts of a call that run side by side.
    pub fn observe(
        &self,
        state: &mut State,
        progress: &mut Progress,
        now: Time,
        started: Time,
        response: Response,
        draw: Draw,
    ) {
        debug_assert!(progress.running, "no attempt is running");
        progress.running = false;
        let outcome = response.outcome;
        self.leave_attempt(state, progress, Some((outcome, now)));
        self.hear(state, progress, outcome, now.since(started), now, draw);
        if let (Some(budget), Some(state)) = (&self.budget, &mut state.budget) {
            let retryable = self.retry.as_ref().is_some_and(|retry| retry.retries(response));
            budget.observe(state, &mut progress.share, outcome, retryable, now);
        }
    }

    /// Asks what to do after all attempts that ran side by side have come to this.
    pub fn conclude(
        &self,
        state: &mut State,
        progress: &mut Progress,
        now: Time,
        call_started: Time,
        response: Response,
        draw: Draw,
    ) -> AfterAttempt {
        let verdict = self.decide(state, progress, now, call_started, response, draw);
        if !matches!(verdict, AfterAttempt::Retry { .. }) {
            let took = now.since(call_started);
            self.record(state, progress, Around::Call, response.outcome, took, now, draw);
            self.end(state, progress);
        }
        verdict
    }

    /// Asks what to do after [`Policy::admit`] has rejected an attempt.
    pub fn denied(
        &self,
        state: &mut State,
        progress: &mut Progress,
        denial: Denial,
        now: Time,
        call_started: Time,
        draw: Draw,
    ) -> AfterAttempt {
        progress.attempts += 1;
        progress.reserved = false;
        progress.passed = false;
        let is_final = denial == Denial::Budget || self.denies_calls(denial);
        let retried =
            self.retry.as_ref().filter(|retry| retry.on_denial == OnDenial::Retry && !is_final);
        let verdict = match retried {
            Some(retry) => {
                let response = Response::new(Outcome::Rejected);
                self.again(retry, state, progress, now, call_started, response, draw)
            }
            None => AfterAttempt::GiveUp(GiveUp::Denied(denial)),
        };
        if !matches!(verdict, AfterAttempt::Retry { .. }) {
            let (outcome, took) = (Outcome::Rejected, now.since(call_started));
            self.record(state, progress, Around::Call, outcome, took, now, draw);
            self.end(state, progress);
        }
        verdict
    }

    /// Whether a denial is of what stands around the call, where no retry is.
    fn denies_calls(&self, denial: Denial) -> bool {
        let around = match denial {
            Denial::BreakerOpen => self.breaker.map(|rule| rule.around),
            Denial::Bulkhead => self.bulkhead.map(|rule| rule.around),
            _ => None,
        };
        around == Some(Around::Call)
    }

    /// A reply arrived to an attempt that had timed out already: only a breaker may hear it.
    pub fn late(&self, state: &mut State, outcome: Outcome, took: Span, now: Time, draw: Draw) {
        if let (Some(breaker), Some(state)) = (&self.breaker, &mut state.breaker) {
            breaker.late(state, outcome, took, now, draw);
        }
    }

    /// The call ends without a verdict and without an outcome: its caller crashed. Gives back
    /// whatever it holds.
    pub fn abandon(&self, state: &mut State, progress: &mut Progress) {
        self.abandon_attempt(state, progress);
        self.release(state, progress, Around::Call);
        self.end(state, progress);
    }

    /// The call ends without a verdict, but with an outcome: its deadline passed while it waited,
    /// or an attempt that was kept has answered. Gives back whatever it holds.
    pub fn cut_short(
        &self,
        state: &mut State,
        progress: &mut Progress,
        outcome: Outcome,
        now: Time,
        call_started: Time,
        draw: Draw,
    ) {
        let took = now.since(call_started);
        self.record(state, progress, Around::Call, outcome, took, now, draw);
        self.abandon(state, progress);
    }

    /// Whether [`Policy::cut_short`] looks at its draw: if not, the caller need not make one.
    #[must_use]
    pub fn breaks_calls(&self) -> bool {
        self.breaker.is_some_and(|rule| rule.around == Around::Call)
    }

    /// The running attempt of a call will not be heard: another copy was the answer.
    pub fn abandon_attempt(&self, state: &mut State, progress: &mut Progress) {
        if std::mem::take(&mut progress.running) {
            self.leave_attempt(state, progress, None);
        }
        self.release(state, progress, Around::Attempt);
    }

    /// Tells the parts that learn from outcomes.
    fn hear(
        &self,
        state: &mut State,
        progress: &mut Progress,
        outcome: Outcome,
        took: Span,
        now: Time,
        draw: Draw,
    ) {
        self.record(state, progress, Around::Attempt, outcome, took, now, draw);
        if let (Some(rule), Some(state)) = (&self.throttling, &mut state.throttling) {
            rule.record(state, outcome, now);
        }
        if let (Some(rule), Some(state)) = (&self.adaptive, &mut state.adaptive) {
            rule.respond(state, outcome.kind() == OutcomeKind::Throttled, now);
        }
        if let (Some(rule), Some(state)) = (&self.limit, &mut state.limit) {
            let own = Draw(key_of(draw.0, 2));
            rule.update(state, took, progress.in_flight, DROPPED.contains(outcome), own);
        }
    }

    /// Tells the breaker what came of what it is around.
    #[expect(clippy::too_many_arguments, reason = "the inputs of one decision, all of them plain")]
    fn record(
        &self,
        state: &mut State,
        progress: &mut Progress,
        around: Around,
        outcome: Outcome,
        took: Span,
        now: Time,
        draw: Draw,
    ) {
        if let Some((rule, state)) = self.breaker_around(state, around)
            && let Some(ticket) = progress.ticket.take()
        {
            // A draw of its own: how long the breaker opens must not follow this call's delay.
            rule.record(state, ticket, outcome, took, now, Draw(key_of(draw.0, 0)));
        }
    }

    /// The retry decision proper.
    fn decide(
        &self,
        state: &mut State,
        progress: &mut Progress,
        now: Time,
        call_started: Time,
        response: Response,
        draw: Draw,
    ) -> AfterAttempt {
        if response.outcome == Outcome::Ok {
            return AfterAttempt::Done;
        }
        if progress.copy {
            return AfterAttempt::GiveUp(GiveUp::Attempts);
        }
        let Some(retry) = self.retry.as_ref().filter(|retry| retry.retries(response)) else {
            return AfterAttempt::GiveUp(GiveUp::NotRetryable);
        };
        if response.forbids_retry {
            return AfterAttempt::GiveUp(GiveUp::Forbidden);
        }
        self.again(retry, state, progress, now, call_started, response, draw)
    }

    /// Asks every limit of the retry rule, draws the delay and pays for the retry. A retry that
    /// would come too late costs nothing.
    #[expect(clippy::too_many_arguments, reason = "the inputs of one decision, all of them plain")]
    fn again(
        &self,
        retry: &Retry,
        state: &mut State,
        progress: &mut Progress,
        now: Time,
        call_started: Time,
        response: Response,
        draw: Draw,
    ) -> AfterAttempt {
        if progress.attempts >= retry.attempts {
            return AfterAttempt::GiveUp(GiveUp::Attempts);
        }
        progress.step += 1;
        let (after, restarts) = retry.delay(progress.step, &mut progress.memory, response, draw);
        if restarts {
            progress.step = 0;
        }
        if let Some(deadline) = self.deadline.filter(|_| retry.stop_before_deadline)
            && now + after >= call_started + deadline
        {
            return AfterAttempt::GiveUp(GiveUp::Deadline);
        }
        if let (Some(budget), Some(state)) = (&self.budget, &mut state.budget)
            && !budget.withdraw(state, &mut progress.share, response.outcome, now)
        {
            return AfterAttempt::GiveUp(GiveUp::Budget);
        }
        AfterAttempt::Retry { after }
    }

    /// Gives back what a call holds across its attempts, once.
    fn end(&self, state: &mut State, progress: &mut Progress) {
        if let (Some(bulkhead), Some(state)) = (&self.bulkhead, &mut state.bulkhead) {
            match std::mem::take(&mut progress.room) {
                Room::Outside => {}
                Room::Waiting => bulkhead.give_up(state),
                Room::Inside => bulkhead.leave(state),
            }
        }
        let begun = std::mem::take(&mut progress.begun);
        if !progress.copy
            && let (Some(budget), Some(state)) = (&self.budget, &mut state.budget)
        {
            budget.end(state, &mut progress.share, begun);
        }
    }

    /// Gives back what one attempt holds.
    fn leave_attempt(
        &self,
        state: &mut State,
        progress: &mut Progress,
        heard: Option<(Outcome, Time)>,
    ) {
        state.in_flight -= 1;
        if let (Some(rule), Some(state), Some(ride)) =
            (&self.connections, &mut state.connections, progress.ride.take())
        {
            rule.give_back(state, ride, heard);
        }
        self.leave_room(state, progress);
    }

    /// Leaves the bulkhead around the attempt.
    pub(super) fn leave_room(&self, state: &mut State, progress: &mut Progress) {
        if let (Some(bulkhead), Some(state)) = (&self.bulkhead, &mut state.bulkhead)
            && bulkhead.around == Around::Attempt
            && progress.room == Room::Inside
        {
            progress.room = Room::Outside;
            bulkhead.leave(state);
        }
    }
}
