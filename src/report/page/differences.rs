//! What the arms differ in: verdicts against the baseline, and attempts at every hop.

use serde::Serialize;

use super::Page;
use super::grid::{Grid, GridCell, GridRow, Head};
use crate::experiment::compare::Pair;
use crate::report::comparison::pairs_table_of;
use crate::report::number::{Unit, number};
use crate::statistics::verdict::Conclusion;

/// What the arms differ in.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Differences {
    /// What is better or worse in the cells that the answer speaks of.
    pub(super) decided: Option<Grid>,
    /// The same of the others; what makes no difference, and what is not decided.
    pub(super) folded: Vec<Grid>,
    /// Attempts for each call, by hop.
    pub(super) hops: Grid,
}

pub(super) fn differences(page: &Page<'_>) -> Differences {
    let pairs = &page.comparison.pairs;
    let declared = &page.campaign.declared;
    let baseline = &page.campaign.experiment.arms[declared.baseline].label;
    let grid = |title: &str, is_meant: &dyn Fn(&Pair) -> bool| {
        let table = pairs_table_of(page.campaign, pairs, is_meant)?;
        let compared = pairs.iter().filter(|pair| pair.is_primary && is_meant(pair)).count();
        let mut grid = Grid::of(&table, &format!("{title}: {compared}"));
        grid.note = format!("Against {baseline}; intervals of 95%.");
        // A verdict is no promise that was kept or broken.
        for cell in grid.rows.iter_mut().filter_map(|row| row.cells.last_mut()) {
            cell.class = match cell.text.as_str() {
                "better" => "better",
                "worse" => "worse",
                _ => "",
            };
        }
        Some(grid)
    };
    let is_decided = |pair: &Pair| {
        matches!(pair.verdict, Conclusion::Better | Conclusion::Worse | Conclusion::Confounded)
    };
    let is_named = |pair: &Pair| page.roles[pair.cell].is_some();
    let is_equivalent = |pair: &Pair| pair.verdict == Conclusion::Equivalent;
    Differences {
        decided: grid("Better and worse", &|pair| is_decided(pair) && is_named(pair)),
        folded: [
            grid("Better and worse, other arms", &|pair| is_decided(pair) && !is_named(pair)),
            grid("Equivalent", &is_equivalent),
            grid("Undecided", &|pair| !is_decided(pair) && !is_equivalent(pair)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        hops: hops(page),
    }
}

/// Attempts for each call at every hop of the cells that the answer speaks of.
fn hops(page: &Page<'_>) -> Grid {
    let (named, others) = page.apart();
    let cells: Vec<usize> = if named.is_empty() { others } else { named };
    let head = |&cell: &usize| Head {
        text: page.names[cell].clone(),
        role: page.roles[cell],
        is_left: false,
    };
    let mut names: Vec<String> = Vec::new();
    for &cell in &cells {
        for edge in &page.campaign.cells[cell].program.edges {
            if !names.contains(&edge.name) {
                names.push(edge.name.clone());
            }
        }
    }
    let row = |name: &String| {
        let mut row = vec![GridCell::plain(&name.replace("->", "→"))];
        let attempts = |&cell: &usize| {
            attempts_per_call(page, cell, name).map_or_else(
                || GridCell { class: "idle", ..GridCell::plain("–") },
                |value| GridCell::plain(&number(value, Unit::Times)),
            )
        };
        row.extend(cells.iter().map(attempts));
        GridRow::cells(row)
    };
    Grid {
        title: "Amplification at every hop".to_owned(),
        note: "Attempts for each call, of all calls of all runs, those before the warm-up ended included.".to_owned(),
        columns: std::iter::once(Head::left("hop")).chain(cells.iter().map(head)).collect(),
        rows: names.iter().map(row).collect(),
    }
}

/// Attempts for each call at the edge of this name in all runs of a cell; `None` without a call.
fn attempts_per_call(page: &Page<'_>, cell: usize, name: &str) -> Option<f64> {
    let edges = &page.campaign.cells[cell].program.edges;
    let place = edges.iter().position(|edge| edge.name == name)?;
    let runs = page.campaign.runs_of(page.results, cell);
    let counts = runs.iter().filter_map(|run| run.metrics.edges.get(place));
    let (attempts, calls) = counts
        .fold((0, 0), |(attempts, calls), edge| (attempts + edge.attempts, calls + edge.calls));
    (calls > 0).then(|| attempts as f64 / calls as f64)
}
