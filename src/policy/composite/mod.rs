//! Everything that a caller does around a call, as one machine.
//!
//! For each call the caller keeps a [`Progress`], and for each scope (a process, a process and a
//! target, everybody) one [`State`]. Before every attempt it asks [`Policy::admit`]; after every
//! admitted attempt it tells [`Policy::settle`], or [`Policy::abandon`] if there will be no answer;
//! after a rejected admission it asks [`Policy::denied`].
//!
//! An attempt passes, in this order: the bulkhead and the breaker around the call, adaptive
//! throttling, the breaker around the attempt, the rate limiter, the adaptive limiter, the bulkhead
//! around the attempt, the adaptive concurrency limit; then it takes a connection, if they are
//! limited. What stands around the call is passed once: whom it denies makes no attempt, and is not
//! retried. Hedging is driven by the caller with
//! [`Policy::hedge`]; each further copy has a progress of its own, [`Policy::begin_copy`].

mod admit;
mod holdings;
mod settle;

use super::adaptive::{Adaptive, AdaptiveState};
use super::backoff::Memory;
use super::breaker::{Breaker, BreakerState, Ticket};
use super::budget::{Budget, BudgetState, Share};
use super::bulkhead::{Bulkhead, BulkheadState};
use super::connections::{Connections, ConnectionsState, Ride};
use super::hedge::{Hedge, HedgeState};
use super::limit::{Limit, LimitState};
use super::outlier::Outlier;
use super::rate_limit::{RateLimit, RateLimitState};
use super::retry::Retry;
use super::throttling::{Throttling, ThrottlingState};
use crate::kernel::time::{Span, Time};
pub use holdings::Holdings;

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
    /// What limits how many calls or attempts run at once.
    pub bulkhead: Option<Bulkhead>,
    /// The connections that attempts go over; the bulkhead has as much room as they have.
    pub connections: Option<Connections>,
    /// What limits how often attempts start.
    pub rate_limit: Option<RateLimit>,
    /// What rejects attempts as the server does.
    pub throttling: Option<Throttling>,
    /// What delays attempts after throttling (AWS adaptive mode).
    pub adaptive: Option<Adaptive>,
    /// What sends a further copy of a slow attempt.
    pub hedge: Option<Hedge>,
    /// What learns how many attempts may run at once.
    pub limit: Option<Limit>,
    /// What keeps failing hosts out of the balancing; it is driven by whoever balances.
    pub outlier: Option<Outlier>,
}

/// What a policy remembers across calls. One per scope; never cloned per request.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Of the budget.
    pub budget: Option<BudgetState>,
    /// Of the breaker.
    pub breaker: Option<BreakerState>,
    /// Of the bulkhead.
    pub bulkhead: Option<BulkheadState>,
    /// The connections that are open.
    pub connections: Option<ConnectionsState>,
    /// Of the rate limiter.
    pub rate_limit: Option<RateLimitState>,
    /// Of adaptive throttling.
    pub throttling: Option<ThrottlingState>,
    /// Of the adaptive limiter.
    pub adaptive: Option<AdaptiveState>,
    /// Of hedging.
    pub hedge: Option<HedgeState>,
    /// Of the adaptive limit.
    pub limit: Option<LimitState>,
    /// How many attempts are running.
    pub in_flight: u32,
}

/// What a policy remembers of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    attempts: u32,
    step: u32,
    memory: Memory,
    share: Share,
    ticket: Option<Ticket>,
    running: bool,
    begun: bool,
    copy: bool,
    room: Room,
    ride: Option<Ride>,
    queued: Time,
    reserved: bool,
    passed: bool,
    in_flight: u32,
    /// Free for a policy of the user's own.
    pub own: u64,
}

/// What a call holds of the bulkhead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Room {
    #[default]
    Outside,
    Waiting,
    Inside,
}

impl Progress {
    /// How many attempts were made, denied ones included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The connection that the running attempt goes over.
    #[must_use]
    pub fn ride(&self) -> Option<Ride> {
        self.ride
    }

    /// Counts an attempt, for a policy of the user's own.
    pub fn count_attempt(&mut self) {
        self.attempts += 1;
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
    /// The bulkhead and its queue are full.
    Bulkhead,
    /// The rate limiter would make it wait longer than it is ready to.
    RateLimit,
    /// Adaptive throttling rejected it.
    Throttling,
    /// As many attempts run as the adaptive limit allows.
    Limit,
    /// Every instance of the target is ejected; whoever balances says so.
    NoInstance,
    /// No time was left before its first attempt; whoever calls says so.
    Deadline,
    /// Its caller died before it was made; whoever calls says so.
    CallerLost,
    /// Every connection is in use, and so is every place in the line.
    NoConnection,
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAttempt {
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
    /// Calls once and waits for ever.
    pub const ONCE: Policy = Policy {
        attempt_timeout: None,
        deadline: None,
        retry: None,
        budget: None,
        breaker: None,
        bulkhead: None,
        connections: None,
        rate_limit: None,
        throttling: None,
        adaptive: None,
        hedge: None,
        limit: None,
        outlier: None,
    };

    /// A fresh state for one scope. The only place where a policy allocates.
    #[must_use]
    pub fn state(&self) -> State {
        State {
            budget: self.budget.as_ref().map(Budget::state),
            breaker: self.breaker.as_ref().map(Breaker::state),
            bulkhead: self.bulkhead.map(|_| BulkheadState::default()),
            connections: self.connections.map(|_| ConnectionsState::default()),
            rate_limit: self.rate_limit.as_ref().map(RateLimit::state),
            throttling: self.throttling.as_ref().map(Throttling::state),
            adaptive: self.adaptive.as_ref().map(|rule| rule.state(Time::ZERO)),
            hedge: self.hedge.as_ref().map(Hedge::state),
            limit: self.limit.as_ref().map(Limit::state),
            in_flight: 0,
        }
    }

    /// Whether [`Policy::admit`] looks at its draw: if not, the caller need not make one.
    #[must_use]
    pub fn admits_at_random(&self) -> bool {
        self.breaker.is_some() || self.throttling.is_some()
    }

    /// How long a call that was told to queue may wait before it must ask again.
    #[must_use]
    pub fn patience(&self, progress: &Progress, now: Time) -> Span {
        match self.bulkhead.and_then(|rule| rule.max_wait) {
            Some(most) if progress.room == Room::Waiting => {
                Span(most.0.saturating_sub(now.since(progress.queued).0))
            }
            _ => Span::MAX,
        }
    }

    /// Why an attempt is not made that finds no room in the bulkhead.
    #[must_use]
    pub fn without_room(&self) -> Denial {
        if self.connections.is_some() { Denial::NoConnection } else { Denial::Bulkhead }
    }

    /// How many more calls the bulkhead has room for.
    #[must_use]
    pub fn free_room(&self, state: &State) -> usize {
        let (Some(rule), Some(state)) = (&self.bulkhead, &state.bulkhead) else {
            return usize::MAX;
        };
        rule.limit.saturating_sub(state.running()) as usize
    }

    /// The progress of a call that has not yet asked for anything.
    #[must_use]
    pub fn begin(&self) -> Progress {
        Progress::default()
    }

    /// The progress of one further copy of a call: it asks for admission and is settled like a call
    /// of its own, but shares the room and the place in the budget of the first copy, and is never
    /// retried.
    #[must_use]
    pub fn begin_copy(&self) -> Progress {
        Progress { begun: true, copy: true, ..Progress::default() }
    }
}
