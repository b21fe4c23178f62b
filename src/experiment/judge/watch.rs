//! Whether the same promises are watched in every arm, and each as closely.
//!
//! A change of a model may take away what a promise is judged by, and a promise that is not judged
//! is not broken. So where an arm could have broken it far less often than another, of as many
//! requests and as many good answers, that is said.

use crate::experiment::measure::summary::CellSummary;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::model::document::Value;
use crate::model::problem::Problem;

/// Exposure for each request that is less than this share of another arm's is a warning.
const FELL_TO: f64 = 0.5;

/// A promise that one arm could have broken far less often than another at the same point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwatched {
    /// The index of the arm's cell in the campaign.
    pub cell: usize,
    /// The index of that of the arm that could have broken it most often.
    pub other: usize,
    /// The position of the invariant.
    pub invariant: usize,
}

/// Every promise whose exposure falls in an arm while its requests do not, and while those of them
/// that are answered well do not either: what fails is no longer exposed, and that is no warning.
#[must_use]
pub fn unwatched(campaign: &Campaign, summaries: &[CellSummary]) -> Vec<Unwatched> {
    let arms = campaign.experiment.arms.len();
    let promises = summaries.first().map_or(0, |summary| summary.invariants.len());
    let mut found = Vec::new();
    for first in (0..summaries.len()).step_by(arms) {
        for invariant in 0..promises {
            let exposure = |cell: usize| summaries[cell].invariants[invariant].exposure;
            let point = first..(first + arms).min(summaries.len());
            let Some(other) = point.clone().rev().max_by_key(|cell| exposure(*cell)) else {
                continue;
            };
            let fell = |cell: usize, of: fn(&CellSummary) -> u64| {
                let rate = |at: usize| exposure(at) as f64 / of(&summaries[at]) as f64;
                of(&summaries[cell]) > 0 && rate(cell) < FELL_TO * rate(other)
            };
            let is_fallen = |cell: &usize| fell(*cell, |it| it.requests) && fell(*cell, |it| it.ok);
            found.extend(point.filter(is_fallen).map(|cell| Unwatched { cell, other, invariant }));
        }
    }
    found
}

/// Arms and levels that watch other promises than the first cell: results have a column for each.
pub(in crate::experiment) fn other_promises(cells: &[Cell], experiment: &Value) -> Vec<Problem> {
    let watched = |cell: &Cell| -> Vec<(String, String, &'static str)> {
        let list = cell.invariants.iter();
        list.map(|one| (one.name.clone(), one.label.clone(), one.kind.name)).collect()
    };
    let first = watched(&cells[0]);
    let mut problems = Vec::new();
    for cell in cells.iter().filter(|cell| watched(cell) != first) {
        let problem = Problem::new(format!(
            "`{}` watches other invariants than `{}`, or in another order",
            cell.arm, cells[0].arm
        ));
        let problem = problem.expected(
            "the same `[invariants]` in all arms and at all points; their keys may differ",
        );
        let problem = problem.located(experiment, &["arms", &cell.arm]);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}
