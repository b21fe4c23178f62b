//! Objectives in the files of results: what became of their events, and how fast budgets burn.

use serde_json::{Map, Value, json};

use super::columns::Column;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Span;
use crate::metric::{Account, Objective};

/// A whole number of an objective: its name, and its value.
type Counted = (&'static str, fn(&Account) -> u64);

const COUNTS: [Counted; 4] = [
    ("good", |account| account.good),
    ("bad", |account| account.bad),
    ("degraded", |account| account.degraded),
    ("unfinished", |account| account.unfinished),
];

/// What became of the events of each objective, in whole numbers: columns of `runs.csv`.
pub(super) fn columns(campaign: &Campaign, results: &[RunResult]) -> Vec<Column> {
    let mut columns = Vec::new();
    for (place, objective) in campaign.cells[0].objectives.list.iter().enumerate() {
        let accounts: Vec<Option<Account>> =
            results.iter().map(|run| account(&campaign.cells[run.cell], place, run)).collect();
        columns.extend(COUNTS.map(|(name, value)| {
            let values = accounts.iter().map(|own| own.as_ref().map_or(0, value));
            Column::count(format!("{}.{name}", objective.name), values)
        }));
    }
    columns
}

fn account(cell: &Cell, place: usize, run: &RunResult) -> Option<Account> {
    cell.objectives.list[place].account(&run.metrics, &cell.measure)
}

/// The columns of `series.csv` that objectives have.
pub(super) fn series_header(cell: &Cell) -> Vec<String> {
    let of_each = |objective: &Objective| {
        ["good", "bad", "burn_rate"].map(|column| format!("{}.{column}", objective.name))
    };
    cell.objectives.list.iter().flat_map(of_each).collect()
}

/// The values of these columns in the window of this index. The burn rate is that of events, also
/// where the budget is counted in slices; it is empty where nothing was asked.
pub(super) fn series_row(cell: &Cell, run: &RunResult, index: usize) -> Vec<String> {
    let of_each = |objective: &Objective| {
        let progress = objective.progress(&run.metrics);
        let window = progress.and_then(|it| it.windows.get(index)).copied().unwrap_or_default();
        let (good, bad) = (window.succeeded, window.failed());
        let rate =
            (good + bad > 0).then(|| bad as f64 / (good + bad) as f64 / (1.0 - objective.target));
        let rate = rate.map_or(String::new(), |rate| rate.to_string());
        [good.to_string(), bad.to_string(), rate]
    };
    cell.objectives.list.iter().flat_map(of_each).collect()
}

/// The longest series of windows of an objective in a run.
pub(super) fn windows(cell: &Cell, run: &RunResult) -> usize {
    let progress = cell.objectives.list.iter().filter_map(|own| own.progress(&run.metrics));
    progress.map(|progress| progress.windows.len()).max().unwrap_or(0)
}

/// What each objective says, by its name.
pub(super) fn json(cell: &Cell) -> Value {
    let object = |objective: &Objective| {
        let slices = objective.slices;
        let value = json!({
            "label": objective.label,
            "target": objective.target,
            "window_s": objective.window.seconds(),
            "budgeting_method": if slices.is_some() { "timeslices" } else { "occurrences" },
            "time_slice_window_s": slices.map(|slices| Span::seconds(slices.width)),
            "time_slice_target": slices.map(|slices| slices.target),
            "burn_window_s": objective.burn_window.seconds(),
        });
        (objective.name.clone(), value)
    };
    Value::Object(cell.objectives.list.iter().map(object).collect::<Map<_, _>>())
}
