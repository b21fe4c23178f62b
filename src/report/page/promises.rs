//! Which promise each cell broke, and the way to a story of it.

use serde::Serialize;

use super::Page;
use super::grid::{Grid, GridCell, GridRow, Head};
use crate::report::arms;

/// The promises and what they say.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Promises {
    pub(super) grid: Grid,
    pub(super) terms: Vec<Term>,
}

/// A promise in words.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Term {
    pub(super) label: String,
    pub(super) sentence: String,
    pub(super) name: String,
}

/// The matrix of cells and promises; `None` if none is watched.
pub(super) fn promises(page: &Page<'_>) -> Option<Promises> {
    let watched = &page.campaign.cells[0].invariants;
    let labels = &page.summaries[0].invariants;
    if labels.is_empty() {
        return None;
    }
    let mut columns = vec![Head::left("arm")];
    columns.extend(labels.iter().map(|promise| Head::right(&promise.label)));
    let mut rows = Vec::new();
    let arms = page.campaign.experiment.arms.len();
    for (index, cell) in page.campaign.cells.iter().enumerate() {
        if index % arms == 0 && !cell.point_label.is_empty() {
            let group = Some(cell.point_label.clone());
            rows.push(GridRow { group, ..GridRow::default() });
        }
        let mut cells = vec![GridCell::plain(&cell.arm_label)];
        cells.extend((0..labels.len()).map(|promise| judged(page, index, promise)));
        rows.push(GridRow { group: None, role: page.roles[index], cells });
    }
    let term = |one: &crate::invariant::Watched| Term {
        label: one.label.clone(),
        sentence: one.sentence(),
        name: one.name.clone(),
    };
    Some(Promises {
        grid: Grid {
            title: "Which promise does which arm break?".to_owned(),
            note: "Violations of a run, or in how many runs there were any; for one that no run \
                   broke, in how many it may be broken."
                .to_owned(),
            columns,
            rows,
        },
        terms: watched.iter().map(term).collect(),
    })
}

/// What was seen of a promise in a cell. One that was broken is broken, whatever its p-value.
fn judged(page: &Page<'_>, cell: usize, promise: usize) -> GridCell {
    let summary = &page.summaries[cell].invariants[promise];
    let story = page.story_of(cell, promise).map(|number| format!("#story-{number}"));
    let href = story.filter(|_| summary.violations > 0);
    GridCell { href, ..GridCell::of(&arms::violations(summary)) }
}
