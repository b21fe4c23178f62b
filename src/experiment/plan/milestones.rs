//! `[milestone.NAME]` of an experiment: which milestones are followed, and which one is measured.

use indexmap::IndexMap;

use super::cell::Cell;
use super::language::{Experiment, MeasureText};
use super::objectives::SloTexts;
use crate::experiment::measure::metrics::{Metrics, Of, REPLY};
use crate::experiment::measure::warm_up::WarmUp;
use crate::fault::Plan;
use crate::kernel::time::Time;
use crate::metric::{Measure, Milestone, MilestoneText};
use crate::model::document::{Data, Value};
use crate::model::problem::{Problem, shortened};
use crate::model::program::Program;
use crate::model::read;

/// The milestones of an experiment, in its order.
pub type MilestoneTexts = IndexMap<String, MilestoneText>;

/// The place of the milestone that is measured instead of replies.
pub(in crate::experiment) fn measured(
    measure: &MeasureText,
    milestones: &MilestoneTexts,
) -> Option<usize> {
    milestones.get_index_of(measure.milestone.as_ref()?)
}

/// The texts of a table by the names of metrics. That of a milestone may be written as a table of
/// its own: `paid.success_ratio` is the same as `"paid.success_ratio"`.
pub(in crate::experiment) fn flat(
    document: &Value,
    key: &str,
    problems: &mut Vec<Problem>,
) -> IndexMap<String, String> {
    let Some(value) = document.find(&[key.to_owned()]) else { return IndexMap::new() };
    let Data::Table(fields) = &value.data else {
        return read(value).map_err(|problem| problems.push(problem)).unwrap_or_default();
    };
    let mut texts = IndexMap::new();
    for (name, field) in fields {
        let inner = match &field.value.data {
            Data::Table(inner) => {
                inner.iter().map(|(own, field)| (format!("{name}.{own}"), field)).collect()
            }
            _ => vec![(name.clone(), field)],
        };
        for (name, field) in inner {
            match read(&field.value) {
                Ok(text) => drop(texts.insert(name, text)),
                Err(problem) => problems.push(problem),
            }
        }
    }
    texts
}

/// What is wrong with the names of milestones, each with its path in the experiment.
pub(in crate::experiment) fn check(
    measure: &MeasureText,
    milestones: &MilestoneTexts,
) -> Vec<(Vec<String>, Problem)> {
    let mut problems = Vec::new();
    let path = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect::<Vec<_>>();
    let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    for name in milestones.keys() {
        if name.is_empty() || name.len() > 100 || !name.chars().all(is_plain) || name == REPLY {
            let problem = Problem::new(format!("`{}` cannot name a milestone", shortened(name)));
            let expected = format!(
                "up to 100 letters, digits, `-` and `_`, and not `{REPLY}`: a column is \
                         NAME.success_ratio"
            );
            problems.push((path(&["milestone", name]), problem.expected(expected)));
        }
    }
    let Some(name) = &measure.milestone else { return problems };
    match milestones.get(name) {
        None => {
            let known: Vec<&str> = milestones.keys().map(String::as_str).collect();
            let mut problem = Problem::unknown("milestone", name, &known);
            if known.is_empty() {
                problem = problem.expected(format!("[milestone.{name}] in the experiment"));
            }
            problems.push((path(&["measure", "milestone"]), problem));
        }
        Some(text) => {
            let other = measure.operation.as_ref().filter(|operation| **operation != text.of);
            if let Some(other) = other {
                let problem =
                    Problem::new(format!("`{other}` is not what the milestone `{name}` is of"));
                let expected = format!("`{}`, or no `operation` beside `milestone`", text.of);
                problems.push((path(&["measure", "operation"]), problem.expected(expected)));
            }
        }
    }
    problems
}

/// The numbers that are measured of every run.
pub(in crate::experiment) fn metrics(
    measure: &MeasureText,
    milestones: &MilestoneTexts,
    objectives: &SloTexts,
) -> Metrics {
    let names: Vec<&str> = milestones.keys().map(String::as_str).collect();
    let objectives: Vec<&str> = objectives.keys().map(String::as_str).collect();
    Metrics::new(&names, measured(measure, milestones), &objectives)
}

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

impl Cell {
    /// What stands beside what is measured: each milestone, and replies if one is measured in their
    /// place.
    #[must_use]
    pub fn beside(&self) -> Vec<(&str, Of)> {
        let replies = self.measured.map(|_| (REPLY, Of::Replies));
        let milestones = self.milestones.iter().enumerate();
        let milestones = milestones.map(|(place, it)| (it.name.as_str(), Of::Milestone(place)));
        replies.into_iter().chain(milestones).collect()
    }
}
