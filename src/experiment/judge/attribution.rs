//! What spent the budget: every cause of a run is taken out in turn under the same seed.
//!
//! A cause is a fault of the plan, traffic spikes included, or one that was drawn. What is counted
//! is the bad events of each objective and the violations of each promise. The part of a cause is
//! what the run has less of without it. Draws are keyed, so that a run without a cause has the luck
//! of the run with it, and the difference is exact.
//!
//! Parts do not add up where causes interact: two faults of which either alone is survived have
//! parts of all the harm each, and two of which either alone does all the harm have parts of none.
//! The remainder, which is what all causes do together less their parts, is told as interactions.
//! Shapley's values share it out (Shapley, "A value for n-person games", 1953): the mean part of a
//! cause over all orders in which causes could come. They take a run for each set of causes.

pub mod harm;
pub mod text;

use std::collections::BTreeMap;

use crate::experiment::plan::cell::Cell;
use crate::experiment::run::course::Course;
use crate::experiment::run::result::RunResult;
use crate::fault::{DrawnFault, Plan, RandomPlan};
use crate::invariant::{Invariants, Judgement};
use crate::kernel::limit::Ending;
use crate::kernel::time::Time;
use crate::metric::{Followers, Measure, RunMetrics};
use crate::system::Audience;
use harm::{Attribution, Harm, factorial};

/// Shapley values of more causes take more than 64 runs for each.
pub const SHAPLEY_MAX: usize = 6;

/// Attributes what went wrong in a run of this plan to its causes. `None` where a limit ended the
/// run, or one without a cause.
pub(in crate::experiment) fn attribute(
    cell: &Cell,
    plan: &Plan,
    run: &RunResult,
) -> Option<Attribution> {
    let shapley = cell.attribution?.shapley;
    if run.ending != Ending::Complete {
        return None;
    }
    let own = Counted {
        events: bad_events(cell, &run.metrics),
        violations: cell
            .invariants
            .iter()
            .zip(&run.invariants)
            // What compares runs is judged beside a twin of its own, and has no causes here.
            .map(|(own, verdict)| if own.kind.compares { 0 } else { verdict.violations })
            .collect(),
    };
    let causes = plan.faults.len();
    let mut twins = Twins { cell, plan, seed: run.seed, known: BTreeMap::new() };
    twins.known.insert((0..causes).collect(), own.all());
    let all = twins.count(&(0..causes).collect())?;
    let none = twins.count(&Vec::new())?;
    let mut without = Vec::new();
    for absent in 0..causes {
        without.push(twins.count(&(0..causes).filter(|&cause| cause != absent).collect())?);
    }
    let values = match shapley && causes <= SHAPLEY_MAX {
        true => Some(twins.shapley(causes)?),
        false => None,
    };
    let harm = |place: usize| Harm {
        all: all[place],
        none: none[place],
        without: without.iter().map(|counts| counts[place]).collect(),
        shapley: values.as_ref().map(|values| values.iter().map(|own| own[place]).collect()),
    };
    Some(Attribution { harms: (0..all.len()).map(harm).collect() })
}

/// How often each thing went wrong in a run.
struct Counted {
    events: Vec<u64>,
    violations: Vec<u64>,
}

impl Counted {
    fn all(self) -> Vec<u64> {
        self.events.into_iter().chain(self.violations).collect()
    }
}

fn bad_events(cell: &Cell, metrics: &RunMetrics) -> Vec<u64> {
    let bad = |objective: &crate::metric::Objective| {
        objective.account(metrics, &cell.measure).map_or(0, |account| account.bad)
    };
    cell.objectives.list.iter().map(bad).collect()
}

/// Runs of one plan with some of its causes, each made once.
struct Twins<'a> {
    cell: &'a Cell,
    plan: &'a Plan,
    seed: u64,
    /// What went wrong with these causes.
    known: BTreeMap<Vec<usize>, Vec<u64>>,
}

impl Twins<'_> {
    /// How often each thing goes wrong with these causes alone; `None` if a limit ends the run.
    fn count(&mut self, causes: &Vec<usize>) -> Option<Vec<u64>> {
        if let Some(known) = self.known.get(causes) {
            return Some(known.clone());
        }
        let plan = self.plan.only(|cause| causes.contains(&cause));
        let counts = count(self.cell, &plan, self.seed)?;
        self.known.insert(causes.clone(), counts.clone());
        Some(counts)
    }

    /// The Shapley value of each cause, times the factorial of their number: over all sets without
    /// it, |S|! (n - |S| - 1)! times what it adds to the set.
    fn shapley(&mut self, causes: usize) -> Option<Vec<Vec<i64>>> {
        let mut values = Vec::new();
        for cause in 0..causes {
            let mut value: Vec<i64> = Vec::new();
            for set in (0..1_u32 << causes).filter(|set| set & 1 << cause == 0) {
                let members = |set: u32| (0..causes).filter(|it| set & 1 << it != 0).collect();
                let before = self.count(&members(set))?;
                let after = self.count(&members(set | 1 << cause))?;
                let size = set.count_ones() as usize;
                let weight = factorial(size) * factorial(causes - size - 1);
                value.resize(before.len(), 0);
                for (value, (before, after)) in value.iter_mut().zip(before.iter().zip(after)) {
                    *value += weight * (after as i64 - *before as i64);
                }
            }
            values.push(value);
        }
        Some(values)
    }
}

/// How often each thing goes wrong in a run of this plan; `None` if a limit ends it.
fn count(cell: &Cell, plan: &Plan, seed: u64) -> Option<Vec<u64>> {
    let measure = Measure { faults: plan.acts, ..cell.measure.clone() };
    let mut followers = Followers::new(&cell.followed(), &measure);
    let mut invariants = Invariants::new(&cell.invariants, &cell.program)
        .unwrap_or_else(|wrong| panic!("an invariant does not fit: {wrong:?}"));
    let mut all = Audience::new(vec![&mut followers, &mut invariants]);
    let world = Course::new(cell, plan, seed).world(&mut all);
    if world.run().ending != Ending::Complete {
        return None;
    }
    let end = cell.limits.horizon;
    let mut metrics = RunMetrics::default();
    metrics.milestones = followers.finish(&measure, end);
    metrics.answers = metrics.milestones.split_off(cell.milestones.len());
    let healed = plan.acts.map_or(Time::ZERO, |(_, healed)| healed);
    let verdicts = invariants.verdicts(Judgement { healed, end });
    let violations = verdicts.into_iter().map(|verdict| verdict.violations).collect();
    Some(Counted { events: bad_events(cell, &metrics), violations }.all())
}

/// The causes of a cell that results tell apart: each listed fault, and all drawn ones of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The number of a listed fault, from 1; `None` for all drawn ones of a kind.
    pub number: Option<usize>,
    /// What goes wrong.
    pub kind: &'static str,
    /// Whom it strikes; `None` for all drawn ones of a kind.
    pub target: Option<String>,
}

impl Cause {
    /// The causes of a cell, in the order of its plan.
    #[must_use]
    pub fn all(cell: &Cell) -> Vec<Cause> {
        let listed = cell.plan.faults.iter().enumerate().map(|(index, fault)| Cause {
            number: Some(index + 1),
            kind: fault.kind.name(),
            target: Some(fault.target.clone()),
        });
        let kinds = cell.random.iter().flat_map(RandomPlan::kinds);
        let drawn = kinds.map(|kind| Cause { number: None, kind: kind.name(), target: None });
        listed.chain(drawn).collect()
    }

    /// What tables call it.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.target, self.number) {
            (Some(target), Some(number)) => format!("{number} {} {target}", self.kind),
            _ => format!("drawn {}", self.kind),
        }
    }

    /// The numbers of its faults in the plan of a run with these drawn ones.
    fn faults(&self, cell: &Cell, drawn: &[DrawnFault]) -> Vec<usize> {
        let listed = cell.plan.faults.len();
        match self.number {
            Some(number) => vec![number - 1],
            None => {
                let numbered = drawn.iter().enumerate();
                let own = numbered.filter(|(_, drawn)| drawn.fault.kind.name() == self.kind);
                own.map(|(index, _)| listed + index).collect()
            }
        }
    }

    /// Its part of a harm of a run: the sum over its faults.
    #[must_use]
    pub fn part(&self, cell: &Cell, run: &RunResult, harm: &Harm) -> i64 {
        self.faults(cell, &run.drawn).into_iter().map(|fault| harm.part(fault)).sum()
    }

    /// Its Shapley value of a harm of a run: the sum over its faults.
    #[must_use]
    pub fn shapley(&self, cell: &Cell, run: &RunResult, harm: &Harm) -> Option<f64> {
        self.faults(cell, &run.drawn).into_iter().map(|fault| harm.shapley(fault)).sum()
    }
}
