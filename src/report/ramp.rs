//! A ramp: `ramp.csv`, its table and its picture.

use super::arms::{column, plain};
use super::chart::{Caption, Lines, Panel, Row as ChartRow, Series};
use super::columns::{self, Column};
use super::number::{self, Unit};
use super::sizes::{COLUMNS_MAX, WIDTH};
use super::table::{Align, Cell as TableCell, Row, Table};
use crate::experiment::measure::ramp::{Edges, Ramp, RampStep};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;

/// Which way a step goes.
fn branch(ramp: &Ramp, step: usize) -> &'static str {
    if step < ramp.up() { "up" } else { "down" }
}

/// `ramp.csv`: for each arm, point, seed and step of the ramp what happened in it.
pub fn csv(campaign: &Campaign, ramp: &Ramp, results: &[RunResult]) -> String {
    let rows: Vec<(&RunResult, usize, RampStep)> = results
        .iter()
        .flat_map(|run| {
            let steps = ramp.steps(&campaign.cells[run.cell], run).into_iter().enumerate();
            steps.map(move |(index, step)| (run, index, step))
        })
        .collect();
    let cell = |run: &RunResult| &campaign.cells[run.cell];
    columns::csv(&[
        Column::text("arm", rows.iter().map(|(run, ..)| cell(run).arm.clone())),
        Column::text("point", rows.iter().map(|(run, ..)| cell(run).point.clone())),
        Column::count("seed", rows.iter().map(|(run, ..)| run.seed)),
        Column::count("step", rows.iter().map(|(_, step, _)| *step as u64 + 1)),
        Column::text("branch", rows.iter().map(|(_, step, _)| branch(ramp, *step).to_owned())),
        Column::number("rate_per_s", rows.iter().map(|(_, step, _)| Some(ramp.rates[*step]))),
        Column::count("asked", rows.iter().map(|(.., step)| step.asked)),
        Column::count("succeeded", rows.iter().map(|(.., step)| step.succeeded)),
        Column::number("goodput_per_s", rows.iter().map(|(.., step)| Some(step.goodput))),
    ])
}

/// The edges of the runs of one cell.
struct CellEdges {
    runs: usize,
    collapse: Vec<f64>,
    recovery: Vec<f64>,
}

fn edges(campaign: &Campaign, ramp: &Ramp, results: &[RunResult], cell: usize) -> CellEdges {
    let runs = results.iter().filter(|run| run.cell == cell);
    let edges: Vec<Edges> = runs.filter_map(|run| ramp.edges(&campaign.cells[cell], run)).collect();
    CellEdges {
        runs: edges.len(),
        collapse: edges.iter().filter_map(|edges| edges.collapse).collect(),
        recovery: edges.iter().filter_map(|edges| edges.recovery).collect(),
    }
}

/// The median, the least and the most; of an even number the upper of the two in the middle, so
/// that it is a value that was seen.
fn spread(mut sample: Vec<f64>) -> Option<[f64; 3]> {
    sample.sort_unstable_by(f64::total_cmp);
    Some([sample.get(sample.len() / 2)?, sample.first()?, sample.last()?].map(|value| *value))
}

/// `edges.csv`: for each arm, point and seed the rates at which it collapsed and came back.
pub fn edges_csv(campaign: &Campaign, ramp: &Ramp, results: &[RunResult]) -> String {
    let cell = |run: &RunResult| &campaign.cells[run.cell];
    let edges = |run: &RunResult| ramp.edges(cell(run), run).unwrap_or_default();
    columns::csv(&[
        Column::text("arm", results.iter().map(|run| cell(run).arm.clone())),
        Column::text("point", results.iter().map(|run| cell(run).point.clone())),
        Column::count("seed", results.iter().map(|run| run.seed)),
        Column::number("collapse_per_s", results.iter().map(|run| edges(run).collapse)),
        Column::number("recovery_per_s", results.iter().map(|run| edges(run).recovery)),
    ])
}

/// At which rate each arm at each point collapses going up and comes back going down.
pub fn table(campaign: &Campaign, ramp: &Ramp, results: &[RunResult]) -> Table {
    let columns = vec![
        column("arm", Align::Left, 0),
        column("collapses going up at /s", Align::Right, 0),
        column("in runs", Align::Right, 1),
        column("comes back going down at /s", Align::Right, 0),
        column("in runs", Align::Right, 1),
    ];
    let mut rows = Vec::new();
    let arms = campaign.experiment.arms.len();
    for (index, cell) in campaign.cells.iter().enumerate() {
        if index % arms == 0 && !cell.point_label.is_empty() {
            rows.push(Row::Group(cell.point_label.clone()));
        }
        let edges = edges(campaign, ramp, results, index);
        let count = |rates: &[f64]| plain(format!("{} of {}", rates.len(), edges.runs));
        rows.push(Row::Cells(vec![
            plain(cell.arm_label.clone()),
            rate(&edges.collapse, edges.runs),
            count(&edges.collapse),
            rate(&edges.recovery, edges.collapse.len()),
            count(&edges.recovery),
        ]));
    }
    Table { columns, rows }
}

/// The median rate of the runs to which it happened, of those to which it could, with the least and
/// the most: rates are those of steps; a mean or its interval would lie between or beyond them.
fn rate(rates: &[f64], runs: usize) -> TableCell {
    plain(match spread(rates.to_vec()).map(|spread| spread.map(written)) {
        None if runs == 0 => "–".to_owned(),
        None => "never".to_owned(),
        Some([median, least, most]) if least == most => median,
        Some([median, least, most]) => format!("{median} ({least}–{most})"),
    })
}

fn written(rate: f64) -> String {
    number::number(rate, Unit::Plain)
}

/// The way up and the way down, in goodput and in requests that succeed.
pub fn figure(campaign: &Campaign, ramp: &Ramp, results: &[RunResult]) -> Lines {
    let shown: Vec<usize> = (0..campaign.cells.len().min(COLUMNS_MAX)).collect();
    let row = |label: &str, value: fn(&RampStep) -> f64| ChartRow {
        label: label.to_owned(),
        panels: shown
            .iter()
            .map(|&cell| Panel { series: both_ways(campaign, ramp, results, cell, value) })
            .collect(),
    };
    let name = |&cell: &usize| {
        let cell = &campaign.cells[cell];
        let arm = if campaign.experiment.arms.len() > 1 { cell.arm_label.as_str() } else { "" };
        let names = [arm, cell.point_label.as_str()];
        names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let seen: Vec<(String, CellEdges)> =
        shown.iter().map(|cell| (name(cell), edges(campaign, ramp, results, *cell))).collect();
    Lines {
        caption: Caption {
            title: title(&seen),
            subtitle: format!(
                "{}: the load goes up and then down, {} at each rate.",
                campaign.experiment.title, ramp.text.dwell
            ),
            note: format!(
                "Median of {} seeds; bands go from the least to the most of them. Success is that of \
                 the second half of each step.",
                campaign.seeds.len()
            ),
        },
        width: WIDTH,
        x_label: format!("arrivals per second of {}", ramp.text.clients),
        columns: shown.iter().map(name).collect(),
        rows: vec![
            row("goodput per second", |step| step.goodput),
            row("share of requests that succeed", |step| {
                step.succeeded as f64 / (step.asked as f64).max(1.0)
            }),
        ],
        shaded: Vec::new(),
    }
}

/// What is seen in a panel, or in each of them.
fn title(panels: &[(String, CellEdges)]) -> String {
    if let [(_, only)] = panels {
        return match seen(only, ["Going up it ", "going down it "]) {
            Some(seen) => seen,
            None => "A limit ended every run: nothing is seen".to_owned(),
        };
    }
    let part = |(name, edges): &(String, CellEdges)| {
        let seen = seen(edges, ["", ""]);
        format!("{name}: {}", seen.as_deref().unwrap_or("a limit ended every run"))
    };
    panels.iter().map(part).collect::<Vec<_>>().join("; ")
}

/// Where it collapses and where it comes back, after words for each; `None` if no run came to an
/// end.
fn seen(edges: &CellEdges, [going_up, going_down]: [&str; 2]) -> Option<String> {
    let in_runs = |rates: &[f64]| match rates.len() == edges.runs {
        true => String::new(),
        false => format!(" in {} of {} runs", rates.len(), edges.runs),
    };
    let median = |rates: &[f64]| Some(format!("{}/s", written(spread(rates.to_vec())?[0])));
    let (collapse, recovery) = (median(&edges.collapse), median(&edges.recovery));
    let collapses = |at: String| format!("{going_up}collapses at {at}{}", in_runs(&edges.collapse));
    Some(match (collapse, recovery) {
        _ if edges.runs == 0 => return None,
        (None, _) => format!("{going_up}never collapses"),
        (Some(up), None) => format!("{}, {going_down}never comes back", collapses(up)),
        (Some(up), Some(down)) => {
            let back = in_runs(&edges.recovery);
            format!("{}, {going_down}comes back at {down}{back}", collapses(up))
        }
    })
}

/// The way up and the way down. Some runs of a step may have collapsed and others not, and a mean
/// of them would describe neither: the line is their median, the band all of them.
fn both_ways(
    campaign: &Campaign,
    ramp: &Ramp,
    results: &[RunResult],
    cell: usize,
    value: fn(&RampStep) -> f64,
) -> Vec<Series> {
    let runs: Vec<Vec<RampStep>> = results
        .iter()
        .filter(|run| run.cell == cell)
        .map(|run| ramp.steps(&campaign.cells[cell], run))
        .collect();
    let series = |label: &str, colour: usize, steps: Vec<usize>| {
        let mut series = Series { label: label.to_owned(), colour, ..Series::default() };
        for step in steps {
            let sample = runs.iter().filter_map(|steps| steps.get(step)).map(value);
            let Some([median, least, most]) = spread(sample.collect()) else { continue };
            series.x.push(ramp.rates[step]);
            series.middle.push(median);
            if runs.len() > 1 {
                series.low.push(least);
                series.high.push(most);
            }
        }
        series
    };
    // The highest rate belongs to both.
    let top = ramp.up() - 1;
    vec![
        series("going up", 0, (0..=top).collect()),
        series("going down", 1, (top..ramp.rates.len()).rev().collect()),
    ]
}
