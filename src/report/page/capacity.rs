//! What each node is offered and can take, in calm and under each fault, as computed before a run,
//! and beside it what came in the run that was looked at.

use serde::Serialize;

use super::Page;
use super::grid::{Grid, GridCell, GridRow, Head};
use crate::capacity::{HIGH, NodeLoad, Phase};
use crate::experiment::run::closer_look::Seen;
use crate::kernel::time::Time;
use crate::report::capacity::{Planned, busiest_first, when, workers_text};
use crate::report::number::{Unit, number};

/// The load of cells that are offered the same.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Loads {
    pub(super) grid: Grid,
    /// Whether the answer speaks of one of the cells.
    pub(super) is_named: bool,
}

/// A table for each group of cells that are offered the same; those come first that the answer
/// speaks of.
pub(super) fn loads(page: &Page<'_>, planned: &[Planned]) -> Vec<Loads> {
    let mut loads: Vec<Loads> = planned.iter().map(|one| group(page, one)).collect();
    loads.sort_by_key(|one| !one.is_named);
    loads
}

fn group(page: &Page<'_>, planned: &Planned) -> Loads {
    let is_named = |cell: &&usize| page.roles[**cell].is_some();
    let named = planned.cells.iter().find(is_named);
    let seen = named.and_then(|&cell| page.seen(cell));
    let seen = seen.or_else(|| planned.cells.iter().find_map(|&cell| page.seen(cell)));
    let names: Vec<&str> = planned.cells.iter().map(|&cell| page.names[cell].as_str()).collect();
    let title = match names.len() {
        all if all == page.names.len() => "Every arm".to_owned(),
        0..=3 => names.join("; "),
        many => format!("{} and {} more", names[0], many - 1),
    };
    let mut rows = Vec::new();
    for (node, _) in busiest_first(&planned.capacity.phases) {
        for phase in &planned.capacity.phases {
            let load = phase.nodes.iter().find(|load| load.node == node);
            rows.extend(load.map(|load| row(page, load, &phase.phase, seen)));
        }
    }
    let columns = ["node", "when"].map(Head::left).into_iter().chain(
        ["offered", "service time", "workers", "capacity", "utilisation", "came"].map(Head::right),
    );
    let note = match seen {
        Some(seen) => format!(
            "Computed without waiting lines; the last column is what came in seed {} of {}.",
            page.look.seed, page.names[seen.cell]
        ),
        None => "Computed without waiting lines.".to_owned(),
    };
    let grid = Grid { title, note, columns: columns.collect(), rows };
    Loads { grid, is_named: named.is_some() || page.names.len() == 1 }
}

fn row(page: &Page<'_>, load: &NodeLoad, phase: &Phase, seen: Option<&Seen>) -> GridRow {
    let or_dash = |value: Option<f64>, unit| {
        GridCell::plain(&value.map_or("–".to_owned(), |value| number(value, unit)))
    };
    let asked = load.utilisation();
    let class = match asked {
        Some(asked) if asked > 1.0 && !load.is_filled_by_closed(1.0) => "broken",
        Some(asked) if asked > HIGH => "warn",
        _ => "",
    };
    let service = load.service_s.map_or("for ever".to_owned(), |it| number(it, Unit::Seconds));
    GridRow::cells(vec![
        GridCell::plain(&load.node),
        GridCell::plain(&when(phase, page.campaign.experiment.starts_at)),
        GridCell::plain(&number(load.offered_per_s, Unit::PerSecond)),
        GridCell::plain(&service),
        GridCell::plain(&workers_text(load)),
        or_dash(load.capacity_per_s, Unit::PerSecond),
        GridCell { class, share: asked.map(|it| it.min(1.0)), ..or_dash(asked, Unit::Percent) },
        or_dash(seen.and_then(|seen| came(page, seen, &load.node, phase)), Unit::PerSecond),
    ])
}

/// How many requests and messages a second came to a node in a phase; `None` where no whole window
/// lies in it.
fn came(page: &Page<'_>, seen: &Seen, name: &str, phase: &Phase) -> Option<f64> {
    let cell = &page.campaign.cells[seen.cell];
    let node = cell.program.find_node(name)?;
    if cell.program.is_relay(node) {
        // Nobody sends it anything: it looks for events by itself.
        return None;
    }
    let window = seen.timeline.window.0;
    let from = phase.from.max(cell.measure.warm_up).0.div_ceil(window);
    let faults = cell.plan.acts.filter(|_| phase.faults.is_empty());
    // The calm is what comes before the first fault.
    let until = faults.map_or(phase.until, |(first, _)| phase.until.min(first.max(Time(1))));
    let until = until.min(cell.measure.arrivals_end).0 / window;
    let counts = seen.timeline.arrived.get(&node);
    let count = |index: u64| counts.and_then(|it| it.get(index as usize)).copied().unwrap_or(0);
    let seconds = (until.checked_sub(from)?) as f64 * seen.timeline.window.seconds();
    (seconds > 0.0).then(|| (from..until).map(count).sum::<u64>() as f64 / seconds)
}
