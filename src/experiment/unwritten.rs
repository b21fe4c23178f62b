//! What the promises of an experiment name and no step of any arm or level writes.

use super::campaign::Cell;
use crate::invariant::{Unwritten, Vocabulary};
use crate::model::document::Value;
use crate::model::problem::Problem;

/// First what is misspelt, then what the model may be meant to do without.
pub(super) fn unwritten(cells: &[Cell], experiment: &Value) -> (Vec<Problem>, Vec<Problem>) {
    let mut vocabulary = Vocabulary::default();
    cells.iter().for_each(|cell| vocabulary.add(&cell.program));
    let (mut misspelt, mut missing) = (Vec::new(), Vec::new());
    for cell in cells {
        for Unwritten { path, problem, may_be_meant } in vocabulary.lacks(&cell.invariants) {
            let path = ["invariants"].into_iter().chain(path.iter().map(String::as_str));
            let problem = problem.located(experiment, &path.collect::<Vec<_>>());
            let problems = if may_be_meant { &mut missing } else { &mut misspelt };
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    (misspelt, missing)
}
