//! A ramp: `ramp.csv`, its table and its picture.

use super::arms::{column, plain};
use super::chart::{Caption, Lines, Panel, Row as ChartRow, Series};
use super::columns::{self, Column};
use super::figures::{COLUMNS_MAX, WIDTH};
use super::number::{self, Unit};
use super::table::{Align, Cell as TableCell, Row, Table};
use crate::experiment::campaign::Campaign;
use crate::experiment::ramp::{Edges, Ramp, RampStep};
use crate::experiment::run::RunResult;
use crate::experiment::statistics::interval::mean_interval;
use crate::experiment::statistics::{CONFIDENCE, Estimate};

/// Which way a step goes.
fn branch(ramp: &Ramp, step: usize) -> &'static str {
    if step < ramp.up() { "up" } else { "down" }
}

/// `ramp.csv`: for each arm, point, seed and step of the ramp what happened in it.
#[must_use]
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

fn mean(rates: &[f64]) -> Option<Estimate> {
    mean_interval(rates, CONFIDENCE).ok()
}

/// `edges.csv`: for each arm, point and seed the rates at which it collapsed and came back.
#[must_use]
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
#[must_use]
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

/// The mean rate of the runs to which it happened, of those to which it could.
fn rate(rates: &[f64], runs: usize) -> TableCell {
    plain(match mean(rates) {
        None if runs == 0 => "–".to_owned(),
        None => "never".to_owned(),
        Some(mean) if mean.interval.low.is_finite() => {
            number::interval(mean.mean, mean.interval.low, mean.interval.high, Unit::Plain)
        }
        Some(mean) => number::number(mean.mean, Unit::Plain),
    })
}

/// The way up and the way down, in goodput and in requests that succeed.
#[must_use]
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
    Lines {
        caption: Caption {
            title: title(&edges(campaign, ramp, results, 0)),
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

/// What is seen in the first panel.
fn title(edges: &CellEdges) -> String {
    let written = |mean: Estimate| number::number(mean.mean, Unit::Plain);
    let (runs, collapsed, back) = (edges.runs, edges.collapse.len(), edges.recovery.len());
    let of_runs = |count: usize| match count == runs {
        true => String::new(),
        false => format!(" in {count} of {runs} runs"),
    };
    match (mean(&edges.collapse), mean(&edges.recovery)) {
        _ if runs == 0 => "A limit ended every run: nothing is seen".to_owned(),
        (None, _) => "It never collapses, at no load of the ramp".to_owned(),
        (Some(up), None) => {
            format!("It collapses at {}/s{} and never comes back", written(up), of_runs(collapsed))
        }
        (Some(up), Some(down)) => format!(
            "Going up it collapses at {}/s{}, going down it comes back at {}/s{}",
            written(up),
            of_runs(collapsed),
            written(down),
            of_runs(back)
        ),
    }
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
            let mut sample: Vec<f64> =
                runs.iter().filter_map(|steps| steps.get(step)).map(value).collect();
            sample.sort_unstable_by(f64::total_cmp);
            let (Some(low), Some(high)) = (sample.first(), sample.last()) else { continue };
            series.x.push(ramp.rates[step]);
            series.middle.push(sample[sample.len() / 2]);
            if sample.len() > 1 {
                series.low.push(*low);
                series.high.push(*high);
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
