//! Rank and Pareto front: a table, a picture, and their part of `summary.json`.

use serde_json::{Value, json};

use super::arms::{column, plain};
use super::chart::{Axis, Caption, Estimate, Point, Scatter};
use super::comparison::written;
use super::number;
use super::table::{Align, Cell, Row, Table, Tone};
use crate::experiment::campaign::Campaign;
use crate::experiment::comparison::{Comparison, Measured, Placed};
use crate::experiment::statistics::verdict::Direction;

/// The place of every arm in `summary.json`; `null` if no front is declared.
pub(super) fn json(campaign: &Campaign, front: &[Placed]) -> Value {
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
            "dominated_by": placed.dominated_by.map(|other| &campaign.cells[other].arm),
        })
    });
    json!({ "order": metrics.collect::<Vec<_>>(), "places": arms.collect::<Vec<_>>() })
}

/// Every arm with its means and ranks, and whether it is on the front; `None` if none is declared.
#[must_use]
pub fn table(campaign: &Campaign, comparison: &Comparison) -> Option<Table> {
    let metrics = &campaign.declared.pareto;
    if comparison.front.is_empty() {
        return None;
    }
    let mut columns = vec![column("arm", Align::Left, 0)];
    for measured in metrics {
        columns.push(column(&written(&measured.name).0, Align::Right, 0));
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
            cells.push(plain(mean.map_or_else(|| "–".to_owned(), |mean| shown(measured, mean))));
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
    }
    Some(Table { columns, rows })
}

fn shown(measured: &Measured, mean: f64) -> String {
    let (_, unit, scale) = written(&measured.name);
    number::number(mean * scale, unit)
}

/// The first two metrics of the front against each other.
pub(super) fn figure(campaign: &Campaign, front: &[Placed], width: f64) -> Scatter {
    let metrics = &campaign.declared.pareto;
    let arms = campaign.experiment.arms.len();
    let alone = |mean: f64| Estimate { value: mean, low: mean, high: mean };
    let points = front.iter().filter_map(|placed| {
        let cell = &campaign.cells[placed.cell];
        let mean = |metric: usize| Some(placed.means[metric]? * written(&metrics[metric].name).2);
        let point = if cell.point_label.is_empty() { "" } else { ", " };
        Some(Point {
            x: alone(mean(0)?),
            y: alone(mean(1)?),
            label: format!("{}{point}{}", cell.arm_label, cell.point_label),
            colour: placed.cell % arms,
            marker: usize::from(placed.dominated_by.is_some()),
            group: None,
        })
    });
    let axis = |metric: usize| {
        let (name, unit, _) = written(&metrics[metric].name);
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
                   every metric, and by one of them clearly: a 95% interval beyond 0."
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
