//! What a run costs by the prices of its cell.

use super::{Amount, Counted, Price, Prices};
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Time;
use crate::metric::Recovery;

impl Prices {
    /// What a run costs in all; `None` where a part of it cannot be told.
    #[must_use]
    pub fn total(&self, cell: &Cell, run: &RunResult) -> Option<f64> {
        let parts = self.list.iter().map(|price| price.millionths(cell, run));
        Some(Amount::in_units(parts.sum::<Option<i128>>()?))
    }

    /// What a run costs of the price at this place; `None` where it cannot be told.
    #[must_use]
    pub fn part(&self, place: usize, cell: &Cell, run: &RunResult) -> Option<f64> {
        self.list.get(place)?.millionths(cell, run).map(Amount::in_units)
    }
}

impl Price {
    fn millionths(&self, cell: &Cell, run: &RunResult) -> Option<i128> {
        Some(self.amount.times(self.counted.in_run(cell, run)?, self.per))
    }
}

impl Counted {
    /// How much of it there is in a run; `None` where that cannot be told.
    fn in_run(&self, cell: &Cell, run: &RunResult) -> Option<u128> {
        let arrivals = u128::from(cell.measure.arrivals_end.since(Time::ZERO).0);
        Some(match self {
            Counted::Time => arrivals,
            Counted::Instances(instances) => arrivals * u128::from(*instances),
            Counted::UntilRecovered => u128::from(recovered_after(cell, run)?),
            Counted::Attempts(edges) => {
                let attempts = edges.iter().map(|&edge| run.metrics.edges[edge].attempts);
                u128::from(attempts.sum::<u64>())
            }
            Counted::Violations(place) => u128::from(run.invariants.get(*place)?.violations),
            Counted::Milestone(place, count) => {
                u128::from(count(run.metrics.milestones.get(*place)?))
            }
            Counted::Objective(place, count) => {
                let objective = &cell.objectives.list[*place];
                u128::from(count(&objective.account(&run.metrics, &cell.measure)?))
            }
            Counted::Count(count) => u128::from(count(run)),
        })
    }
}

/// From the first fault until what is measured fares as before, in nanoseconds.
fn recovered_after(cell: &Cell, run: &RunResult) -> Option<u64> {
    let Some((began, healed)) = run.faults_act else { return Some(0) };
    let end = cell.measure.arrivals_end;
    match run.recovery {
        Recovery::NoFault => Some(0),
        Recovery::After(span) => Some((healed + span).since(began).0),
        Recovery::Never | Recovery::Unsteady => Some(end.max(began).since(began).0),
        Recovery::Unseen => None,
    }
}
