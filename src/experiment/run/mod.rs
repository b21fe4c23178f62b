//! One run: one cell under one seed.

pub mod case;
pub mod closer_look;
pub mod cohorts;
pub(in crate::experiment) mod course;
pub mod divergence;
pub mod record;
pub mod result;
pub mod story;

use crate::experiment::judge::attribution::attribute;
use crate::experiment::judge::blast_radius::Kept;
use crate::experiment::plan::cell::Cell;
use crate::fault::Plan;
use crate::kernel::digest::Folded;
use crate::kernel::time::Time;
use crate::system::Observer;
use case::Case;
use course::Course;
use result::RunResult;

/// Runs a cell under a seed; `index` is the cell's place in its campaign.
///
/// # Panics
/// If the cell's invariants do not fit its program: a campaign has refused those.
#[must_use]
pub fn run(cell: &Cell, index: usize, seed: u64) -> RunResult {
    let drawn = cell.random.as_ref().map(|random| random.draw(seed)).unwrap_or_default();
    let plan = cell.plan_with(&drawn);
    let mut watching = cell.observing.watch(&cell.program, cell.measure.warm_up, &plan);
    let (result, _) = Course::new(cell, &plan, seed).run(index, &mut watching.observers());
    let attribution = attribute(cell, &plan, &result);
    RunResult { drawn, attribution, observed: watching.finish(), ..result }
}

/// A run of a cell under a plan, with what it takes to compare it from `since` on with another one
/// of its seed.
pub(super) fn kept<'a>(
    cell: &'a Cell,
    plan: &'a Plan,
    seed: u64,
    since: Time,
    watcher: &mut dyn Observer,
) -> (Kept<'a>, RunResult) {
    let (kept, followed) = Course::new(cell, plan, seed).keep(0, since, watcher);
    (kept, followed.result)
}

/// Runs a case of a cell, and tells an observer every fact; returns the events too that the case
/// wants to have kept.
///
/// # Panics
/// If a fault of the case does not fit the cell's program: [`Case::check`] says so before.
#[must_use]
pub fn run_case(
    cell: &Cell,
    index: usize,
    case: &Case,
    observer: &mut dyn Observer,
) -> (RunResult, Vec<Folded>) {
    let plan = Plan::new(&case.faults, &cell.program)
        .unwrap_or_else(|wrong| panic!("a fault does not fit: {wrong:?}"));
    Course::of_case(cell, &plan, case).run(index, observer)
}
