//! What nodes and operations did in the course of time, under the first seed: two files, and a
//! picture of what filled up.

use std::collections::BTreeMap;

use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::closer_look::{CloserLook, Seen};
use crate::kernel::time::{Span, Time};
use crate::metric::OperationSeries;
use crate::model::program::{NodeId, OperationId};
use crate::report::chart::{Caption, Lines, Panel, Row, Series, Shaded};
use crate::report::columns::{self, Column};
use crate::report::sizes::COLUMNS_MAX;
use crate::report::sizes::WIDTH;

/// A row of `nodes.csv`.
struct Line<'a> {
    cell: &'a Cell,
    node: &'a str,
    window: usize,
    working: f64,
    share: Option<f64>,
    waiting: f64,
    messages: u64,
    oldest: Span,
}

/// How many windows have anything in them.
fn windows(seen: &Seen) -> usize {
    let last = |values: &[f64]| values.iter().rposition(|it| *it > 0.0).map_or(0, |at| at + 1);
    let nodes = seen.nodes.iter().map(|it| last(&it.working).max(last(&it.waiting)));
    let backlogs = seen.timeline.backlogs.values().map(|it| it.waiting.len());
    let asked = seen.operations.values().map(|it| it.asked.len());
    nodes.chain(backlogs).chain(asked).max().unwrap_or(0)
}

/// All workers of a node; `None` without a limit.
fn workers(cell: &Cell, node: usize) -> Option<f64> {
    let station = &cell.program.nodes[node].station;
    let limited = station.workers < u32::MAX;
    limited.then(|| f64::from(station.workers) * f64::from(station.instances))
}

fn lines<'a>(campaign: &'a Campaign, look: &CloserLook) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for seen in &look.seen {
        let cell = &campaign.cells[seen.cell];
        let windows = windows(seen);
        for (index, series) in seen.nodes.iter().enumerate() {
            let backlog = seen.timeline.backlogs.get(&NodeId(index as u16));
            lines.extend((0..windows).map(|window| {
                let at = |values: &[f64]| values.get(window).copied().unwrap_or_default();
                let working = at(&series.working);
                Line {
                    cell,
                    node: &cell.program.nodes[index].name,
                    window,
                    working,
                    share: workers(cell, index).map(|all| working / all),
                    waiting: at(&series.waiting),
                    messages: backlog.map_or(0, |it| value(&it.waiting, window)),
                    oldest: backlog.map_or(Span::ZERO, |it| value(&it.oldest, window)),
                }
            }));
        }
    }
    lines
}

fn value<T: Copy + Default>(values: &[T], window: usize) -> T {
    values.get(window).copied().unwrap_or_default()
}

fn from_s(cell: &Cell, window: usize) -> f64 {
    Time(cell.measure.window.0 * window as u64).seconds()
}

/// `nodes.csv`: a row for each arm, point, node and window; `None` unless the experiment asks.
pub fn nodes_csv(campaign: &Campaign, look: &CloserLook) -> Option<String> {
    campaign.cells[0].observing.nodes.then_some(())?;
    let lines = lines(campaign, look);
    let number = |name: &str, of: &dyn Fn(&Line<'_>) -> Option<f64>| {
        Column::number(name, lines.iter().map(of))
    };
    Some(columns::csv(&[
        Column::text("arm", lines.iter().map(|line| line.cell.arm.clone())),
        Column::text("point", lines.iter().map(|line| line.cell.point.clone())),
        Column::count("seed", lines.iter().map(|_| look.seed)),
        Column::text("node", lines.iter().map(|line| line.node.to_owned())),
        number("from_s", &|line| Some(from_s(line.cell, line.window))),
        number("working", &|line| Some(line.working)),
        number("working_ratio", &|line| line.share),
        number("waiting", &|line| Some(line.waiting)),
        Column::count("messages", lines.iter().map(|line| line.messages)),
        number("oldest_message_s", &|line| Some(line.oldest.seconds())),
    ]))
}

/// `operations.csv`: a row for each arm, point, operation of users and window; `None` unless the
/// experiment asks.
pub fn operations_csv(campaign: &Campaign, look: &CloserLook) -> Option<String> {
    campaign.cells[0].observing.nodes.then_some(())?;
    let mut lines: Vec<(&Cell, OperationId, usize, &OperationSeries)> = Vec::new();
    for seen in &look.seen {
        let cell = &campaign.cells[seen.cell];
        for (&operation, series) in &seen.operations {
            let windows = 0..series.asked.len();
            lines.extend(windows.map(|window| (cell, operation, window, series)));
        }
    }
    let percentile = |p: f64| {
        let of = move |&(_, _, window, series): &(&Cell, OperationId, usize, &OperationSeries)| {
            series.latency[window].estimate(p).map(Span::millis)
        };
        lines.iter().map(of)
    };
    Some(columns::csv(&[
        Column::text("arm", lines.iter().map(|(cell, ..)| cell.arm.clone())),
        Column::text("point", lines.iter().map(|(cell, ..)| cell.point.clone())),
        Column::count("seed", lines.iter().map(|_| look.seed)),
        Column::text(
            "operation",
            lines
                .iter()
                .map(|(cell, operation, ..)| cell.program.operation(*operation).name.clone()),
        ),
        Column::number(
            "from_s",
            lines.iter().map(|(cell, _, window, _)| Some(from_s(cell, *window))),
        ),
        Column::count("asked", lines.iter().map(|(.., window, it)| it.asked[*window])),
        Column::count("ok", lines.iter().map(|(.., window, it)| it.ok[*window])),
        Column::number("latency_p50_ms", percentile(0.5)),
        Column::number("latency_p99_ms", percentile(0.99)),
    ]))
}

/// So many nodes, those that are fullest, are drawn by their workers.
const NODES_MAX: usize = 2;
/// A node of which never so large a share of the workers is taken is left out.
const FULL: f64 = 0.1;
/// So many queues, those with the longest backlog, are drawn.
const QUEUES_MAX: usize = 1;
/// So many operations, those asked for most, are drawn.
const OPERATIONS_MAX: usize = 2;

/// What filled up and how users fared, as SVG; `None` unless the experiment asks.
pub fn figure(campaign: &Campaign, look: &CloserLook) -> Option<String> {
    campaign.cells[0].observing.nodes.then_some(())?;
    let arms = campaign.experiment.arms.len();
    let points = campaign.cells.len().div_ceil(arms).min(COLUMNS_MAX);
    let row = |label: String, of: &dyn Fn(&Cell, &Seen, usize) -> Option<f64>| Row {
        label,
        panels: (0..points).map(|point| panel(campaign, look, point, of)).collect(),
    };
    let mut rows = Vec::new();
    for (queue, name) in queues(campaign, look) {
        let backlog = move |seen: &Seen| seen.timeline.backlogs.get(&queue).cloned();
        rows.push(row(format!("messages in {name}"), &move |_, seen, window| {
            Some(value(&backlog(seen)?.waiting, window) as f64)
        }));
        rows.push(row(format!("age of the oldest in {name}, seconds"), &move |_, seen, window| {
            Some(value(&backlog(seen)?.oldest, window).seconds())
        }));
    }
    for (node, name) in fullest(campaign, look) {
        rows.push(row(
            format!("share of the workers of {name} taken"),
            &move |cell, seen, window| {
                Some(value(&seen.nodes.get(node)?.working, window) / workers(cell, node)?)
            },
        ));
    }
    for (operation, name) in operations(campaign, look) {
        rows.push(row(format!("answered ok of {name}, share"), &move |_, seen, window| {
            let series = seen.operations.get(&operation)?;
            let asked = *series.asked.get(window)?;
            (asked > 0).then(|| series.ok[window] as f64 / asked as f64)
        }));
        rows.push(row(format!("median latency of {name}, ms"), &move |_, seen, window| {
            seen.operations.get(&operation)?.latency.get(window)?.estimate(0.5).map(Span::millis)
        }));
    }
    let acts = campaign.cells.first().and_then(Cell::faults_act);
    let shaded = acts.map(|(from, until)| Shaded {
        from: from.seconds(),
        to: until.seconds(),
        label: "fault".to_owned(),
    });
    let label = |point: usize| campaign.cells[point * arms].point_label.clone();
    let figure = Lines {
        caption: Caption {
            title: campaign.experiment.title.clone(),
            subtitle: "What fills up, and what do users see of it?".to_owned(),
            note: format!(
                "Under seed {}. Of nodes and queues those that were fullest; every other one is in \
                 nodes.csv, every operation in operations.csv.",
                look.seed
            ),
        },
        width: WIDTH * 0.8,
        x_label: "seconds".to_owned(),
        columns: (0..points).map(label).collect(),
        rows,
        shaded: shaded.into_iter().collect(),
    };
    Some(figure.svg())
}

/// A panel with a line for each arm of a point that was looked at.
fn panel(
    campaign: &Campaign,
    look: &CloserLook,
    point: usize,
    of: &dyn Fn(&Cell, &Seen, usize) -> Option<f64>,
) -> Panel {
    let arms = campaign.experiment.arms.len();
    let of_point = look.seen.iter().filter(|seen| seen.cell / arms == point);
    let series = of_point.map(|seen| {
        let cell = &campaign.cells[seen.cell];
        let width = cell.measure.window;
        let mut series =
            Series { label: cell.arm_label.clone(), colour: seen.cell % arms, ..Series::default() };
        // Afterwards the system merely runs empty.
        let arriving = (cell.measure.arrivals_end.0 / width.0) as usize;
        for window in 0..windows(seen).min(arriving) {
            let middle = Time(window as u64 * width.0 + width.0 / 2).seconds();
            series.x.push(middle);
            series.middle.push(of(cell, seen, window).unwrap_or(f64::NAN));
        }
        series
    });
    Panel { series: series.collect() }
}

/// The first of these, those with the greatest weight first.
fn first<K: Ord + Copy>(weights: BTreeMap<K, f64>, most: usize) -> Vec<K> {
    let mut list: Vec<(K, f64)> = weights.into_iter().filter(|(_, it)| *it > 0.0).collect();
    list.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
    list.into_iter().take(most).map(|(key, _)| key).collect()
}

fn queues(campaign: &Campaign, look: &CloserLook) -> Vec<(NodeId, String)> {
    let mut weights: BTreeMap<NodeId, f64> = BTreeMap::new();
    for (node, backlog) in look.seen.iter().flat_map(|seen| &seen.timeline.backlogs) {
        let most = backlog.waiting.iter().max().copied().unwrap_or_default() as f64;
        let own = weights.entry(*node).or_default();
        *own = own.max(most);
    }
    let program = &campaign.cells[0].program;
    let named = |node: NodeId| (node, program.node(node).name.clone());
    first(weights, QUEUES_MAX).into_iter().map(named).collect()
}

fn fullest(campaign: &Campaign, look: &CloserLook) -> Vec<(usize, String)> {
    let mut weights: BTreeMap<usize, f64> = BTreeMap::new();
    for seen in &look.seen {
        let cell = &campaign.cells[seen.cell];
        for (node, series) in seen.nodes.iter().enumerate() {
            let Some(all) = workers(cell, node) else { continue };
            let share = series.working.iter().copied().fold(0.0, f64::max) / all;
            let own = weights.entry(node).or_default();
            *own = own.max(share);
        }
    }
    weights.retain(|_, share| *share >= FULL);
    let program = &campaign.cells[0].program;
    let named = |node: usize| (node, program.nodes[node].name.clone());
    first(weights, NODES_MAX).into_iter().map(named).collect()
}

fn operations(campaign: &Campaign, look: &CloserLook) -> Vec<(OperationId, String)> {
    let mut weights: BTreeMap<OperationId, f64> = BTreeMap::new();
    for (operation, series) in look.seen.iter().flat_map(|seen| &seen.operations) {
        *weights.entry(*operation).or_default() += series.asked.iter().sum::<u64>() as f64;
    }
    let program = &campaign.cells[0].program;
    let named = |it: OperationId| (it, program.operation(it).name.clone());
    first(weights, OPERATIONS_MAX).into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_come_first_and_what_is_nothing_is_left_out() {
        let weights = BTreeMap::from([(1, 0.5), (2, 2.0), (3, 0.0), (4, 2.0)]);
        assert_eq!(first(weights.clone(), 2), [2, 4]);
        assert_eq!(first(weights, 9), [2, 4, 1]);
    }
}
