//! A case: a run that is told what goes wrong, who comes and how long it lasts.

use std::ops::Range;

use crate::experiment::plan::cell::Cell;
use crate::fault::{FaultText, Plan};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::system::World;

/// A run of a cell under a seed, with every fault, user and limit of time by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The seed.
    pub seed: u64,
    /// Every fault; none is drawn beside these.
    pub faults: Vec<FaultText>,
    /// The orders that are kept, in ascending order; `None` keeps all.
    pub orders: Option<Vec<u64>>,
    /// Users arrive until then.
    pub arrivals_end: Time,
    /// The run ends then.
    pub horizon: Time,
    /// After this time all is drawn from this other seed.
    pub redraw: Option<(Time, u64)>,
    /// The numbers of the events that are kept.
    pub watch: Range<u64>,
}

impl Case {
    /// The ordinary run of a cell under a seed, with names for its faults: those of the experiment
    /// are `listed 1` and so on, those that were drawn are called as they were drawn.
    #[must_use]
    pub fn of(cell: &Cell, seed: u64) -> (Case, Vec<String>) {
        let drawn = cell.random.as_ref().map(|random| random.draw(seed)).unwrap_or_default();
        let mut faults = cell.plan.faults.clone();
        let mut names: Vec<String> =
            (1..=faults.len()).map(|number| format!("listed {number}")).collect();
        for drawn in drawn {
            names.push(drawn.name);
            faults.push(drawn.fault);
        }
        let case = Case {
            seed,
            faults,
            orders: None,
            arrivals_end: cell.measure.arrivals_end,
            horizon: cell.limits.horizon,
            redraw: None,
            watch: 0..0,
        };
        (case, names)
    }

    /// Whether the case fits a cell.
    ///
    /// # Errors
    /// Every fault that does not fit, with its place in the case.
    pub fn check(&self, cell: &Cell) -> Result<(), Vec<Problem>> {
        let placed =
            |(index, problem): (usize, Problem)| problem.inside(index.to_string()).inside("faults");
        match Plan::new(&self.faults, &cell.program) {
            Ok(_) => Ok(()),
            Err(wrong) => Err(wrong.into_iter().map(placed).collect()),
        }
    }

    /// Tells a world what is different from an ordinary run.
    pub(in crate::experiment) fn tell(&self, world: &mut World<'_>) {
        if let Some(orders) = &self.orders {
            world.keep_orders(orders);
        }
        if let Some((after, seed)) = self.redraw {
            world.redraw_after(after, seed);
        }
        world.watch_events(self.watch.clone());
    }
}
