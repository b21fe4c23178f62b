//! Retries as a share of what the last seconds saw, with a constant reserve: Finagle
//! (`util/.../WindowedAdder`, `finagle-core/.../service/RetryBudget.scala`), tower
//! (`tower/src/retry/budget/tps_budget.rs`) and Linkerd service profiles, which use tower's.
//!
//! The reserve is no allowance per second: all of it may go in one burst, and it comes back as the
//! debits leave the window.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Deposit;
use crate::kernel::quantity::{AsShare, Lasting, Number, Whole};
use crate::kernel::time::{Span, Time};
use crate::policy::keys::{Wrong, keys, needed};

/// The rule of a windowed budget.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(try_from = "WindowKeys", into = "WindowKeys")]
pub struct Window {
    /// What earns.
    pub deposit: Deposit,
    /// What a deposit adds.
    pub earn: i64,
    /// What a retry costs: `cost / earn` deposits are one retry.
    pub cost: i64,
    /// What is always there, in the same unit.
    pub reserve: i64,
    /// How long deposits and debits count.
    pub span: Span,
    /// The share of the retries left at its start that one call may have, rounded up (Finagle
    /// `RequeueFilter.scala`, `maxRetriesPerReq`); without it, all of them.
    pub per_call: Option<f64>,
}

keys! {
    /// A windowed budget by shares, or in exact units.
    pub struct WindowKeys {
        /// What earns a deposit; `first_try` by default.
        deposit: Deposit,
        /// Retries that each deposit allows, counted in thousandths as Finagle does.
        ratio: f64 as "AsShare",
        /// Retries that are always allowed, for each second of the window; 0 by default.
        per_second: f64 as "Number::<0, 1_000_000_000>",
        /// What a deposit adds, in units, instead of `ratio`.
        earn: u32,
        /// What a retry costs, in units.
        cost: u32 as "Whole::<1, { u32::MAX }>",
        /// What is always there, in units, instead of `per_second`.
        reserve: u32,
        /// How long deposits and retries count; 10s by default (Finagle, tower).
        window: Span as "Lasting",
        /// The share of the retries left that one call may have; all by default.
        per_call: f64 as "AsShare",
    }
}

impl TryFrom<WindowKeys> for Window {
    type Error = Wrong;

    fn try_from(keys: WindowKeys) -> Result<Window, Wrong> {
        let span = keys.window.unwrap_or(Span::from_secs(10));
        let deposit = keys.deposit.unwrap_or_default();
        let per_call = keys.per_call;
        if keys.ratio.is_none() && keys.per_second.is_none() {
            return Ok(Window {
                deposit,
                earn: i64::from(needed(keys.earn, "ratio")?),
                cost: i64::from(needed(keys.cost, "cost")?),
                reserve: i64::from(keys.reserve.unwrap_or_default()),
                span,
                per_call,
            });
        }
        let own = ["ratio", "per_second", "deposit", "window", "per_call"];
        keys.only("a budget by shares", &[&own])?;
        let ratio = needed(keys.ratio, "ratio")?;
        let per_second = keys.per_second.unwrap_or_default() as u32;
        Ok(Window { deposit, per_call, ..Window::finagle(ratio, per_second, span) })
    }
}

impl From<Window> for WindowKeys {
    fn from(rule: Window) -> WindowKeys {
        WindowKeys {
            deposit: Some(rule.deposit),
            earn: Some(rule.earn as u32),
            cost: Some(rule.cost as u32),
            reserve: Some(rule.reserve as u32),
            window: Some(rule.span),
            per_call: rule.per_call,
            ..WindowKeys::default()
        }
    }
}

/// The sums of one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowState {
    slots: [i64; SLOTS],
    open: i64,
    next: usize,
    opened: Time,
    reserve: i64,
}

const SLOTS: usize = 10;

impl Window {
    /// tower's rule for `ratio` retries per call and `per_second` more, over `span`.
    ///
    /// The cost is truncated: a ratio of 0.7 allows 100 % retries and 0.3 allows 33 %.
    #[must_use]
    pub const fn tower(deposit: Deposit, ratio: f32, per_second: u32, span: Span) -> Window {
        let (earn, cost) = if ratio == 0.0 {
            (0, 1)
        } else if ratio <= 1.0 {
            (1, (1.0 / ratio) as i64)
        } else {
            (1000, (1000.0 / ratio) as i64)
        };
        let reserve = per_second as i64 * (span.0 / 1_000_000_000) as i64 * cost;
        Window { deposit, earn, cost, reserve, span, per_call: None }
    }

    /// Finagle's rule for the same numbers, in thousandths of a deposit.
    #[must_use]
    pub const fn finagle(ratio: f64, per_second: u32, span: Span) -> Window {
        let (earn, cost) = if ratio == 0.0 { (0, 1000) } else { (1000, (1000.0 / ratio) as i64) };
        let reserve = per_second as i64 * (span.0 / 1_000_000_000) as i64 * cost;
        Window { deposit: Deposit::FirstTry, earn, cost, reserve, span, per_call: None }
    }

    /// An empty window that opens at time zero.
    #[must_use]
    pub fn state(&self) -> WindowState {
        WindowState {
            slots: [0; SLOTS],
            open: 0,
            next: 0,
            opened: Time::ZERO,
            reserve: self.reserve,
        }
    }

    /// Adds what an event of this kind earns.
    pub fn deposit(&self, state: &mut WindowState, kind: Deposit, now: Time) {
        self.expire(state, now);
        if kind == self.deposit {
            state.open += self.earn;
        }
    }

    /// Pays for one retry if the window and the reserve can.
    pub fn withdraw(&self, state: &mut WindowState, now: Time) -> bool {
        self.expire(state, now);
        let enough = state.balance() >= self.cost;
        if enough {
            state.open -= self.cost;
        }
        enough
    }

    /// How many retries a call that starts now may have, its own deposit counted.
    pub(super) fn retries_of_a_call(&self, state: &WindowState) -> Option<u32> {
        let retries = (state.balance() / self.cost).max(0);
        self.per_call.map(|share| libm::ceil(share * retries as f64) as u32)
    }

    /// Closes the open slot if its time is over; the remainder of the time is dropped.
    fn expire(&self, state: &mut WindowState, now: Time) {
        let slot = self.span.0 / SLOTS as u64;
        let mut gone = now.since(state.opened).0;
        if gone < slot {
            return;
        }
        state.slots[state.next] = std::mem::take(&mut state.open);
        state.next = (state.next + 1) % SLOTS;
        let mut cleared = 0;
        while gone > slot && cleared < SLOTS {
            state.slots[state.next] = 0;
            state.next = (state.next + 1) % SLOTS;
            gone -= slot;
            cleared += 1;
        }
        state.opened = now;
    }
}

impl WindowState {
    /// What is there to spend, the reserve included, as of the last event.
    #[must_use]
    pub fn balance(&self) -> i64 {
        self.open + self.slots.iter().sum::<i64>() + self.reserve
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reserve of 100 goes in one burst, and comes back after the window; then a fifth.
    #[test]
    fn finagle_grants_its_reserve_at_once_and_a_fifth_of_the_calls() {
        let rule = Window::finagle(0.2, 10, Span::from_secs(10));
        let mut state = rule.state();
        let burst = (0..1_000).filter(|_| rule.withdraw(&mut state, Time::ZERO)).count();
        assert_eq!(burst, 100);
        let granted = (0..1_000)
            .filter(|_| {
                rule.deposit(&mut state, Deposit::FirstTry, Time(1));
                rule.withdraw(&mut state, Time(1))
            })
            .count();
        assert_eq!(granted, 200);
        let later = Time::ZERO + Span::from_secs(30);
        assert_eq!((0..1_000).filter(|_| rule.withdraw(&mut state, later)).count(), 100);
    }

    #[test]
    fn tower_truncates_the_cost_and_finagle_does_not() {
        let span = Span::from_secs(10);
        for (ratio, tower) in [(0.2_f32, 5), (0.3, 3), (0.4, 2), (0.7, 1), (1.0, 1)] {
            assert_eq!(Window::tower(Deposit::Success, ratio, 0, span).cost, tower);
        }
        let finagle = Window::finagle(0.7, 0, span);
        assert_eq!((finagle.earn, finagle.cost), (1_000, 1_428));
    }
}
