//! What is measured and followed in a cell: requests, and milestones that they come to.

use super::cell::Cell;
use super::language::Experiment;
use super::measure::WarmUp;
use crate::fault::Plan;
use crate::kernel::time::Time;
use crate::metric::{Measure, Milestone};
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::program::Program;

/// `[measure]` for a program; notes what is wrong. Without an `operation` of its own it measures
/// that of the milestone which takes the place of replies.
pub(in crate::experiment) fn measure(
    experiment: &Experiment,
    program: &Program,
    plan: &Plan,
    (document, problems): (&Value, &mut Vec<Problem>),
) -> Measure {
    let text = &experiment.measure;
    let mut operation = |name: Option<&String>, key: &str| {
        let name = name?;
        let found = program.find_operation(name);
        if found.is_none() {
            let mut known: Vec<&str> = program.operations.iter().map(|o| o.name.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            let problem = Problem::unknown("operation", name, &known);
            problems.push(problem.located(document, &["measure", key]));
        }
        found
    };
    let milestone = text.milestone.as_ref().and_then(|name| experiment.milestones.get(name));
    let own = milestone.and_then(|milestone| program.find_operation(&milestone.of));
    Measure {
        operation: operation(text.operation.as_ref(), "operation").or(own),
        load: operation(text.load.as_ref(), "load"),
        window: text.window,
        recovery: text.recovery,
        faults: plan.acts,
        arrivals_end: Time(experiment.arrivals.0),
        warm_up: match experiment.warm_up() {
            WarmUp::After(span) => Time::ZERO + span,
            WarmUp::Auto => Time::ZERO,
        },
    }
}

/// The milestones for a program; notes what is wrong.
pub(in crate::experiment) fn compiled(
    experiment: &Experiment,
    program: &Program,
    document: &Value,
    problems: &mut Vec<Problem>,
) -> Vec<Milestone> {
    let mut milestones = Vec::new();
    for (name, text) in &experiment.milestones {
        let located = |problem: Problem| problem.located(document, &["milestone", name]);
        match Milestone::new(name, text, program) {
            Ok(milestone) => milestones.push(milestone),
            Err(problem) => problems.push(located(problem)),
        }
    }
    milestones
}

/// Until when requests are asked of which it can be said how they fared: who has until the end of
/// the run is not judged.
pub(in crate::experiment) fn judged_until(
    experiment: &Experiment,
    measured: Option<usize>,
) -> Time {
    let arrivals_end = Time(experiment.arrivals.0);
    let milestone = measured.and_then(|place| experiment.milestones.get_index(place));
    let within = milestone.and_then(|(_, text)| text.within);
    let end = arrivals_end + experiment.drain;
    within.map_or(arrivals_end, |within| arrivals_end.min(Time(end.0.saturating_sub(within.0))))
}

/// Arms and levels that follow other milestones, objectives or prices than the first cell: each has
/// its columns.
pub(in crate::experiment) fn others(cells: &[Cell], experiment: &Value) -> Vec<Problem> {
    let names = |cell: &Cell| -> Vec<String> {
        cell.metrics.iter().map(|metric| format!("{} {}", metric.name, metric.meaning)).collect()
    };
    let first = names(&cells[0]);
    let mut problems = Vec::new();
    for cell in cells.iter().filter(|cell| names(cell) != first) {
        let problem = Problem::new(format!(
            "`{}` follows other milestones, objectives or prices than `{}`, or measures another",
            cell.arm, cells[0].arm
        ));
        let problem = problem.expected(
            "the same names under `milestone`, `slo` and `price`, and the same \
             `measure.milestone`, in all arms and at all points; their keys may differ",
        );
        let problem = problem.located(experiment, &["arms", &cell.arm]);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}
