//! What calls hold of a state at present, counted from both sides.
//!
//! Whoever drives a policy can find out whether a call has ended without giving back what it held:
//! the holdings of the calls that go on, added up, must be what the state has lent.

use super::{Policy, Progress, Room, State};
use crate::policy::budget::BudgetState;
use crate::policy::connections::ConnectionsState;
use crate::policy::hedge::Copies;

/// What one call holds, or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Attempts that run.
    pub in_flight: u32,
    /// Places in the bulkhead.
    pub inside: u32,
    /// Places in the line before it.
    pub waiting: u32,
    /// Calls that a budget of concurrent retries counts.
    pub active: u32,
    /// Slots of that budget.
    pub slots: u32,
    /// Probes of a half-open breaker.
    pub probes: u32,
    /// Calls that such a budget of hedging counts.
    pub hedging: u32,
    /// Slots of that budget.
    pub hedges: u32,
}

impl Holdings {
    /// These and those.
    #[must_use]
    pub fn and(self, other: Holdings) -> Holdings {
        Holdings {
            in_flight: self.in_flight + other.in_flight,
            inside: self.inside + other.inside,
            waiting: self.waiting + other.waiting,
            active: self.active + other.active,
            slots: self.slots + other.slots,
            probes: self.probes + other.probes,
            hedging: self.hedging + other.hedging,
            hedges: self.hedges + other.hedges,
        }
    }
}

impl State {
    /// What a call, or a copy of one, holds of this state.
    #[must_use]
    pub fn held_by(&self, progress: &Progress) -> Holdings {
        let counts = |is_so: bool| u32::from(is_so);
        let is_counted = matches!(self.budget, Some(BudgetState::Concurrent(_)));
        let breaker = self.breaker.as_ref();
        let is_out = |ticket| breaker.is_some_and(|breaker| breaker.is_out(ticket));
        Holdings {
            in_flight: counts(progress.running),
            inside: counts(progress.room == Room::Inside),
            waiting: counts(progress.room == Room::Waiting),
            active: counts(is_counted && progress.begun && !progress.copy),
            slots: counts(progress.share.slot),
            probes: counts(progress.ticket.is_some_and(is_out)),
            ..Holdings::default()
        }
    }

    /// What the copies of a call hold of this state together.
    #[must_use]
    pub fn held_by_copies(&self, copies: &Copies) -> Holdings {
        let budget = self.hedge.as_ref().and_then(|hedge| hedge.budget());
        let is_counted = matches!(budget, Some(BudgetState::Concurrent(_)));
        Holdings { hedging: u32::from(is_counted), hedges: copies.slots(), ..Holdings::default() }
    }
}

impl Policy {
    /// Whether a state has lent what its calls hold, no less and no more.
    #[must_use]
    pub fn agrees(&self, state: &State, held: Holdings) -> bool {
        let slots = |budget: Option<&BudgetState>| match budget {
            Some(BudgetState::Concurrent(slots)) => (slots.active(), slots.retrying()),
            _ => (0, 0),
        };
        let (active, retrying) = slots(state.budget.as_ref());
        let hedge = state.hedge.as_ref().and_then(|hedge| hedge.budget());
        let (hedging, hedges) = slots(hedge);
        let lent = Holdings {
            in_flight: state.in_flight,
            inside: state.bulkhead.map_or(0, |room| room.running()),
            waiting: state.bulkhead.map_or(0, |room| room.waiting()),
            active,
            slots: retrying,
            probes: held.probes,
            hedging,
            hedges,
        };
        let (least, most) = match (&self.breaker, &state.breaker) {
            (Some(rule), Some(breaker)) => breaker.probes_out(rule),
            _ => (0, 0),
        };
        let rides = state.connections.as_ref().map_or(0, ConnectionsState::streams);
        lent == held && (least..=most).contains(&held.probes) && rides <= lent.in_flight
    }
}

impl Progress {
    /// Whether the call holds what others of the same state may wait for: room in the bulkhead, or
    /// a probe of the breaker.
    #[must_use]
    pub fn holds_place(&self) -> bool {
        self.room == Room::Inside || self.ticket.is_some()
    }

    /// Whether the call waits for room in the bulkhead.
    #[must_use]
    pub fn waits_for_room(&self) -> bool {
        self.room == Room::Waiting
    }
}
