//! Where the time of requests went: a table, a picture, and a file.

use std::collections::BTreeMap;

use super::name;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::metric::{Paths, Where};
use crate::report::arms::{column, plain};
use crate::report::chart::{Bar, BarGroup, BarRow, Bars, Caption, Estimate};
use crate::report::columns::{self, Column};
use crate::report::number::{Unit, number};
use crate::report::sizes::WIDTH;
use crate::report::table::{Align, Row, Table};

/// So many parts of a cell are shown, the longest first.
const PARTS_MAX: usize = 6;
/// So many cells are shown.
const CELLS_MAX: usize = 6;

/// The critical paths of all runs of a cell.
struct Summed {
    requests: u64,
    slowest: u64,
    /// By node and what was waited for: nanoseconds over all, over the slowest, and of how many of
    /// these it was the longest.
    parts: BTreeMap<(u16, Where), [u64; 3]>,
}

/// A part as it is shown.
struct Shown {
    node: String,
    at: &'static str,
    /// Milliseconds a request, over all and over the slowest.
    all: f64,
    slow: f64,
    /// The share of the slowest of which it is the longest part.
    longest: f64,
}

impl Summed {
    fn of(campaign: &Campaign, results: &[RunResult], cell: usize) -> Option<Summed> {
        campaign.cells[cell].observing.requests?;
        let seen = |run: &RunResult| run.observed.as_ref()?.paths.clone();
        let all: Vec<Paths> = campaign.runs_of(results, cell).iter().filter_map(seen).collect();
        let mut sum = Summed { requests: 0, slowest: 0, parts: BTreeMap::new() };
        for paths in &all {
            sum.requests += paths.requests;
            sum.slowest += paths.slowest;
            for part in &paths.parts {
                let own = sum.parts.entry((part.node, part.at)).or_default();
                let more = [part.all, part.slow, part.longest];
                own.iter_mut().zip(more).for_each(|(own, more)| *own += more);
            }
        }
        Some(sum)
    }

    /// Its parts, those first that take most of the slowest requests.
    fn shown(&self, cell: &Cell) -> Vec<Shown> {
        let each = |sum: u64, of: u64| if of == 0 { 0.0 } else { sum as f64 / of as f64 };
        let mut parts: Vec<(&(u16, Where), &[u64; 3])> = self.parts.iter().collect();
        parts.sort_by_key(|(_, [_, slow, _])| std::cmp::Reverse(*slow));
        let shown = |(&(node, at), &[all, slow, longest]): (&(u16, Where), &[u64; 3])| {
            let node = &cell.program.nodes[usize::from(node)].name;
            Shown {
                node: node.clone(),
                at: at.name(),
                all: each(all, self.requests) / 1e6,
                slow: each(slow, self.slowest) / 1e6,
                longest: each(longest, self.slowest),
            }
        };
        parts.into_iter().map(shown).collect()
    }
}

fn cells(campaign: &Campaign) -> impl Iterator<Item = (usize, &Cell)> {
    campaign.cells.iter().enumerate().take(CELLS_MAX)
}

/// Where the time of requests went in each cell; `None` unless the experiment asks.
pub(super) fn table(campaign: &Campaign, results: &[RunResult]) -> Option<Table> {
    let columns = vec![
        column("critical path", Align::Left, 0),
        column("of all, a request", Align::Right, 0),
        column("of the slowest", Align::Right, 0),
        column("longest part of", Align::Right, 1),
    ];
    let mut rows = Vec::new();
    for (index, cell) in cells(campaign) {
        let sum = Summed::of(campaign, results, index)?;
        let slowest = number(sum.slowest as f64, Unit::Plain);
        rows.push(Row::Group(format!("{}: the slowest {slowest} requests", name(cell))));
        for part in sum.shown(cell).into_iter().take(PARTS_MAX) {
            let millis = |ms: f64| plain(number(ms / 1e3, Unit::Seconds));
            rows.push(Row::Cells(vec![
                plain(format!("{}: {}", part.node, part.at)),
                millis(part.all),
                millis(part.slow),
                plain(number(part.longest, Unit::Percent)),
            ]));
        }
    }
    Some(Table { columns, rows })
}

/// The same as SVG; `None` unless the experiment asks.
pub fn figure(campaign: &Campaign, results: &[RunResult]) -> Option<String> {
    let mut groups = Vec::new();
    for (index, cell) in cells(campaign) {
        let sum = Summed::of(campaign, results, index)?;
        let colour = index % campaign.experiment.arms.len();
        let bar = |ms: f64| {
            let text = number(ms / 1e3, Unit::Seconds);
            Bar::Rate(Estimate { value: ms, low: ms, high: ms }, text)
        };
        let rows = sum.shown(cell).into_iter().take(PARTS_MAX).map(|part| BarRow {
            cells: vec![bar(part.all), bar(part.slow)],
            label: format!("{}: {}", part.node, part.at),
            colour,
        });
        groups.push(BarGroup { heading: name(cell), rows: rows.collect() });
    }
    let figure = Bars {
        caption: Caption {
            title: campaign.experiment.title.clone(),
            subtitle: "Where does the time of a request go?".to_owned(),
            note:
                "The critical path, backwards from the answer: on the way to and from a node, in \
                   line for a worker, its own work, or in vain. Parts of all nodes add up to the \
                   latency; the longest are shown."
                    .to_owned(),
        },
        width: WIDTH,
        unit: "milliseconds a request".to_owned(),
        panels: vec!["all requests".to_owned(), "the slowest".to_owned()],
        groups,
    };
    Some(figure.svg())
}

/// `paths.csv`: a row for each arm, point, node and part; `None` unless the experiment asks.
pub fn csv(campaign: &Campaign, results: &[RunResult]) -> Option<String> {
    let mut lines = Vec::new();
    for (index, cell) in campaign.cells.iter().enumerate() {
        let sum = Summed::of(campaign, results, index)?;
        let (requests, slowest) = (sum.requests, sum.slowest);
        lines.extend(sum.shown(cell).into_iter().map(|part| (cell, requests, slowest, part)));
    }
    Some(columns::csv(&[
        Column::text("arm", lines.iter().map(|(cell, ..)| cell.arm.clone())),
        Column::text("point", lines.iter().map(|(cell, ..)| cell.point.clone())),
        Column::text("node", lines.iter().map(|(.., shown)| shown.node.clone())),
        Column::text("part", lines.iter().map(|(.., shown)| shown.at.to_owned())),
        Column::count("requests", lines.iter().map(|(_, requests, ..)| *requests)),
        Column::count("slowest", lines.iter().map(|(_, _, slowest, _)| *slowest)),
        Column::number("all_ms", lines.iter().map(|(.., shown)| Some(shown.all))),
        Column::number("slowest_ms", lines.iter().map(|(.., shown)| Some(shown.slow))),
        Column::number("longest_ratio", lines.iter().map(|(.., shown)| Some(shown.longest))),
    ]))
}
