//! Rank and Pareto front: a table, a picture, and their part of `summary.json`.

use serde_json::{Value, json};

use super::{called, lost_json, lost_texts, mean_text, written};
use crate::experiment::compare::measured::Measured;
use crate::experiment::compare::{Comparison, Lost, Placed};
use crate::experiment::plan::campaign::Campaign;
use crate::report::arms::{column, mode_names, plain};
use crate::report::chart::{Axis, Caption, Estimate, Point, Scatter};
use crate::report::table::{Align, Cell, Row, Table, Tone};
use crate::statistics::verdict::Direction;

/// The place of every arm in `summary.json`; `null` if no front is declared.
pub(in crate::report) fn json(campaign: &Campaign, front: &[Placed]) -> Value {
    if front.is_empty() {
        return Value::Null;
    }
    let metrics = campaign.declared.pareto.iter().map(|measured| measured.name.as_str());
    let arms = front.iter().map(|placed| {
        let cell = &campaign.cells[placed.cell];
        json!({
            "point": cell.point,
            "arm": cell.arm,
            "means": placed.means,
            "ranks": placed.ranks,
            "lost": lost_json(&placed.lost),
            "dominated_by": placed.dominated_by.map(|other| &campaign.cells[other].arm),
        })
    });
    json!({ "order": metrics.collect::<Vec<_>>(), "places": arms.collect::<Vec<_>>() })
}

/// Every arm with its means and ranks, and whether it is on the front; `None` if none is declared.
pub fn table(campaign: &Campaign, comparison: &Comparison) -> Option<Table> {
    let metrics = &campaign.declared.pareto;
    if comparison.front.is_empty() {
        return None;
    }
    let mut columns = vec![column("arm", Align::Left, 0)];
    for measured in metrics {
        columns.push(column(&called(measured).0, Align::Right, 0));
        columns.push(column("rank", Align::Right, 1));
    }
    columns.push(column("front", Align::Left, 0));
    let arms = campaign.experiment.arms.len();
    let mut rows = Vec::new();
    for (index, placed) in comparison.front.iter().enumerate() {
        let cell = &campaign.cells[placed.cell];
        if index % arms == 0 && !cell.point_label.is_empty() {
            rows.push(Row::Group(cell.point_label.clone()));
        }
        let mut cells = vec![plain(cell.arm_label.clone())];
        for (measured, (mean, rank)) in metrics.iter().zip(placed.means.iter().zip(&placed.ranks)) {
            cells.push(plain(mean_text(&measured.name, *mean)));
            cells.push(plain(rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string())));
        }
        cells.push(match placed.dominated_by {
            None => Cell { text: "on the front".to_owned(), tone: Tone::Good },
            Some(other) => Cell {
                text: format!("beaten by {}", campaign.cells[other].arm_label),
                tone: Tone::Faint,
            },
        });
        rows.push(Row::Cells(cells));
        rows.extend(apart(metrics, placed));
        rows.extend(lost(metrics, placed));
    }
    Some(Table { columns, rows })
}

/// Rows of the runs that collapsed and of those that did not: a mean of both describes neither.
fn apart(metrics: &[Measured], placed: &Placed) -> Vec<Row> {
    let Some(counts) = placed.modes.iter().flatten().next() else { return Vec::new() };
    let row = |(which, name): (usize, String)| {
        let mut cells = vec![plain(format!("· {name}"))];
        for (measured, modes) in metrics.iter().zip(&placed.modes) {
            let means = modes.as_ref().map(|modes| [modes.if_collapsed, modes.if_not]);
            let text = means.map(|means| mean_text(&measured.name, means[which]));
            cells.push(plain(text.unwrap_or_default()));
            cells.push(plain(String::new()));
        }
        cells.push(plain(String::new()));
        Row::Cells(cells)
    };
    mode_names(counts.collapsed, counts.others).into_iter().enumerate().map(row).collect()
}

/// Rows of what an arm lost more of than one than which it looks better.
fn lost(metrics: &[Measured], placed: &Placed) -> Vec<Row> {
    let row = |lost: &Lost| {
        let [name, mean, least] = lost_texts(lost);
        let first = [format!("‥ {name}"), mean, String::new(), format!("least {least}")];
        let rest = std::iter::repeat_n(String::new(), 2 * metrics.len() - 2);
        Row::Cells(first.into_iter().chain(rest).map(plain).collect())
    };
    placed.lost.iter().map(row).collect()
}

/// The points of an arm, each with its name and its first two means: one, or one for each kind of
/// runs where some collapsed and others did not.
fn drawn(placed: &Placed, name: String) -> Vec<(String, [Option<f64>; 2])> {
    let both = [0, 1].map(|metric| placed.modes[metric].as_ref());
    let Some(counts) = both.iter().flatten().next() else {
        return vec![(name, [0, 1].map(|metric| placed.means[metric]))];
    };
    let of = |which: usize| {
        [0, 1].map(|metric| match both[metric] {
            Some(modes) => [modes.if_collapsed, modes.if_not][which],
            None => placed.means[metric],
        })
    };
    let names = mode_names(counts.collapsed, counts.others).map(|mode| format!("{name}: {mode}"));
    names.into_iter().zip([of(0), of(1)]).collect()
}

/// The first two metrics of the front against each other.
pub(in crate::report) fn figure(campaign: &Campaign, front: &[Placed], width: f64) -> Scatter {
    let metrics = &campaign.declared.pareto;
    let arms = campaign.experiment.arms.len();
    let alone = |mean: f64| Estimate { value: mean, low: mean, high: mean };
    let points = front.iter().flat_map(|placed| {
        let cell = &campaign.cells[placed.cell];
        let point = if cell.point_label.is_empty() { "" } else { ", " };
        let name = format!("{}{point}{}", cell.arm_label, cell.point_label);
        let drawn = drawn(placed, name).into_iter();
        drawn.filter_map(move |(label, means)| {
            let mean = |metric: usize| Some(means[metric]? * written(&metrics[metric].name).2);
            Some(Point {
                x: alone(mean(0)?),
                y: alone(mean(1)?),
                label,
                colour: placed.cell % arms,
                marker: usize::from(placed.dominated_by.is_some()),
                group: None,
            })
        })
    });
    let axis = |metric: usize| {
        let (name, unit, _) = called(&metrics[metric]);
        let better = match metrics[metric].better {
            Direction::Higher => "more is better",
            Direction::Lower => "less is better",
        };
        Axis { label: format!("{name} ({better})"), unit, log: false }
    };
    let on_front = front.iter().filter(|placed| placed.dominated_by.is_none()).count();
    Scatter {
        caption: Caption {
            title: format!("{}: which arms no other beats", campaign.experiment.title),
            subtitle: format!("{on_front} of {} are on the front.", front.len()),
            note: "Means over seeds. An arm is beaten by one at the same point that is as good by \
                   every metric, and by one of them clearly: a 95% interval beyond 0. None is \
                   beaten by one that lost more of what makes a metric look better."
                .to_owned(),
        },
        width,
        x: axis(0),
        y: axis(1),
        markers: ["on the front", "beaten"].map(str::to_owned).to_vec(),
        points: points.collect(),
        ..Scatter::default()
    }
}
