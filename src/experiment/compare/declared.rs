//! What an experiment declares to compare, with the defaults filled in and every name checked.

use super::language::{CompareText, Family, Margin, PrecisionText};
use super::measured::{Measured, Source, unknown};
use crate::experiment::measure::metrics::{Of, now_called};
use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::variant::Variant;
use crate::metric::{MetricId, Unit};
use crate::model::hidden::in_line;
use crate::model::problem::Problem;

/// What is compared, declared before anything runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// The position of the arm that the others are compared with.
    pub baseline: usize,
    /// The metrics that answer the question.
    pub primary: Vec<Measured>,
    /// All others.
    pub exploratory: Vec<Measured>,
    /// Which comparisons are corrected together.
    pub family: Family,
    /// How precise the primary metrics have to be; `None` if seeds are not added.
    pub precision: Option<PrecisionText>,
    /// The metrics of the Pareto front; none without it.
    pub pareto: Vec<Measured>,
}

impl Declared {
    /// Checks `[compare]` against the arms and what a run of `cell` measures.
    ///
    /// # Errors
    /// Every name that is unknown or out of place, with the path to it inside `[compare]`.
    pub fn new(
        text: &CompareText,
        arms: &[Variant],
        cell: &Cell,
    ) -> Result<Declared, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut all = Measured::all(cell);
        let measured = all.clone();
        let mut find = |name: &str, path: [&str; 2]| {
            let now = now_called(name).unwrap_or(name);
            let found = measured.iter().position(|known| known.name == now);
            if found.is_none() {
                let [key, inner] = path;
                let problem = unknown("metric", name, &measured);
                problems.push(problem.inside(inner).inside(key));
            }
            found
        };
        for (name, label) in &text.label {
            if let Some(index) = find(name, ["label", name]) {
                all[index].own_label = Some(label.clone());
            }
        }
        for (name, better) in &text.better {
            if let Some(index) = find(name, ["better", name]) {
                all[index].better = *better;
            }
        }
        for (name, margin) in &text.equivalent {
            if let Some(index) = find(name, ["equivalent", name]) {
                all[index].equivalent = *margin;
            }
        }
        let mut list = |key: &str, names: &[String]| -> Vec<usize> {
            let numbered = names.iter().enumerate();
            let found = numbered.filter_map(|(at, name)| find(name, [key, &at.to_string()]));
            found.collect()
        };
        let primary = match &text.primary {
            Some(names) => list("primary", names),
            None => usual(&all, cell),
        };
        let pareto = list("pareto", &text.pareto);
        check_lists(text, &mut problems);
        problems.extend(wrong_labels(text));
        for (name, margin) in &text.equivalent {
            let is_share =
                measured.iter().any(|known| known.name == *name && known.unit == Unit::Share);
            problems.extend(
                too_wide(*margin, is_share)
                    .map(|wrong| wrong.inside(name.as_str()).inside("equivalent")),
            );
        }
        problems.extend(text.precision.iter().flat_map(unreachable));
        let baseline = baseline(text, arms, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let pick = |indices: &[usize]| indices.iter().map(|&index| all[index].clone()).collect();
        let others: Vec<usize> = (0..all.len()).filter(|index| !primary.contains(index)).collect();
        Ok(Declared {
            baseline,
            primary: pick(&primary),
            exploratory: pick(&others),
            family: text.family,
            precision: text.precision,
            pareto: pick(&pareto),
        })
    }
}

/// The metrics that answer most questions: the budgets of objectives, what a run costs, success,
/// messages that were not handled where success is that of replies and work goes on behind them,
/// amplification, whether the run came back, and how often each promise was broken.
fn usual(all: &[Measured], cell: &Cell) -> Vec<usize> {
    let works_behind_replies = cell.measured.is_none() && cell.program.takes_messages();
    let is_usual = |measured: &Measured| match measured.source {
        Source::Metric(index) if index == MetricId::Unhandled.place() => works_behind_replies,
        Source::Metric(index) => {
            [MetricId::SuccessRatio, MetricId::Amplification].map(MetricId::place).contains(&index)
                || cell.metrics[index].id == MetricId::BudgetConsumed
                || (cell.metrics[index].id, cell.metrics[index].of)
                    == (MetricId::Cost, Of::Measured)
        }
        Source::Rate(_) | Source::NeverRecovered(Of::Measured) | Source::Metastable => true,
        Source::Violated(_) | Source::Unjudged(_) | Source::NeverRecovered(_) => false,
    };
    (0..all.len()).filter(|&index| is_usual(&all[index])).collect()
}

/// What is wrong with the lists of metrics, whatever is in them.
fn check_lists(text: &CompareText, problems: &mut Vec<Problem>) {
    if text.primary.as_ref().is_some_and(Vec::is_empty) {
        let problem = Problem::new("nothing is compared").expected("the name of a metric");
        problems.push(problem.inside("primary"));
    }
    twice("primary", text.primary.as_deref().unwrap_or_default(), problems);
    twice("pareto", &text.pareto, problems);
    if text.pareto.len() == 1 {
        let problem = Problem::new("one metric has no front, only a best arm");
        problems.push(problem.expected("two metrics or more").inside("pareto"));
    }
}

/// Labels that nobody could read, or tell apart.
fn wrong_labels(text: &CompareText) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, (name, label)) in text.label.iter().enumerate() {
        let is_other = |(_, other): &(&String, &String)| *other == label;
        let problem = if label.trim().is_empty() {
            Some(Problem::new("this label says nothing").expected("a word or more"))
        } else if let Some((other, _)) = text.label.iter().take(index).find(is_other) {
            let problem = Problem::new(format!("`{name}` has the label of `{other}`"));
            Some(problem.expected("a label that no other metric has: tables tell them apart by it"))
        } else {
            in_line(label)
        };
        problems.extend(problem.map(|problem| problem.inside(name.as_str()).inside("label")));
    }
    problems
}

/// A margin within which everything is the same.
fn too_wide(margin: Margin, is_share: bool) -> Option<Problem> {
    let problem = Problem::new("no difference would be one");
    match margin {
        Margin::Relative(share) if share >= 1.0 => Some(problem.expected("less than 100%")),
        Margin::Absolute(share) if is_share && share >= 1.0 => {
            Some(problem.expected("less than 1, which is 100 percentage points"))
        }
        Margin::Relative(_) | Margin::Absolute(_) => None,
    }
}

/// A precision that no number of seeds reaches.
fn unreachable(precision: &PrecisionText) -> Vec<Problem> {
    let parts = [("amounts", precision.amounts), ("shares", precision.shares)].into_iter();
    let none = parts.filter(|(_, share)| share.0 <= 0.0).map(|(key, _)| {
        let problem = Problem::new("no number of seeds makes an interval this narrow");
        problem.expected("more than 0%").inside(key).inside("precision")
    });
    none.collect()
}

/// Notes each name that stands in a list a second time.
fn twice(key: &str, names: &[String], problems: &mut Vec<Problem>) {
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            let problem = Problem::new(format!("`{name}` stands here twice"));
            let problem = problem.expected("each metric once").inside(index.to_string());
            problems.push(problem.inside(key));
        }
    }
}

fn baseline(text: &CompareText, arms: &[Variant], problems: &mut Vec<Problem>) -> usize {
    let Some(name) = &text.baseline else { return 0 };
    arms.iter().position(|arm| arm.name == *name).unwrap_or_else(|| {
        let known: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
        problems.push(Problem::unknown("arm", name, &known).inside("baseline"));
        0
    })
}
