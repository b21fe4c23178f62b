//! Everything that a caller does around a call, as one machine.
//!
//! For each call the caller keeps a [`Progress`], and for each scope (a process, a process and a
//! target, everybody) one [`State`]. Before every attempt it asks [`Policy::admit`]; after every
//! admitted attempt it tells [`Policy::settle`], or [`Policy::abandon`] if there will be no answer;
//! after a rejected admission it asks [`Policy::denied`].

use super::backoff::Memory;
use super::breaker::{Breaker, BreakerState, Gate, Ticket};
use super::budget::{Budget, BudgetState, Share};
use super::outcome::{Outcome, Response};
use super::retry::{OnDenial, Retry};
use crate::kernel::draw::{Draw, key_of};
use crate::kernel::time::{Span, Time};

/// The configuration of everything a caller does around a call. The default calls once and waits
/// for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Policy {
    /// How long one attempt may take.
    pub attempt_timeout: Option<Span>,
    /// How long the whole call may take, waits included.
    pub deadline: Option<Span>,
    /// When and how a failed attempt is made again.
    pub retry: Option<Retry>,
    /// What limits retries over many calls.
    pub budget: Option<Budget>,
    /// What stops attempts at a failing target.
    pub breaker: Option<Breaker>,
}

/// What a policy remembers across calls. One per scope; never cloned per request.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Of the budget.
    pub budget: Option<BudgetState>,
    /// Of the breaker.
    pub breaker: Option<BreakerState>,
}

/// What a policy remembers of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    attempts: u32,
    step: u32,
    memory: Memory,
    share: Share,
    ticket: Ticket,
    running: bool,
    begun: bool,
}

impl Progress {
    /// How many attempts were made, denied ones included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

/// Whether an attempt may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may start now; it must be settled or abandoned.
    Go,
    /// It may ask again after this long.
    Wait(Span),
    /// It may ask again when another call of the same state has been settled or abandoned.
    Queue,
    /// It may not start; ask [`Policy::denied`] what to do.
    Reject(Denial),
}

/// Which part of the caller denied an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denial {
    /// The breaker is open, or half-open with all its probes out.
    BreakerOpen,
    /// The budget has run out while the retry waited.
    Budget,
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The call succeeded.
    Done,
    /// Ask for admission again after this long.
    Retry {
        /// How long to wait.
        after: Span,
    },
    /// The call failed.
    GiveUp(GiveUp),
}

/// Why a call is not retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GiveUp {
    /// The retry rule does not name this outcome, or there is no retry rule.
    NotRetryable,
    /// All attempts are used up.
    Attempts,
    /// The budget has nothing left.
    Budget,
    /// The next attempt would start at or after the deadline.
    Deadline,
    /// The server forbade a retry.
    Forbidden,
    /// The caller's own machinery denied the attempt, and a denial is not retried.
    Denied(Denial),
}

impl Policy {
    /// A fresh state for one scope. The only place where a policy allocates.
    #[must_use]
    pub fn state(&self) -> State {
        State {
            budget: self.budget.as_ref().map(Budget::state),
            breaker: self.breaker.as_ref().map(Breaker::state),
        }
    }

    /// The progress of a call that has not yet asked for anything.
    #[must_use]
    pub fn begin(&self) -> Progress {
        Progress::default()
    }

    /// Asks whether the next attempt of a call, the first or a later one, may start now.
    pub fn admit(
        &self,
        state: &mut State,
        progress: &mut Progress,
        now: Time,
        draw: Draw,
    ) -> Admission {
        debug_assert!(!progress.running, "an attempt is running");
        if !progress.begun {
            progress.begun = true;
            if let (Some(budget), Some(state)) = (&self.budget, &mut state.budget) {
                budget.begin(state, now);
            }
        }
        if let (Some(budget), Some(state)) = (&self.budget, &state.budget)
            && progress.attempts > 0
            && !budget.still_allows(state)
        {
            return Admission::Reject(Denial::Budget);
        }
        if let (Some(breaker), Some(state)) = (&self.breaker, &mut state.breaker) {
            match breaker.admit(state, now, draw) {
                Gate::Pass(ticket) => progress.ticket = ticket,
                Gate::Reject => return Admission::Reject(Denial::BreakerOpen),
                Gate::Queue => return Admission::Queue,
            }
        }
        progress.running = true;
        progress.attempts += 1;
        Admission::Go
    }

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
    ) -> Verdict {
        debug_assert!(progress.running, "no attempt is running");
        progress.running = false;
        let outcome = response.outcome;
        if let (Some(breaker), Some(state)) = (&self.breaker, &mut state.breaker) {
            let own = Draw(key_of(draw.0, 0));
            breaker.record(state, progress.ticket, outcome, now.since(started), now, own);
        }
        let retryable = self.retry.is_some_and(|retry| retry.on.contains(outcome));
        if let (Some(budget), Some(state)) = (&self.budget, &mut state.budget) {
            budget.observe(state, &mut progress.share, outcome, retryable, now);
        }
        let verdict = self.decide(state, progress, now, call_started, response, draw);
        if !matches!(verdict, Verdict::Retry { .. }) {
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
    ) -> Verdict {
        progress.attempts += 1;
        let retried = self
            .retry
            .filter(|retry| retry.on_denial == OnDenial::Retry && denial != Denial::Budget);
        let verdict = match retried {
            Some(retry) => {
                let response = Response::new(Outcome::Rejected);
                self.again(&retry, state, progress, now, call_started, response, draw)
            }
            None => Verdict::GiveUp(GiveUp::Denied(denial)),
        };
        if !matches!(verdict, Verdict::Retry { .. }) {
            self.end(state, progress);
        }
        verdict
    }

    /// A reply arrived to an attempt that had timed out already: only a breaker may hear it.
    pub fn late(&self, state: &mut State, outcome: Outcome, took: Span, now: Time, draw: Draw) {
        if let (Some(breaker), Some(state)) = (&self.breaker, &mut state.breaker) {
            breaker.late(state, outcome, took, now, draw);
        }
    }

    /// The call ends without a verdict: its caller crashed, or its deadline passed while it ran or
    /// waited. Gives back whatever it holds.
    pub fn abandon(&self, state: &mut State, progress: &mut Progress) {
        if std::mem::take(&mut progress.running)
            && let (Some(breaker), Some(state)) = (&self.breaker, &mut state.breaker)
        {
            breaker.release(state, progress.ticket);
        }
        self.end(state, progress);
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
    ) -> Verdict {
        if response.outcome == Outcome::Ok {
            return Verdict::Done;
        }
        let Some(retry) = self.retry.filter(|retry| retry.on.contains(response.outcome)) else {
            return Verdict::GiveUp(GiveUp::NotRetryable);
        };
        if response.forbids_retry {
            return Verdict::GiveUp(GiveUp::Forbidden);
        }
        self.again(&retry, state, progress, now, call_started, response, draw)
    }

    /// Asks every limit of the retry rule, pays for the retry and draws its delay.
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
    ) -> Verdict {
        if progress.attempts >= retry.attempts {
            return Verdict::GiveUp(GiveUp::Attempts);
        }
        if let (Some(budget), Some(state)) = (&self.budget, &mut state.budget)
            && !budget.withdraw(state, &mut progress.share, response.outcome, now)
        {
            return Verdict::GiveUp(GiveUp::Budget);
        }
        progress.step += 1;
        let (after, restarts) = retry.delay(progress.step, &mut progress.memory, response, draw);
        if restarts {
            progress.step = 0;
        }
        if let Some(deadline) = self.deadline.filter(|_| retry.stop_before_deadline)
            && now + after >= call_started + deadline
        {
            return Verdict::GiveUp(GiveUp::Deadline);
        }
        Verdict::Retry { after }
    }

    /// Gives back what a call holds across its attempts, once.
    fn end(&self, state: &mut State, progress: &mut Progress) {
        if std::mem::take(&mut progress.begun)
            && let (Some(budget), Some(state)) = (&self.budget, &mut state.budget)
        {
            budget.end(state, &mut progress.share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::presets;

    const DRAW: Draw = Draw(1 << 63);

    fn policy(name: &str) -> &'static Policy {
        &presets::find(name, None).expect("the preset exists").policy
    }

    /// One attempt of a call that began at zero and whose attempts take no time.
    fn attempt(
        policy: &Policy,
        state: &mut State,
        progress: &mut Progress,
        now: Time,
        outcome: Outcome,
    ) -> Verdict {
        assert_eq!(policy.admit(state, progress, now, DRAW), Admission::Go);
        policy.settle(state, progress, now, now, Time::ZERO, Response::new(outcome), DRAW)
    }

    #[test]
    fn the_default_calls_once() {
        let policy = Policy::default();
        let (mut state, mut progress) = (policy.state(), policy.begin());
        let verdict = attempt(&policy, &mut state, &mut progress, Time::ZERO, Outcome::Failed);
        assert_eq!(verdict, Verdict::GiveUp(GiveUp::NotRetryable));
    }

    #[test]
    fn aws_retries_twice_and_pays_from_the_shared_quota() {
        let policy = policy("aws-standard");
        let mut state = policy.state();
        for paid in [28.0, 56.0] {
            let mut progress = policy.begin();
            let mut verdicts = [Verdict::Done; 3];
            for verdict in &mut verdicts {
                *verdict = attempt(policy, &mut state, &mut progress, Time::ZERO, Outcome::Failed);
            }
            let expected = [
                Verdict::Retry { after: Span::from_millis(25) },
                Verdict::Retry { after: Span::from_millis(50) },
                Verdict::GiveUp(GiveUp::Attempts),
            ];
            assert_eq!(verdicts, expected);
            let (budget, held) = (policy.budget.expect("a quota"), state.budget.as_ref());
            assert_eq!(held.and_then(|state| budget.tokens(state)), Some(500.0 - paid));
        }
    }

    #[test]
    fn a_polly_breaker_opens_rejects_probes_and_closes() {
        let policy = policy("polly-http");
        let mut state = policy.state();
        for call in 0..100 {
            let outcome = if call < 90 { Outcome::Ok } else { Outcome::Failed };
            attempt(policy, &mut state, &mut policy.begin(), Time::ZERO, outcome);
        }
        let mut progress = policy.begin();
        let rejected = Admission::Reject(Denial::BreakerOpen);
        let early = Time::ZERO + Span::from_millis(4_999);
        assert_eq!(policy.admit(&mut state, &mut progress, early, DRAW), rejected);
        assert_eq!(
            policy.denied(&mut state, &mut progress, Denial::BreakerOpen, early, Time::ZERO, DRAW),
            Verdict::GiveUp(GiveUp::Denied(Denial::BreakerOpen))
        );
        let later = Time::ZERO + Span::from_secs(5);
        let (mut probe, mut other) = (policy.begin(), policy.begin());
        assert_eq!(policy.admit(&mut state, &mut probe, later, DRAW), Admission::Go);
        assert_eq!(policy.admit(&mut state, &mut other, later, DRAW), rejected);
        let ok = Response::new(Outcome::Ok);
        policy.settle(&mut state, &mut probe, later, later, later, ok, DRAW);
        assert_eq!(policy.admit(&mut state, &mut other, later, DRAW), Admission::Go);
    }

    #[test]
    fn a_server_hint_restarts_the_grpc_series() {
        let policy = policy("grpc");
        let (mut state, mut progress) = (policy.state(), policy.begin());
        attempt(policy, &mut state, &mut progress, Time::ZERO, Outcome::Rejected);
        assert_eq!(policy.admit(&mut state, &mut progress, Time::ZERO, DRAW), Admission::Go);
        let hinted = Response::new(Outcome::Rejected).after(Span::from_secs(7));
        let zero = Time::ZERO;
        let verdict =
            policy.settle(&mut state, &mut progress, zero, zero, zero, hinted, Draw(1 << 63));
        assert_eq!(verdict, Verdict::Retry { after: Span::from_secs(7) });
        let verdict = attempt(policy, &mut state, &mut progress, zero, Outcome::Rejected);
        assert_eq!(verdict, Verdict::Retry { after: Span::from_millis(100) });
    }
}
