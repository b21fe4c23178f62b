//! What a run can be told beside its program and its faults, to find out why it went as it did.
//!
//! Draws are named by what they are for, so a user who does not come takes no luck from the others,
//! and what has been drawn stays as it was when the rest is drawn again.

use std::collections::VecDeque;
use std::ops::Range;

use crate::kernel::time::Time;
use crate::system::Sight;
use crate::system::World;

/// What is different from an ordinary run; by default, nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::system) struct Rerun {
    /// After this time every draw is that of the next seed.
    pub(in crate::system) redraw_after: Time,
    /// From when on which seed draws, in the order of time.
    seeds: VecDeque<(Time, u64)>,
    /// Whether the first users have come: who goes on with a copy does not begin.
    pub(in crate::system) has_begun: bool,
}

impl Default for Rerun {
    fn default() -> Rerun {
        Rerun { redraw_after: Time::NEVER, seeds: VecDeque::new(), has_begun: false }
    }
}

impl<'p> World<'p> {
    /// Lets users with other orders than these, in ascending order, leave as soon as they come.
    /// They count when users are numbered, so each order keeps its number and its draws.
    pub fn keep_orders(&mut self, orders: &[u64]) {
        self.nodes.kept_orders = Some(orders.to_vec());
    }

    /// Draws everything that is drawn after a time from another seed; a later call is about a later
    /// time.
    pub fn redraw_after(&mut self, after: Time, seed: u64) {
        self.rerun.seeds.push_back((after, seed));
        self.rerun.redraw_after = self.rerun.seeds[0].0;
    }

    /// Runs until the observer has seen enough, or to the end; whether others go on from there.
    /// Nothing of it is judged: the run is left where it is.
    pub fn run_until_seen(&mut self) -> bool {
        self.run_until(|world| world.cx.core.sight() != Sight::More);
        self.cx.core.sight() == Sight::Keep
    }

    /// How many events there were.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.cx.core.events()
    }

    /// Keeps the events with these numbers for a comparison with those of another run.
    pub fn watch_events(&mut self, events: Range<u64>) {
        self.cx.core.digester().watch(events);
    }

    /// Goes on with the draws of the other seed.
    pub(in crate::system) fn redraw(&mut self) {
        if let Some((_, seed)) = self.rerun.seeds.pop_front() {
            self.cx.core.draws().reseed(seed);
        }
        self.rerun.redraw_after = self.rerun.seeds.front().map_or(Time::NEVER, |next| next.0);
    }
}
