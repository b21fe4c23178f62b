//! The pictures of a campaign: goodput and load over time, amplification against success, and
//! violations by arm.

use super::arms::mode_names;
use super::chart::{
    Axis, Bar, BarGroup, BarRow, Bars, Caption, Estimate, Lines, Panel, Point, Reference, Row,
    Scatter, Series, Shaded, Stroke,
};
use super::comparison::front;
use super::findings::Findings;
use super::number::{self, Unit};
use super::sizes::{COLUMNS_MAX, WIDTH};
use super::{promises, ramp};
use crate::experiment::measure::summary::{CellSummary, InvariantSummary};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Time;
use crate::metric::MetricId;
use crate::metric::Window;
use crate::statistics::CONFIDENCE;
use crate::statistics::bounded::Averaged;
use crate::statistics::interval::mean_interval;

/// More cells than this are told apart by a legend instead of names beside them.
const NAMED_POINTS_MAX: usize = 8;

/// Fewer runs than this are drawn without a band: the interval of a mean of two or three is so wide
/// that it would be all that is seen.
pub(super) const BAND_RUNS: usize = 5;

/// Goodput and load over time, as SVG.
pub fn over_time(findings: &Findings<'_>) -> String {
    let Findings { campaign, results, summaries, .. } = findings;
    lines(campaign, results, summaries).svg()
}

/// What retries cost against what they earn, as SVG.
pub fn amplification(findings: &Findings<'_>) -> String {
    scatter(findings.campaign, findings.summaries).svg()
}

/// The arms that no other beats, as SVG, if the experiment asks for them.
pub fn pareto(findings: &Findings<'_>) -> Option<String> {
    let shown = &findings.comparison.front;
    let figure = || front::figure(findings.campaign, shown, WIDTH * 0.8).svg();
    (!shown.is_empty()).then(figure)
}

/// What a ramp came to, as SVG, if the experiment has one.
pub fn hysteresis(findings: &Findings<'_>) -> Option<String> {
    let declared = findings.campaign.experiment.ramp.as_ref()?;
    Some(ramp::figure(findings.campaign, declared, findings.results).svg())
}

/// How often each promise was broken, as SVG, if any is watched.
pub fn violations(findings: &Findings<'_>) -> Option<String> {
    let Findings { campaign, summaries, .. } = findings;
    let is_watched = summaries.iter().any(|summary| !summary.invariants.is_empty());
    is_watched.then(|| bars(campaign, summaries).svg())
}

/// Cells of one point: the arms, in order.
fn points(campaign: &Campaign) -> std::slice::Chunks<'_, crate::experiment::plan::cell::Cell> {
    campaign.cells.chunks(campaign.experiment.arms.len().max(1))
}

fn lines(campaign: &Campaign, results: &[RunResult], summaries: &[CellSummary]) -> Lines {
    let shown: Vec<usize> = (0..points(campaign).len().min(COLUMNS_MAX)).collect();
    let arms = campaign.experiment.arms.len();
    let is_split =
        |arm: usize| shown.iter().any(|point| summaries[point * arms + arm].modes.is_some());
    let row = |label: String, count: Count| Row {
        label,
        panels: shown
            .iter()
            .map(|&point| Panel {
                series: (0..arms)
                    .flat_map(|arm| {
                        let cell = point * arms + arm;
                        let runs = campaign.runs_of(results, cell);
                        drawn_apart(is_split(arm), runs)
                            .into_iter()
                            .map(move |part| series(campaign, cell, &part, count))
                    })
                    .collect(),
            })
            .collect(),
    };
    let first = &campaign.cells[0];
    let milestone = first.measured.map(|place| {
        row(format!("{} per second", first.milestones[place].label), Count::Reached(place))
    });
    let replies = if milestone.is_some() { "answered ok per second" } else { "goodput per second" };
    let rows = milestone.into_iter().chain([
        row(replies.to_owned(), Count::Window(|window| window.answered)),
        row(
            format!("attempts per second at {}", load_name(campaign)),
            Count::Window(|window| window.attempts),
        ),
    ]);
    let rows: Vec<Row> = rows.collect();
    Lines {
        caption: Caption {
            title: campaign.experiment.title.clone(),
            subtitle: came_back(campaign, summaries),
            note: over_time_note(campaign, &rows),
        },
        width: WIDTH,
        x_label: "seconds".to_owned(),
        columns: shown.iter().map(|&point| point_label(campaign, point)).collect(),
        rows,
        shaded: shaded(campaign),
    }
}

fn over_time_note(campaign: &Campaign, rows: &[Row]) -> String {
    let seeds = campaign.seeds.len();
    let mut note =
        format!("Mean of {seeds} seeds; bands are 95% intervals, of {BAND_RUNS} runs or more.");
    if campaign.cells.iter().any(|cell| cell.measure.warm_up > Time::ZERO) {
        note.push_str(" Lines begin where the warm-up ends.");
    }
    let mut drawn = rows.iter().flat_map(|row| &row.panels).flat_map(|panel| &panel.series);
    if seeds > 1 && drawn.any(|series| series.thin) {
        note.push_str(" Thin: a single run.");
    }
    note
}

fn succeed(campaign: &Campaign) -> String {
    let first = &campaign.cells[0];
    let milestone = first.measured.map(|place| &first.milestones[place]);
    milestone.map_or("requests that succeed".to_owned(), |milestone| {
        format!("requests that come to: {}", milestone.label)
    })
}

/// Whose attempts are the load.
pub(super) fn load_name(campaign: &Campaign) -> String {
    let first = &campaign.cells[0];
    let load = first.measure.load.map(|load| first.program.operation(load).node);
    load.map_or("the entry".to_owned(), |node| first.program.node(node).name.clone())
}

fn point_label(campaign: &Campaign, point: usize) -> String {
    campaign.cells[point * campaign.experiment.arms.len()].point_label.clone()
}

/// How many arms came back after the faults, in one sentence.
fn came_back(campaign: &Campaign, summaries: &[CellSummary]) -> String {
    let judged: Vec<&CellSummary> =
        summaries.iter().filter(|summary| summary.never_recovered.is_some()).collect();
    let never = |summary: &&&CellSummary| {
        summary.never_recovered.is_some_and(|share| share.count * 2 > share.of)
    };
    let arms = if campaign.experiment.factors.is_empty() { "arms" } else { "combinations" };
    match (judged.iter().filter(never).count(), judged.len()) {
        (_, 0) => campaign.experiment.question.clone(),
        (0, 1) => "It recovers after the fault in most runs.".to_owned(),
        (0, all) => format!("All {all} {arms} recover after the fault in most runs."),
        (1, 1) => "It does not recover after the fault in most runs.".to_owned(),
        (lost, all) => {
            format!("{lost} of {all} {arms} do not recover after the fault in most runs.")
        }
    }
}

/// Runs of a cell that are drawn as one line.
struct Part<'r> {
    /// What to add to the name of the arm.
    mode: &'static str,
    stroke: Stroke,
    runs: Vec<&'r RunResult>,
}

/// The lines of a cell. Those that collapsed are apart from the others, because a mean of two modes
/// describes neither; if an arm is split in one panel, it is named by its modes in all of them, so
/// that one stroke means one thing.
fn drawn_apart(is_split: bool, runs: &[RunResult]) -> Vec<Part<'_>> {
    let modes = [
        (", collapsed", Stroke::Dashed, Some(true)),
        (", not collapsed", Stroke::Solid, Some(false)),
    ];
    let part = |(mode, stroke, collapsed)| Part {
        mode,
        stroke,
        runs: runs.iter().filter(|run| run.collapsed() == collapsed).collect(),
    };
    let parts: Vec<Part<'_>> =
        modes.into_iter().map(part).filter(|part| is_split && !part.runs.is_empty()).collect();
    if !parts.is_empty() {
        return parts;
    }
    let stroke = if is_split { Stroke::Dotted } else { Stroke::Solid };
    vec![Part { mode: "", stroke, runs: runs.iter().collect() }]
}

/// What is counted in a window of a run.
#[derive(Clone, Copy)]
enum Count {
    Window(fn(&Window) -> u64),
    /// Requests that reached the milestone of this place in time.
    Reached(usize),
}

impl Count {
    fn of(self, run: &RunResult, index: usize) -> u64 {
        match self {
            Count::Window(count) => run.metrics.windows.get(index).map_or(0, count),
            Count::Reached(place) => {
                let windows = &run.metrics.milestones[place].windows;
                windows.get(index).map_or(0, |window| window.reached)
            }
        }
    }
}

fn series(campaign: &Campaign, cell: usize, part: &Part<'_>, count: Count) -> Series {
    let description = &campaign.cells[cell];
    let width = description.measure.window;
    let Part { mode, stroke, runs } = part;
    let windows = runs.iter().map(|run| run.metrics.windows.len()).max().unwrap_or(0);
    let arm = cell % campaign.experiment.arms.len();
    let mut series = Series {
        label: format!("{}{mode}", description.arm_label),
        colour: arm,
        stroke: *stroke,
        thin: runs.len() == 1,
        ..Series::default()
    };
    // Nothing is measured in the warm-up, and in the window in which it ends only partly.
    let measured = description.measure.warm_up.0.div_ceil(width.0) as usize;
    // Only windows in which users still arrived: afterwards the system merely runs empty.
    let arriving = (description.measure.arrivals_end.0 / width.0) as usize;
    for index in measured..windows.min(arriving) {
        let sample: Vec<f64> =
            runs.iter().map(|run| count.of(run, index) as f64 / width.seconds()).collect();
        let Ok(estimate) = mean_interval(&sample, CONFIDENCE) else { continue };
        series.x.push(Time((index as u64) * width.0 + width.0 / 2).seconds());
        series.middle.push(estimate.mean);
        if runs.len() >= BAND_RUNS {
            // A count is never negative, whatever its interval says.
            series.low.push(estimate.interval.low.max(0.0));
            series.high.push(estimate.interval.high);
        }
    }
    series
}

fn shaded(campaign: &Campaign) -> Vec<Shaded> {
    let acts = campaign.cells.first().and_then(Cell::faults_act);
    let shaded = acts.map(|(from, until)| Shaded {
        from: from.seconds(),
        to: until.seconds(),
        label: "fault".to_owned(),
    });
    shaded.into_iter().collect()
}

fn metric(metrics: &[Option<Averaged>], id: MetricId) -> Option<Estimate> {
    metrics[id.place()].as_ref().map(drawn)
}

/// A mean as it is drawn: without an interval, the value alone.
fn drawn(mean: &Averaged) -> Estimate {
    let value = mean.mean;
    match mean.interval {
        Some(interval) => Estimate { value, low: interval.low, high: interval.high },
        None => Estimate { value, low: value, high: value },
    }
}

fn scatter(campaign: &Campaign, summaries: &[CellSummary]) -> Scatter {
    let arms = campaign.experiment.arms.len();
    let names_points = campaign.cells.len() <= NAMED_POINTS_MAX;
    let points = campaign.cells.iter().zip(summaries).enumerate();
    let points = points.flat_map(|(index, (cell, summary))| {
        let modes = match &summary.modes {
            None => vec![(String::new(), &summary.metrics)],
            Some(modes) => {
                let metrics = [&modes.if_collapsed, &modes.if_not];
                let (count, of) = summary.collapsed.map_or((0, 0), |share| (share.count, share.of));
                let names = mode_names(count, of - count).map(|name| format!(", {name}"));
                names.into_iter().zip(metrics).collect()
            }
        };
        modes.into_iter().map(move |(mode, metrics)| (index, cell, mode, metrics))
    });
    let points = points.filter_map(|(index, cell, mode, metrics)| {
        Some(Point {
            x: metric(metrics, MetricId::Amplification)?,
            y: metric(metrics, MetricId::SuccessRatio)?,
            label: if names_points { format!("{}{mode}", cell.arm_label) } else { String::new() },
            colour: index % arms,
            marker: index / arms,
            group: None,
        })
    });
    let labels = (0..campaign.cells.len() / arms.max(1)).map(|point| point_label(campaign, point));
    Scatter {
        caption: Caption {
            title: format!("{}: what a retry costs and what it earns", campaign.experiment.title),
            subtitle: "Up is better for the user, left is lighter for the dependency.".to_owned(),
            note: "Means over seeds with 95% intervals.".to_owned(),
        },
        width: WIDTH * 0.8,
        x: Axis {
            label: format!("attempts at {} per request", load_name(campaign)),
            unit: Unit::Times,
            log: false,
        },
        y: Axis { label: succeed(campaign), unit: Unit::Percent, log: false },
        markers: labels.filter(|label| !label.is_empty()).collect(),
        colours: match names_points {
            true => Vec::new(),
            false => campaign.cells[..arms].iter().map(|cell| cell.arm_label.clone()).collect(),
        },
        points: points.collect(),
        x_references: vec![Reference { at: 1.0, label: "no amplification".to_owned() }],
        y_references: Vec::new(),
    }
}

fn bars(campaign: &Campaign, summaries: &[CellSummary]) -> Bars {
    let arms = campaign.experiment.arms.len();
    let labels = summaries[0].invariants.iter().map(|invariant| invariant.label.clone()).collect();
    let groups =
        campaign.cells.chunks(arms).zip(summaries.chunks(arms)).map(|(cells, group)| BarGroup {
            heading: cells[0].point_label.clone(),
            rows: cells
                .iter()
                .zip(group)
                .enumerate()
                .map(|(arm, (cell, summary))| BarRow {
                    label: cell.arm_label.clone(),
                    colour: arm,
                    cells: summary.invariants.iter().map(bar).collect(),
                })
                .collect(),
        });
    Bars {
        caption: Caption {
            title: format!("{}: which promises break", campaign.experiment.title),
            subtitle: "Violations per 10,000 operations that could have broken the promise."
                .to_owned(),
            note:
                "Means over runs with 95% intervals. A hollow 0: no run broke it. Where few runs \
                   did, how many, and no interval. Violations of one run belong together."
                    .to_owned(),
        },
        width: WIDTH,
        unit: "per 10,000".to_owned(),
        panels: labels,
        groups: groups.collect(),
    }
}

/// The bar of a promise: what is written beside it counts runs where a mean has no interval.
fn bar(invariant: &InvariantSummary) -> Bar {
    let (Some(rate), Some(runs)) = (&invariant.per_10_000, invariant.runs) else {
        return Bar::Missing(promises::absent(invariant).to_owned());
    };
    match (runs.count, rate.interval) {
        (0, _) => Bar::Rate(drawn(rate), format!("0 of {}", number::several(runs.of, "run"))),
        (_, Some(_)) => Bar::with_interval(drawn(rate)),
        (count, None) => {
            let rate_text = number::number(rate.mean, Unit::Plain);
            let text = format!("{rate_text} in {count} of {}", number::several(runs.of, "run"));
            Bar::Rate(drawn(rate), text)
        }
    }
}
