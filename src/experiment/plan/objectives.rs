//! `[slo.NAME]` of an experiment: what the events are and how many of them may be bad.

use indexmap::IndexMap;

use super::milestones::MilestoneTexts;
use crate::experiment::measure::metrics::REPLY;
use crate::metric::{Measure, Milestone, Objectives, SloText};
use crate::model::document::Value;
use crate::model::problem::{Problem, shortened};
use crate::model::program::Program;
use crate::model::read_each;

/// The objectives of an experiment, in its order.
pub type SloTexts = IndexMap<String, SloText>;

/// Reads `[slo]`, and notes what is wrong with the names.
pub(in crate::experiment) fn read(
    document: &Value,
    milestones: &MilestoneTexts,
    problems: &mut Vec<Problem>,
) -> SloTexts {
    let texts: SloTexts = read_each(document.find(&["slo".to_owned()]), problems);
    let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    for name in texts.keys() {
        let is_name = !name.is_empty() && name.len() <= 100 && name.chars().all(is_plain);
        if !is_name || name == REPLY || milestones.contains_key(name) {
            let problem = Problem::new(format!("`{}` cannot name an objective", shortened(name)));
            let expected = format!(
                "up to 100 letters, digits, `-` and `_`, neither `{REPLY}` nor the name of a \
                 milestone: a column is NAME.good_ratio"
            );
            problems.push(problem.expected(expected).located(document, &["slo", name]));
        }
    }
    texts
}

/// The objectives for a program; notes what is wrong.
pub(in crate::experiment) fn compiled(
    texts: &SloTexts,
    milestones: &[Milestone],
    (program, measure): (&Program, &Measure),
    (document, problems): (&Value, &mut Vec<Problem>),
) -> Objectives {
    let mut objectives = Objectives::default();
    let measured = (measure.operation, measure.window);
    for (name, text) in texts {
        if let Err(problem) = objectives.add((name, text), milestones, program, measured) {
            problems.push(problem.located(document, &["slo", name]));
        }
    }
    objectives
}
