//! Circuit breakers: stop asking a target that fails, and find out carefully when it is back.
//!
//! One machine with the choices in which the real ones differ: when it trips ([`Trip`]), how long
//! it stays open, how many probes it sends and what decides ([`Probes`]), and what it hears of
//! calls that began before it opened. The state belongs to a process and a target.

mod meter;
mod probes;
mod smooth;
mod text;

pub use super::rolling::{Rotation, Window};
pub use meter::{Comparison, Slow, Trip};
pub use probes::{OnClose, Probes, Proof, Unheard};
pub use text::BreakerKeys;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::meter::Meter;
use super::backoff::{Backoff, Memory};
use super::bulkhead::Around;
use super::outcome::{Outcome, OutcomeSet};
use crate::kernel::draw::Draw;
use crate::kernel::time::{Span, Time};

/// The rule of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(try_from = "BreakerKeys", into = "BreakerKeys")]
pub struct Breaker {
    /// When a closed breaker opens.
    pub trip: Trip,
    /// Around what it stands: with `Call` it is asked once for a call with all its retries, and
    /// hears once what came of it.
    pub around: Around,
    /// How it is before its first call.
    pub initial: Initial,
    /// What counts as a failure.
    pub failures: OutcomeSet,
    /// Which of them count in a share or rate only, not in a row: HTTP 429 for Linkerd.
    pub soft: OutcomeSet,
    /// What counts neither as a failure nor as a success.
    pub ignored: OutcomeSet,
    /// How long the n-th opening in a row lasts.
    pub open_for: Backoff,
    /// Whether it lets the first probe through only strictly after that time.
    pub strictly_after: bool,
    /// Whether a timer makes it half-open, so that late results find it so; otherwise the next call
    /// that asks does.
    pub by_timer: bool,
    /// What happens then.
    pub probes: Probes,
    /// How long it stays half-open before it opens again, if the probes have not decided by then:
    /// they may never come back (resilience4j `maxWaitDurationInHalfOpenState`).
    pub half_open_for: Option<Span>,
    /// What an outcome that does not count does in half-open.
    pub unheard: Unheard,
    /// Whether results of calls admitted before the last change of state count like others.
    pub hears_late: bool,
    /// Whether a reply to a call that had timed out already is a result of its own.
    pub hears_replies_after_timeout: bool,
    /// What a closing breaker does with what it has counted.
    pub on_close: OnClose,
    /// Whether calls are counted when they ask, rejected ones included, and only failures when they
    /// come back (opossum).
    pub counts_at_start: bool,
}

/// Where a breaker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Calls pass.
    Closed,
    /// Calls are rejected.
    Open,
    /// Probes pass.
    HalfOpen,
}

/// How a breaker is before its first call (resilience4j `initialState`). Its times run from that
/// call on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Initial {
    /// Closed.
    Closed,
    /// Open for as long as its first opening lasts.
    Open,
    /// Half-open: its first calls are probes.
    HalfOpen,
    /// Open, and it stays so (resilience4j `FORCED_OPEN`).
    ForcedOpen,
}

/// The state of one breaker.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerState {
    /// Whether it has been asked, or has nothing to do when it is.
    begun: bool,
    mode: Mode,
    epoch: u32,
    until: Time,
    /// Since when it is half-open, if it is.
    half_open_since: Time,
    openings: u32,
    memory: Memory,
    meter: Meter,
    admitted: u32,
    recorded: u32,
    succeeded: u32,
    slow: u32,
}

/// What an admitted call carries to tell its breaker what it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticket {
    epoch: u32,
    probe: bool,
}

/// What a breaker says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may start, and must record or release this ticket.
    Pass(Ticket),
    /// It may not.
    Reject,
    /// It may ask again when a probe has been recorded.
    Queue,
}

impl Breaker {
    /// A breaker that opens for a fixed time and closes after one good probe.
    #[must_use]
    pub const fn new(trip: Trip, open_for: Span) -> Breaker {
        Breaker {
            trip,
            around: Around::Attempt,
            initial: Initial::Closed,
            failures: OutcomeSet::TRANSIENT,
            soft: OutcomeSet::NONE,
            ignored: OutcomeSet::NONE,
            open_for: Backoff::constant(open_for),
            strictly_after: false,
            by_timer: false,
            probes: Probes::ONE,
            half_open_for: None,
            unheard: Unheard::Frees,
            hears_late: true,
            hears_replies_after_timeout: false,
            on_close: OnClose::Forgets,
            counts_at_start: false,
        }
    }

    /// A breaker at the start of the run. The only place where a breaker allocates.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        BreakerState {
            begun: self.initial == Initial::Closed,
            mode: Mode::Closed,
            epoch: 0,
            until: Time::ZERO,
            half_open_since: Time::ZERO,
            openings: 0,
            memory: Memory::default(),
            meter: Meter::new(&self.trip),
            admitted: 0,
            recorded: 0,
            succeeded: 0,
            slow: 0,
        }
    }

    /// Asks whether a call may start now.
    pub fn admit(&self, state: &mut BreakerState, now: Time, draw: Draw) -> Gate {
        if !state.begun {
            self.begin(state, now, draw);
        }
        if self.counts_at_start {
            state.meter.count_call(&self.trip, now);
        }
        self.evaluate(state, now, draw);
        self.open_if_undecided(state, now, draw);
        self.half_open_if_over(state, now);
        match state.mode {
            Mode::Closed => Gate::Pass(Ticket { epoch: state.epoch, probe: false }),
            Mode::Open => Gate::Reject,
            Mode::HalfOpen if state.admitted < self.probes.limit => {
                state.admitted += 1;
                Gate::Pass(Ticket { epoch: state.epoch, probe: true })
            }
            Mode::HalfOpen if self.probes.queue => Gate::Queue,
            Mode::HalfOpen => Gate::Reject,
        }
    }

    /// Brings a breaker that does not begin closed to where it begins.
    fn begin(&self, state: &mut BreakerState, now: Time, draw: Draw) {
        state.begun = true;
        match self.initial {
            Initial::Closed => {}
            Initial::Open => self.open(state, now, draw),
            Initial::HalfOpen => {
                state.change(Mode::HalfOpen);
                state.half_open_since = now;
            }
            Initial::ForcedOpen => {
                state.change(Mode::Open);
                state.until = Time::NEVER;
            }
        }
    }

    /// Tells what an admitted call came back with after `took`.
    pub fn record(
        &self,
        state: &mut BreakerState,
        ticket: Ticket,
        outcome: Outcome,
        took: Span,
        now: Time,
        draw: Draw,
    ) {
        self.evaluate(state, now, draw);
        self.open_if_undecided(state, now, draw);
        if self.by_timer {
            self.half_open_if_over(state, now);
        }
        if ticket.epoch != state.epoch && !self.hears_late {
            return;
        }
        if self.ignored.contains(outcome) {
            self.release(state, ticket);
            return;
        }
        let failed = self.failures.contains(outcome);
        match state.mode {
            Mode::Closed => {
                self.count(state, failed, failed && !self.soft.contains(outcome), took, now);
                if state.meter.trips(&self.trip, failed, now) {
                    self.open(state, now, draw);
                }
            }
            Mode::Open if self.on_close == OnClose::KeepsAll => {
                self.count(state, failed, failed, took, now);
            }
            Mode::Open => {}
            Mode::HalfOpen => self.judge(state, ticket, failed, took, now, draw),
        }
    }

    /// A reply arrived to a call that was recorded as timed out already.
    pub fn late(
        &self,
        state: &mut BreakerState,
        outcome: Outcome,
        took: Span,
        now: Time,
        draw: Draw,
    ) {
        if self.hears_replies_after_timeout {
            self.record(state, Ticket::default(), outcome, took, now, draw);
        }
    }

    /// An admitted call will never be recorded: it was cancelled, or its outcome does not count.
    pub fn release(&self, state: &mut BreakerState, ticket: Ticket) {
        if !ticket.probe || ticket.epoch != state.epoch || state.mode != Mode::HalfOpen {
            return;
        }
        match self.unheard {
            Unheard::Frees => state.admitted -= 1,
            Unheard::Closes => {
                state.openings = 0;
                state.memory = Memory::default();
                if self.on_close == OnClose::Forgets {
                    state.meter.reset(&self.trip, state.until);
                }
                state.change(Mode::Closed);
            }
            Unheard::Holds => {}
        }
    }

    /// Counts one result.
    fn count(&self, state: &mut BreakerState, failed: bool, hard: bool, took: Span, now: Time) {
        if !self.counts_at_start {
            state.meter.push(&self.trip, failed, hard, took, now);
        } else if failed {
            state.meter.fail(&self.trip, now);
        }
    }

    /// Weighs one result in half-open.
    fn judge(
        &self,
        state: &mut BreakerState,
        ticket: Ticket,
        failed: bool,
        took: Span,
        now: Time,
        draw: Draw,
    ) {
        if self.on_close == OnClose::Forgets {
            state.meter.chain(failed);
        } else {
            self.count(state, failed, failed, took, now);
        }
        let own = ticket.probe && ticket.epoch == state.epoch;
        if own && self.probes.at_once && self.probes.limit < u32::MAX {
            state.admitted -= 1;
        }
        state.recorded += 1;
        state.succeeded += u32::from(!failed);
        state.slow += u32::from(self.trip.is_slow(took));
        match self.probes.proof {
            Proof::Successes(_) if failed => self.open(state, now, draw),
            Proof::Successes(enough) if state.succeeded >= enough => {
                self.close(state, failed, took, now);
            }
            Proof::Nothing | Proof::Successes(_) => {}
            Proof::Ratio { calls, .. } if state.recorded < calls => {}
            Proof::Ratio { calls, ratio } => {
                let share = |part: u32| f64::from(part) / f64::from(calls);
                let slow = self.trip.slow_ratio().is_some_and(|limit| share(state.slow) >= limit);
                if share(state.recorded - state.succeeded) >= ratio || slow {
                    self.open(state, now, draw);
                } else {
                    self.close(state, failed, took, now);
                }
            }
        }
    }

    /// Where the breaker is at `now`, if it is seen from outside between its events.
    #[must_use]
    pub fn mode_at(&self, state: &BreakerState, now: Time) -> Mode {
        match self.initial {
            Initial::Open | Initial::ForcedOpen if !state.begun => Mode::Open,
            Initial::HalfOpen if !state.begun => Mode::HalfOpen,
            _ if self.by_timer && self.is_over(state, now) => Mode::HalfOpen,
            _ => state.mode,
        }
    }

    /// Whether the time of an open breaker is over.
    fn is_over(&self, state: &BreakerState, now: Time) -> bool {
        let passed = if self.strictly_after { now > state.until } else { now >= state.until };
        state.mode == Mode::Open && passed
    }

    fn half_open_if_over(&self, state: &mut BreakerState, now: Time) {
        if !self.is_over(state, now) {
            return;
        }
        if self.probes.proof == Proof::Nothing {
            state.meter.reset(&self.trip, now);
            state.change(Mode::Closed);
        } else {
            state.change(Mode::HalfOpen);
            state.half_open_since = now;
        }
    }

    /// Opens a breaker again that has been half-open for as long as it may.
    fn open_if_undecided(&self, state: &mut BreakerState, now: Time, draw: Draw) {
        let Some(limit) = self.half_open_for else { return };
        let at = state.half_open_since + limit;
        if state.mode == Mode::HalfOpen && now >= at {
            self.open(state, at, draw);
        }
    }

    /// Opens a breaker that looks at its counts only now and then, if the last look was over.
    fn evaluate(&self, state: &mut BreakerState, now: Time, draw: Draw) {
        if state.mode == Mode::Closed
            && let Some(at) = state.meter.tripped_at_evaluation(&self.trip, now)
        {
            self.open(state, at, draw);
        }
    }

    fn open(&self, state: &mut BreakerState, now: Time, draw: Draw) {
        state.openings += 1;
        state.until = now + self.open_for.delay(state.openings, &mut state.memory, draw);
        state.change(Mode::Open);
    }

    /// Closes after the probe with this result.
    fn close(&self, state: &mut BreakerState, failed: bool, took: Span, now: Time) {
        state.openings = 0;
        state.memory = Memory::default();
        if self.on_close != OnClose::KeepsAll {
            state.meter.reset(&self.trip, now);
        }
        if self.on_close == OnClose::KeepsProbe {
            self.count(state, failed, failed, took, now);
        }
        state.change(Mode::Closed);
    }
}

impl BreakerState {
    /// Where the breaker is, as of the last event.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How many failures in a row a closed breaker has counted.
    #[must_use]
    pub fn consecutive_failures(&self) -> u32 {
        self.meter.consecutive()
    }

    /// Whether a call with this ticket is a probe that a half-open breaker waits for.
    #[must_use]
    pub fn is_out(&self, ticket: Ticket) -> bool {
        ticket.probe && ticket.epoch == self.epoch && self.mode == Mode::HalfOpen
    }

    /// The least and the most probes that may be out: as many places as are taken, but for those
    /// of probes that have been recorded and stay counted.
    #[must_use]
    pub fn probes_out(&self, rule: &Breaker) -> (u32, u32) {
        if self.mode != Mode::HalfOpen {
            return (0, 0);
        }
        let leaves = rule.probes.at_once && rule.probes.limit < u32::MAX;
        let least = match rule.unheard {
            Unheard::Holds => 0,
            _ if leaves => self.admitted,
            _ => self.admitted.saturating_sub(self.recorded),
        };
        (least, self.admitted)
    }

    fn change(&mut self, mode: Mode) {
        self.mode = mode;
        self.epoch = self.epoch.wrapping_add(1);
        self.admitted = 0;
        self.recorded = 0;
        self.succeeded = 0;
        self.slow = 0;
    }
}
