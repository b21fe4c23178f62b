//! What the promises and milestones of an experiment name and no step of any arm or level writes or
//! does.

use std::collections::BTreeMap;

use super::cell::Cell;
use crate::invariant::{Unwritten, Vocabulary};
use crate::model::document::Value;
use crate::model::problem::Problem;

/// The milestones that nothing of any cell reaches.
pub(in crate::experiment) fn out_of_reach(cells: &[Cell], experiment: &Value) -> Vec<Problem> {
    // By name and what is reached: the first reason, as long as no cell reaches it.
    let mut reasons: BTreeMap<(&str, &str), Option<Problem>> = BTreeMap::new();
    for cell in cells {
        for milestone in &cell.milestones {
            let known = reasons.entry((&milestone.name, &milestone.when));
            let reason = milestone.out_of_reach(&cell.program);
            known.and_modify(|known| *known = known.take().and(reason.clone())).or_insert(reason);
        }
    }
    let mut vocabulary = Vocabulary::default();
    if reasons.values().any(Option::is_some) {
        cells.iter().for_each(|cell| vocabulary.add(&cell.program));
    }
    let located = |((name, when), reason): ((&str, &str), Option<Problem>)| {
        let problem =
            vocabulary.lacks_state(when).or(reason.clone()).filter(|_| reason.is_some())?;
        Some(problem.located(experiment, &["milestone", name, "when"]))
    };
    reasons.into_iter().filter_map(located).collect()
}

/// First what is misspelt, then what the model may be meant to do without.
pub(in crate::experiment) fn unwritten(
    cells: &[Cell],
    experiment: &Value,
) -> (Vec<Problem>, Vec<Problem>) {
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
