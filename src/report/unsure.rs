//! What the tables of arms cannot say, and why.

use super::number::{self, Unit, several};
use crate::experiment::measure::amplification;
use crate::experiment::measure::metrics::Of;
use crate::experiment::measure::percentile::{Lack, lacks};
use crate::experiment::measure::summary::CellSummary;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::metric::MetricId;
use crate::metric::RunMetrics;

/// What is said below the tables of arms: of what was not finished when runs ended, and of times
/// that cannot be estimated; empty where there is neither.
pub fn notes(campaign: &Campaign, results: &[RunResult], summaries: &[CellSummary]) -> String {
    unfinished(campaign, results) + &times(campaign, results, summaries) + &worst(campaign, results)
}

/// So many times what the tables show, retries must multiply at another edge to be told of.
const WORSE: f64 = 1.5;

/// Where retries multiply far more than at the load that the tables count: in the arm where they do
/// so most.
fn worst(campaign: &Campaign, results: &[RunResult]) -> String {
    let of_run = |run: &RunResult| {
        let cell = &campaign.cells[run.cell];
        let edges = &cell.program.edges;
        let times = amplification::of_edges(&cell.program, &run.metrics.edges);
        let is_load = |index: usize| match cell.measure.load {
            None => edges[index].is_entry,
            Some(load) => cell.program.edges_to(load)[index],
        };
        let shown = (0..times.len()).filter(|&index| is_load(index)).map(|index| times[index]);
        let shown = shown.fold(1.0, f64::max);
        let (edge, most) = amplification::worst(&cell.program, &run.metrics.edges)?;
        (most > WORSE * shown).then_some((run.cell, edge, most, shown))
    };
    let worst = results.iter().filter_map(of_run);
    let worst = worst.reduce(|most, other| if other.2 > most.2 { other } else { most });
    let Some((cell, edge, most, shown)) = worst else { return String::new() };
    let cell = &campaign.cells[cell];
    let edge = cell.program.edge(edge);
    let operation = &cell.program.operation(edge.operation).name;
    let times = |value: f64| number::number(value, Unit::Times);
    format!(
        "warning: retries multiply most at `{}`, {}, which no table counts:\n         \
         in {}, where the load has {}; `[measure] load = \"{operation}\"` counts it\n",
        edge.name,
        times(most),
        [cell.arm_label.as_str(), &cell.point_label].join(" ").trim_end(),
        times(shown),
    )
}

/// Below this share of the requests, or of a promise's cases, nothing is said of what was open when
/// runs ended.
pub(super) const FEW: f64 = 1e-3;

/// The most arms that are named, those of which most is unfinished.
const NAMED_MAX: usize = 3;

/// A warning where so much was unfinished when runs ended that what was counted may say less of it
/// than of the rest.
fn unfinished(campaign: &Campaign, results: &[RunResult]) -> String {
    let left = |count: &dyn Fn(&Cell, &RunMetrics) -> [u64; 2]| {
        let of_cell = |(index, cell): (usize, &Cell)| {
            let runs = campaign.runs_of(results, index);
            let counts = runs.iter().map(|run| count(cell, &run.metrics));
            let sum = counts.fold([0, 0], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
            (index, sum)
        };
        let cells = campaign.cells.iter().enumerate().map(of_cell);
        let mut cells: Vec<(usize, [u64; 2])> =
            cells.filter(|(_, [left, of])| *left as f64 > FEW * *of as f64).collect();
        cells.sort_by_key(|&(_, [left, _])| std::cmp::Reverse(left));
        cells
    };
    let requests = left(&|_, metrics| [metrics.unfinished, metrics.measured]);
    let mut text = lines(campaign, &requests, |[left, of], name| {
        let (left, of) = (number::count(left), number::count(of));
        format!(
            "{left} of {of} requests of `{name}` had no answer when their run ended:\n         \
             success and latencies are those of the others"
        )
    });
    let on_their_way = left(&|cell, metrics| {
        let progress = cell.measured.and_then(|place| metrics.milestones.get(place));
        progress.map_or([0, 0], |progress| [progress.unfinished, progress.asked])
    });
    text += &lines(campaign, &on_their_way, |[left, of], name| {
        let (left, of) = (number::count(left), number::count(of));
        format!(
            "{left} of {of} requests of `{name}` were on their way to what is measured\n         \
             when their run ended: success is that of the others"
        )
    });
    let messages = left(&|_, metrics| [metrics.unprocessed, metrics.measured]);
    text += &lines(campaign, &messages, |[left, _], name| {
        let left = several(left, "message");
        format!(
            "{left} of `{name}` were not done with when the runs ended:\n         \
             what they were to do is in no latency"
        )
    });
    if !text.is_empty() {
        text.push_str("         a longer `drain` or less load lets all be finished\n");
    }
    text
}

/// A warning for each of the first cells, and how many more there are.
fn lines(
    campaign: &Campaign,
    cells: &[(usize, [u64; 2])],
    warning: impl Fn([u64; 2], &str) -> String,
) -> String {
    let mut text = String::new();
    for &(index, counts) in cells.iter().take(NAMED_MAX) {
        let cell = &campaign.cells[index];
        let name = [cell.arm_label.as_str(), &cell.point_label].join(" ");
        text.push_str(&format!("warning: {}\n", warning(counts, name.trim_end())));
    }
    if cells.len() > NAMED_MAX {
        let more = several((cells.len() - NAMED_MAX) as u64, "combination");
        text.push_str(&format!("         and so it is in {more} more\n"));
    }
    text
}

fn times(campaign: &Campaign, results: &[RunResult], summaries: &[CellSummary]) -> String {
    const IDS: [MetricId; 4] = [
        MetricId::LatencyMeanMs,
        MetricId::LatencyP50Ms,
        MetricId::LatencyP99Ms,
        MetricId::LatencyP999Ms,
    ];
    let measured = campaign.cells[0].measured;
    let mut text = String::new();
    for (place, metric) in campaign.metrics().iter().enumerate() {
        // What is measured stands at the front too.
        let is_twice = matches!(metric.of, Of::Milestone(own) if Some(own) == measured);
        if !IDS.contains(&metric.id) || is_twice {
            continue;
        }
        let of_cell = |cell: usize| {
            let runs = campaign.runs_of(results, cell);
            let estimate = summaries[cell].metrics[place].as_ref();
            lacks(&campaign.cells[cell], place, estimate, runs)
        };
        let lacking: Vec<Lack> = (0..campaign.cells.len()).filter_map(of_cell).collect();
        text.push_str(&lines_of(&metric.name, &lacking));
    }
    text
}

/// Why a metric cannot be told in so many cells: a line for each reason.
fn lines_of(name: &str, lacking: &[Lack]) -> String {
    let cells = |is: fn(&Lack) -> bool| match lacking.iter().filter(|lack| is(lack)).count() {
        0 => None,
        cells => Some(several(cells as u64, "arm")),
    };
    let mut text = String::new();
    if let Some(cells) = cells(|lack| *lack == Lack::All) {
        text.push_str(&format!(
            "{name} cannot be told in {cells}: some requests are unfinished, and a\n  mean is of all\n"
        ));
    }
    if let Some(cells) = cells(|lack| *lack == Lack::Finished) {
        text.push_str(&format!(
            "{name} cannot be told in {cells}: more requests are unfinished than take\n  longer\n"
        ));
    }
    let few = lacking.iter().find_map(|lack| match lack {
        Lack::Requests(needed) => Some(*needed),
        Lack::Finished | Lack::All => None,
    });
    if let (Some(needed), Some(cells)) = (few, cells(|lack| matches!(lack, Lack::Requests(_)))) {
        text.push_str(&format!(
            "{name} cannot be estimated in {cells}: all runs together have fewer\n  than {} \
             requests that tell of it independently of each other\n",
            number::count(needed),
        ));
    }
    text
}
