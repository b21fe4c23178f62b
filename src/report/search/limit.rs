//! How much steady load a system can take: `limit.csv`, its table, and a sentence for each arm.

use super::{Report, boundary_text};
use crate::experiment::search::found::Found;
use crate::experiment::search::limit::busy::Busy;
use crate::experiment::search::limit::found::Limited;
use crate::experiment::search::track::Reached;
use crate::report::arms::{column, plain};
use crate::report::columns::{self, Column};
use crate::report::number::{self, Unit};
use crate::report::table::{Align, Cell as TableCell, Row, Table};

/// `limit.csv`: a row for each arm, point and loss.
pub fn csv(report: &Report<'_>, limited: &[Limited]) -> String {
    let rows: Vec<(&Found, &Limited)> = report.found.iter().zip(limited).collect();
    let cell = |found: &Found| &report.campaign.cells[found.cell];
    let of_limit = |of: fn(&Found) -> Option<f64>| rows.iter().map(move |(found, _)| of(found));
    let of_loss = |of: fn(&Limited) -> Option<f64>| rows.iter().map(move |(_, it)| of(it));
    let node = |of: fn(&Limited) -> Option<&Busy>| {
        let name = move |it: &Limited| of(it).map(|busy| busy.node.clone()).unwrap_or_default();
        rows.iter().map(move |(_, it)| name(it))
    };
    columns::csv(&[
        Column::text("arm", rows.iter().map(|(found, _)| cell(found).arm.clone())),
        Column::text("point", rows.iter().map(|(found, _)| found.point.clone())),
        Column::text("lost", rows.iter().map(|(_, it)| it.lost.clone().unwrap_or_default())),
        Column::number("limit_per_s", of_limit(|found| found.boundaries[0].at)),
        Column::number("low_per_s", of_limit(|found| found.boundaries[0].low)),
        Column::number("high_per_s", of_limit(|found| found.boundaries[0].high)),
        Column::number("looked_at_per_s", of_loss(|it| Some(it.looked_at))),
        Column::text("busiest", node(|it| it.measured.as_ref())),
        Column::number("busy", of_loss(|it| Some(it.measured.as_ref()?.share))),
        Column::text("computed_busiest", node(|it| it.computed.as_ref())),
        Column::number("computed_busy", of_loss(|it| Some(it.computed.as_ref()?.share))),
        Column::number("of_whole", of_loss(|it| Some(it.of_whole?.0))),
        Column::number("of_whole_low", of_loss(|it| Some(it.of_whole?.1?.low))),
        Column::number("of_whole_high", of_loss(|it| Some(it.of_whole?.1?.high))),
    ])
}

/// Up to which load each arm holds at each point, and what is full there.
pub fn table(report: &Report<'_>, limited: &[Limited]) -> Table {
    let columns = vec![
        column("arm", Align::Left, 0),
        column("holds up to", Align::Right, 0),
        column("full first", Align::Left, 0),
        column("measured", Align::Right, 0),
        column("computed", Align::Right, 1),
        column("of all", Align::Right, 0),
    ];
    let arms = report.campaign.experiment.arms.len();
    let mut rows = Vec::new();
    for (index, (found, it)) in report.found.iter().zip(limited).enumerate() {
        if index % arms == 0 && !found.point_label.is_empty() {
            rows.push(Row::Group(found.point_label.clone()));
        }
        let busy = |busy: &Option<Busy>| {
            let share = busy.as_ref().map(|busy| number::number(busy.share, Unit::Percent));
            plain(share.unwrap_or_else(|| "–".to_owned()))
        };
        rows.push(Row::Cells(vec![
            plain(report.campaign.cells[found.cell].arm_label.clone()),
            plain(limit_text(report, found)),
            plain(it.measured.as_ref().map_or("–".to_owned(), |busy| busy.node.clone())),
            busy(&it.measured),
            computed(it),
            plain(of_whole(it).unwrap_or_default()),
        ]));
    }
    Table { columns, rows }
}

/// What is computed of the busiest node, which is named if it is another one.
fn computed(it: &Limited) -> TableCell {
    let Some(busy) = &it.computed else { return plain("–".to_owned()) };
    let share = number::number(busy.share, Unit::Percent);
    match it.measured.as_ref().is_some_and(|measured| measured.node == busy.node) {
        true => plain(share),
        false => plain(format!("{share} {}", busy.node)),
    }
}

fn of_whole(it: &Limited) -> Option<String> {
    let (share, ends) = it.of_whole?;
    Some(match ends {
        Some(ends) => number::interval(share, ends.low, ends.high, Unit::Percent),
        None => number::number(share, Unit::Percent),
    })
}

/// The limit with its interval, or that it is beyond the range.
fn limit_text(report: &Report<'_>, found: &Found) -> String {
    let written = |rate: f64| number::number(rate, Unit::PerSecond);
    let values = &report.searching.rule.grid.values;
    let boundary = &found.boundaries[0];
    match boundary.reached {
        Reached::Never => format!("{} and more", written(values[found.part.last].number())),
        Reached::Already => format!("less than {}", written(values[0].number())),
        Reached::Between | Reached::Unclear => boundary_text(report, found, boundary),
    }
}

/// Up to which load each arm holds, what is full there first, and what each loss leaves.
pub fn sentences(report: &Report<'_>, limited: &[Limited]) -> Vec<String> {
    let both: Vec<(&Found, &Limited)> = report.found.iter().zip(limited).collect();
    let arms = report.campaign.experiment.arms.len();
    let wholes = both.iter().enumerate().filter(|(_, (_, it))| it.lost.is_none());
    let sentence = |(index, (found, it)): (usize, &(&Found, &Limited))| {
        let losses = both.iter().skip(index + arms).step_by(arms);
        let losses = losses.take_while(|(_, it)| it.lost.is_some());
        let mut text = format!("{}{}", whole_name(report, found), holds(report, found));
        if let Some(busy) = &it.measured {
            let share = number::number(busy.share, Unit::Percent);
            text.push_str(&format!("; `{}` is full first: {share} busy there", busy.node));
        }
        for (found, it) in losses {
            let lost = it.lost.as_deref().unwrap_or_default();
            let of_all = of_whole(it).map(|share| format!(", {share} of that"));
            let left = limit_text(report, found);
            text.push_str(&format!("; with {lost} {left}{}", of_all.unwrap_or_default()));
        }
        text + "."
    };
    wholes.map(sentence).collect()
}

fn holds(report: &Report<'_>, found: &Found) -> String {
    let objectives = report.search.objectives.join(" and ");
    let level = 1.0 - found.boundaries[0].level;
    let runs = match level {
        0.5 => String::new(),
        level => format!(" in {} of the runs", number::number(level, Unit::Percent)),
    };
    format!("{objectives} holds{runs} up to {}", limit_text(report, found))
}

/// The arm and the point, where there are several.
fn whole_name(report: &Report<'_>, found: &Found) -> String {
    let several = report.campaign.experiment.arms.len() > 1;
    let arm = several.then(|| report.campaign.cells[found.cell].arm_label.clone());
    let levels = found.point_label.split(", ").filter(|label| *label != "nothing lost");
    let names = arm.into_iter().chain(levels.map(str::to_owned)).filter(|name| !name.is_empty());
    let names: Vec<String> = names.collect();
    if names.is_empty() { String::new() } else { format!("{}: ", names.join(", ")) }
}
