//! What a run can be told beside its program and its faults, to find out why it went as it did.
//!
//! Draws are named by what they are for, so a user who does not come takes no luck from the others,
//! and what has been drawn stays as it was when the rest is drawn again.

use std::ops::Range;

use super::World;
use crate::kernel::time::Time;

/// What is different from an ordinary run; by default, nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rerun {
    /// The orders that are kept, in ascending order; `None` keeps all.
    orders: Option<Vec<u64>>,
    /// After this time every draw is that of another seed.
    pub(super) redraw_after: Time,
    seed: u64,
}

impl Default for Rerun {
    fn default() -> Rerun {
        Rerun { orders: None, redraw_after: Time::NEVER, seed: 0 }
    }
}

impl World<'_> {
    /// Lets users with other orders than these, in ascending order, leave as soon as they come.
    /// They count when users are numbered, so each order keeps its number and its draws.
    pub fn keep_orders(&mut self, orders: &[u64]) {
        self.rerun.orders = Some(orders.to_vec());
    }

    /// Draws everything that is drawn after a time from another seed.
    pub fn redraw_after(&mut self, after: Time, seed: u64) {
        (self.rerun.redraw_after, self.rerun.seed) = (after, seed);
    }

    /// Keeps the events with these numbers for a comparison with those of another run.
    pub fn watch_events(&mut self, events: Range<u64>) {
        self.digester.watch(events);
    }

    /// Whether the user with this order leaves at once.
    pub(super) fn is_left_out(&self, order: u64) -> bool {
        self.rerun.orders.as_ref().is_some_and(|kept| kept.binary_search(&order).is_err())
    }

    /// Goes on with the draws of the other seed.
    pub(super) fn redraw(&mut self) {
        self.draws.reseed(self.rerun.seed);
        self.rerun.redraw_after = Time::NEVER;
    }
}
