//! Before an attempt.

use super::{Admission, Denial, Policy, Progress, Room, State};
use crate::kernel::draw::{Draw, key_of};
use crate::kernel::time::{Span, Time};
use crate::policy::breaker::{Breaker, BreakerState, Gate};
use crate::policy::bulkhead::{Around, Permission as Answer};

impl Policy {
    /// Asks whether the next attempt of a call, the first or a later one, may start now.
    pub fn admit(
        &self,
        state: &mut State,
        progress: &mut Progress,
        now: Time,
        draw: Draw,
    ) -> Admission {
        debug_assert!(!progress.running, "an attempt is running");
        if progress.attempts > 0
            && let (Some(budget), Some(of_budget)) = (&self.budget, &state.budget)
            && !budget.still_allows(of_budget, &progress.share)
        {
            // It may hold a probe or room since it was told to wait.
            return self.reject(state, progress, Denial::Budget);
        }
        let refused = self
            .room(state, progress, Around::Call, now)
            .or_else(|| self.gate(state, progress, Around::Call, now, draw))
            .or_else(|| self.throttle(state, progress, now, draw))
            .or_else(|| self.gate(state, progress, Around::Attempt, now, draw))
            .or_else(|| self.pace(state, progress, now))
            .or_else(|| self.room(state, progress, Around::Attempt, now))
            .or_else(|| self.limit(state));
        match refused {
            None => {
                self.start(state, progress, now);
                Admission::Go
            }
            Some(Admission::Reject(denial)) => self.reject(state, progress, denial),
            Some(waits) => waits,
        }
    }

    /// Rejects an attempt that has not started, for a reason of the policy's or of its caller's:
    /// what it held is given back.
    pub fn reject(&self, state: &mut State, progress: &mut Progress, denial: Denial) -> Admission {
        self.release(state, progress, Around::Attempt);
        self.leave_room(state, progress);
        Admission::Reject(denial)
    }

    /// Books an attempt that starts, and with the first one the call.
    fn start(&self, state: &mut State, progress: &mut Progress, now: Time) {
        if !std::mem::replace(&mut progress.begun, true)
            && let (Some(budget), Some(state)) = (&self.budget, &mut state.budget)
        {
            budget.begin(state, &mut progress.share, now);
        }
        progress.running = true;
        if let (Some(rule), Some(state)) = (&self.connections, &mut state.connections) {
            progress.ride = Some(rule.take(state, now));
        }
        state.in_flight += 1;
        progress.in_flight = state.in_flight;
        progress.reserved = false;
        progress.passed = false;
        progress.attempts += 1;
    }

    /// Asks the bulkhead, if it is around this.
    fn room(
        &self,
        state: &mut State,
        progress: &mut Progress,
        around: Around,
        now: Time,
    ) -> Option<Admission> {
        let rule = self.bulkhead.as_ref().filter(|rule| rule.around == around)?;
        let state = state.bulkhead.as_mut()?;
        if progress.room == Room::Inside || progress.copy && around == Around::Call {
            return None;
        }
        match rule.enter(state, progress.room == Room::Waiting) {
            Answer::Enter => {
                progress.room = Room::Inside;
                None
            }
            Answer::Queue => {
                if progress.room != Room::Waiting {
                    progress.queued = now;
                }
                progress.room = Room::Waiting;
                if self.patience(progress, now) == Span::ZERO {
                    progress.room = Room::Outside;
                    rule.give_up(state);
                    return Some(Admission::Reject(self.without_room()));
                }
                Some(Admission::Queue)
            }
            Answer::Full => Some(Admission::Reject(self.without_room())),
        }
    }

    /// Asks adaptive throttling, once for each attempt.
    fn throttle(
        &self,
        state: &mut State,
        progress: &mut Progress,
        now: Time,
        draw: Draw,
    ) -> Option<Admission> {
        let (rule, state) = (self.throttling.as_ref()?, state.throttling.as_mut()?);
        progress.passed = progress.passed || rule.admit(state, now, draw);
        (!progress.passed).then_some(Admission::Reject(Denial::Throttling))
    }

    /// Asks the breaker, if it is around this, unless its ticket is held from an earlier question.
    fn gate(
        &self,
        state: &mut State,
        progress: &mut Progress,
        around: Around,
        now: Time,
        draw: Draw,
    ) -> Option<Admission> {
        let (rule, state) = self.breaker_around(state, around)?;
        if progress.ticket.is_some() || progress.copy && around == Around::Call {
            return None;
        }
        match rule.admit(state, now, Draw(key_of(draw.0, 1))) {
            Gate::Pass(ticket) => {
                progress.ticket = Some(ticket);
                None
            }
            Gate::Reject => Some(Admission::Reject(Denial::BreakerOpen)),
            Gate::Queue => Some(Admission::Queue),
        }
    }

    /// Asks the rate limiter, once for each attempt, and the adaptive limiter.
    fn pace(&self, state: &mut State, progress: &mut Progress, now: Time) -> Option<Admission> {
        if let (Some(rule), Some(state)) = (&self.rate_limit, &mut state.rate_limit)
            && !progress.reserved
        {
            match rule.acquire(state, 1, now) {
                None => return Some(Admission::Reject(Denial::RateLimit)),
                Some(wait) => {
                    progress.reserved = true;
                    if wait.0 > 0 {
                        return Some(Admission::Wait(wait));
                    }
                }
            }
        }
        let (rule, state) = (self.adaptive.as_ref()?, state.adaptive.as_mut()?);
        rule.acquire(state, now).map(Admission::Wait)
    }

    /// Asks the adaptive concurrency limit.
    fn limit(&self, state: &State) -> Option<Admission> {
        let limit = state.limit.as_ref()?.limit();
        (state.in_flight >= limit).then_some(Admission::Reject(Denial::Limit))
    }

    /// Gives the ticket of an attempt or call that will not start or not be recorded back to the
    /// breaker, if it is around this.
    pub(super) fn release(&self, state: &mut State, progress: &mut Progress, around: Around) {
        if let Some((rule, state)) = self.breaker_around(state, around)
            && let Some(ticket) = progress.ticket.take()
        {
            rule.release(state, ticket);
        }
    }

    /// The breaker and its state, if it is around this.
    pub(super) fn breaker_around<'a>(
        &'a self,
        state: &'a mut State,
        around: Around,
    ) -> Option<(&'a Breaker, &'a mut BreakerState)> {
        let rule = self.breaker.as_ref().filter(|rule| rule.around == around)?;
        Some((rule, state.breaker.as_mut()?))
    }
}
