//! What runs cost: a table and a picture of the parts, what the prices are, and which of them are
//! assumptions.

use serde_json::{Value, json};

use super::arms::{arm_and_point, column, estimate, metric, plain, shown};
use super::chart::{Caption, Estimate, Stack, StackRow};
use super::number::Unit;
use super::table::{Align, Row, Table};
use crate::experiment::measure::metrics::Of;
use crate::experiment::measure::summary::CellSummary;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::price::{Price, Prices};
use crate::metric::MetricId;

/// What each arm costs in all and by its parts; `None` without `[price]`.
pub fn table(campaign: &Campaign, summaries: &[CellSummary]) -> Option<Table> {
    let prices = campaign.cells[0].prices.as_ref()?;
    let places: Vec<usize> = std::iter::once(Of::Measured)
        .chain((0..prices.list.len()).map(Of::Price))
        .filter_map(|of| campaign.metrics().place(of, MetricId::Cost))
        .collect();
    let mut columns = vec![column("arm", Align::Left, 0)];
    columns.push(column(&format!("a run costs, {}", prices.currency), Align::Right, 0));
    columns.extend(prices.list.iter().map(|price| {
        let assumed = if price.is_assumed { " (assumed)" } else { "" };
        column(&format!("{}{assumed}", price.label), Align::Right, 1)
    }));
    let arms = campaign.experiment.arms.len();
    let mut rows = Vec::new();
    for (index, (cell, summary)) in campaign.cells.iter().zip(summaries).enumerate() {
        if index % arms == 0 && !cell.point_label.is_empty() {
            rows.push(Row::Group(cell.point_label.clone()));
        }
        let value = |&place: &usize| estimate(&summary.metrics, place, 1.0, Unit::Plain);
        let name = std::iter::once(plain(cell.arm_label.clone()));
        rows.push(Row::Cells(name.chain(places.iter().map(value)).collect()));
    }
    Some(Table { columns, rows })
}

/// The parts of what each arm costs as stacked bars; `None` without `[price]`, and where a part
/// cannot be told.
pub fn figure(campaign: &Campaign, summaries: &[CellSummary]) -> Option<String> {
    let prices = campaign.cells[0].prices.as_ref()?;
    let place = |of: Of| campaign.metrics().place(of, MetricId::Cost);
    let row = |(cell, summary): (&Cell, &CellSummary)| {
        let mean = |of: Of| metric(&summary.metrics, place(of)?);
        let whole = mean(Of::Measured)?;
        let parts = (0..prices.list.len()).map(|price| Some(mean(Of::Price(price))?.mean));
        Some(StackRow {
            label: arm_and_point(campaign, &cell.arm_label, &cell.point_label),
            parts: parts.collect::<Option<Vec<f64>>>()?,
            whole: whole.interval.map(|it| Estimate {
                value: whole.mean,
                low: it.low,
                high: it.high,
            }),
            text: shown(whole, 1.0, Unit::Plain),
        })
    };
    let rows = campaign.cells.iter().zip(summaries).map(row).collect::<Option<Vec<StackRow>>>()?;
    let assumed = |price: &Price| if price.is_assumed { " (assumed)" } else { "" };
    let stack = Stack {
        caption: Caption {
            title: format!("{}: what it costs", campaign.experiment.title),
            subtitle: format!(
                "{} of a run of {}, in parts.",
                prices.currency, campaign.experiment.arrivals
            ),
            note: "Means over runs; whiskers are 95% intervals of the whole.".to_owned(),
        },
        width: 960.0,
        axis: format!("{} a run", prices.currency),
        unit: Unit::Plain,
        parts: prices.list.iter().map(|it| format!("{}{}", it.label, assumed(it))).collect(),
        rows,
        references: Vec::new(),
    };
    Some(stack.svg())
}

/// What the prices are, which of them are assumptions, and whether anything that is lost has one;
/// empty without `[price]`.
pub fn notes(campaign: &Campaign) -> String {
    let Some(prices) = &campaign.cells[0].prices else { return String::new() };
    let arrivals = campaign.experiment.arrivals;
    let mut text = format!("prices in {}, of a run of {arrivals}:\n", prices.currency);
    for (place, price) in prices.list.iter().enumerate() {
        let mut texts: Vec<String> = Vec::new();
        for cell in &campaign.cells {
            let own = cell.prices.as_ref().and_then(|prices| prices.list.get(place));
            texts.extend(own.map(Price::text).filter(|text| !texts.contains(text)));
        }
        let assumed = if price.is_assumed { " (assumed)" } else { "" };
        text.push_str(&format!("  {}{assumed}: {}\n", price.label, texts.join("; ")));
    }
    text.push_str(&assumed_text(prices));
    if prices.list.iter().all(|price| !price.counted.is_loss(&price.what)) {
        text.push_str(
            "warning: nothing that is lost has a price: who does less is cheaper\n         \
             (violations of a promise, `failed`, `unanswered`, `NAME.bad`)\n",
        );
    }
    text
}

/// Which prices are assumptions; empty if none is.
pub fn assumed_text(prices: &Prices) -> String {
    match prices.assumed().as_slice() {
        [] => String::new(),
        some if some.len() == prices.list.len() => {
            "all prices are assumptions: costs are no better than they are\n".to_owned()
        }
        some => format!("assumptions, and no better than that: {}\n", some.join(", ")),
    }
}

/// The prices of a cell in `summary.json`; `None` without `[price]`.
pub(super) fn json(cell: &Cell) -> Option<Value> {
    let prices = cell.prices.as_ref()?;
    let list = prices.list.iter().map(|price| {
        json!({
            "name": price.name,
            "label": price.label,
            "what": price.what,
            "amount": price.amount.to_string(),
            "per": price.per,
            "assumed": price.is_assumed,
        })
    });
    Some(json!({ "currency": prices.currency, "for": list.collect::<Vec<_>>() }))
}
