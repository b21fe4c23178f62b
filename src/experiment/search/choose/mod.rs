//! `[choose]`: which of several designs is best, with how sure that is.
//!
//! The alternatives at a point are the arms, each with every design of `over`. All run under the
//! same seeds, and which run next follows from the results alone.

pub mod choosing;
pub mod contest;
pub mod language;

use super::outcome::Outcome;
use crate::experiment::compare::measured::{Measured, Source, unknown};
use crate::experiment::judge::expect::Expectation;
use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::quantity::{designs, factor, grid};
use crate::experiment::plan::variant::Factor;
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::read;
use crate::statistics::design::latin;
use language::ChooseText;

/// The factor of the designs.
pub const CHOICE: &str = "choice";
/// The most designs.
const DESIGNS_MAX: u64 = 2_000;
/// The seed of a Latin hypercube: the designs are the same whatever seeds run.
const DESIGN_SEED: u64 = 1;

/// A choice, as an experiment declares it.
#[derive(Clone, Debug)]
pub struct Choose {
    /// What was written.
    pub text: ChooseText,
    /// What is varied, as a factor: a level for each design; `None` if only arms are.
    pub factor: Option<Factor>,
}

impl Choose {
    /// Reads `[choose]` of an experiment; `None` if it has none, or a wrong one.
    pub(in crate::experiment) fn read(
        experiment: &Value,
        problems: &mut Vec<Problem>,
    ) -> Option<Choose> {
        let value = experiment.find(&["choose".to_owned()])?;
        let text: ChooseText = read(value).map_err(|problem| problems.push(problem)).ok()?;
        let wrong = check(&text);
        if !wrong.is_empty() {
            problems.extend(wrong.into_iter().map(|one| one.located(experiment, &["choose"])));
            return None;
        }
        let at = |path: &str| experiment.locate(&["choose", "over", path].map(str::to_owned));
        let designs = match text.designs {
            _ if text.over.is_empty() => return Some(Choose { text, factor: None }),
            Some(count) => {
                designs(&text.over, &latin(count as usize, text.over.len(), DESIGN_SEED))
            }
            None => grid(&text.over),
        };
        if designs.len() as u64 > DESIGNS_MAX {
            let problem = Problem::new(format!("{} designs are too many", designs.len()));
            let expected = format!("at most {DESIGNS_MAX}: fewer values, or `designs`");
            problems.push(problem.expected(expected).located(experiment, &["choose", "over"]));
            return None;
        }
        let factor = factor(CHOICE, &text.over, &designs, at);
        Some(Choose { text, factor: Some(factor) })
    }

    /// What is compared and what must hold, of what runs of this cell have.
    ///
    /// # Errors
    /// If there is nothing of a name, or a bound does not fit its metric.
    pub fn judge(&self, cell: &Cell) -> Result<Judge, Problem> {
        let all = Measured::all(cell);
        let found = all.iter().find(|measured| measured.name == self.text.objective);
        let mut objective = found
            .cloned()
            .ok_or_else(|| unknown("objective", &self.text.objective, &all).inside("objective"))?;
        if objective.source == Source::Metastable {
            return Err(Problem::new("a label is no number to be the best")
                .expected("a metric, such as \"recovery_s\"")
                .inside("objective"));
        }
        objective.better = self.text.better.unwrap_or(objective.better);
        let mut judge = Judge { objective, bounds: Vec::new(), promises: Vec::new() };
        for (index, text) in self.text.constraints.iter().enumerate() {
            let placed = |problem: Problem| problem.inside(index.to_string()).inside("constraints");
            match Outcome::read(text, cell).map_err(placed)? {
                Outcome::Bound(bound) if bound.reads_a_metric() => judge.bounds.push(bound),
                Outcome::Kept(promise) => judge.promises.push((text.clone(), promise)),
                Outcome::Bound(_) | Outcome::Event(_) => {
                    return Err(placed(
                        Problem::new(format!("`{text}` has no mean that could be bounded"))
                            .expected("a bound of a metric, or NAME_kept of a promise"),
                    ));
                }
            }
        }
        Ok(judge)
    }
}

/// What is wrong with a choice for itself.
fn check(text: &ChooseText) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |key: &str, is_wrong: bool, message: &str, expected: &str| {
        if is_wrong {
            let problem = Problem::new(message).expected(expected.to_owned());
            problems.push(problem.inside(key.to_owned()));
        }
    };
    let indifference = text.indifference;
    wrong(
        "indifference",
        !(indifference.is_finite() && indifference > 0.0),
        "no number of runs tells means apart that are as near as one likes",
        "the difference that does not matter, more than 0, in the unit of the objective",
    );
    let is_share = |share: f64| share > 0.0 && share < 1.0;
    let between = "more than 0% and less than 100%";
    wrong("confidence", !is_share(text.confidence.0), "no choice is that sure", between);
    wrong("tolerance", !is_share(text.tolerance.0), "no mean is told that near", between);
    wrong("first", text.first < 2, "one run has no variance", "at least 2; 10 is usual");
    wrong("seeds", text.seeds < text.first, "fewer seeds than at first", "at least `first`");
    wrong(
        "designs",
        text.designs.is_some_and(|designs| !(2..=DESIGNS_MAX).contains(&designs)),
        "this is no number of designs",
        "from 2 to 2000",
    );
    wrong("budget", text.budget == Some(0), "nothing would run", "a number of runs");
    for (path, quantity) in &text.over {
        let placed = |problem: Problem| problem.inside(path.as_str()).inside("over");
        problems.extend(quantity.wrong().map(placed));
    }
    problems
}

/// What is compared, and what must hold.
#[derive(Clone, Debug)]
pub struct Judge {
    /// The number whose mean is to be the best.
    pub objective: Measured,
    /// The bounds of means.
    pub bounds: Vec<Expectation>,
    /// The promises that no run may break, as they were written.
    pub promises: Vec<(String, Measured)>,
}
