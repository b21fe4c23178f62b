//! `[milestone.NAME]` of an experiment: which milestones are followed, and which one is measured.

use indexmap::IndexMap;

use super::measure::MeasureText;
use crate::experiment::measure::metrics::REPLY;
use crate::metric::MilestoneText;
use crate::model::document::{Data, Value};
use crate::model::problem::{Problem, shortened};
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
