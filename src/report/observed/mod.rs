//! What an experiment asks for by `[observe]`: tables, pictures and files.

mod incident;
mod nodes;
mod paths;

use super::table::Table;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;

pub use incident::{csv as incident_csv, figure as incident_figure};
pub use nodes::{figure as nodes_figure, nodes_csv, operations_csv};
pub use paths::{csv as paths_csv, figure as paths_figure};

/// The tables of what was asked for: the moments of an incident, and where the time went.
pub fn tables(campaign: &Campaign, results: &[RunResult]) -> Vec<Table> {
    let incident = incident::table(campaign, results);
    incident.into_iter().chain(paths::table(campaign, results)).collect()
}

/// What a column or a group of a cell is called: its point and its arm.
fn name(cell: &Cell) -> String {
    let name = [&cell.point_label, &cell.arm_label].map(String::as_str);
    name.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ")
}
