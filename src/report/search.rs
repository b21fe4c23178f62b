//! What a search has found: `search.csv`, its `summary.json`, and the table people read.

pub mod boundary;
pub mod limit;

use serde_json::{Value, json};

use super::arms::{self, column, plain};
use super::columns::{self, Column};
use super::format::{FORMAT, pretty};
use super::number::{self, Unit};
use super::table::{Align, Cell, Row, Table, Tone};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::search::Search;
use crate::experiment::search::amount::Amount;
use crate::experiment::search::found::{Found, Trend, Tried};
use crate::experiment::search::limit::found::Limited;
use crate::experiment::search::searching::Searching;
use crate::experiment::search::track::{Boundary, Reached};
use crate::statistics::CONFIDENCE;

/// The search of a campaign and what it has found.
pub struct Report<'a> {
    pub campaign: &'a Campaign,
    /// What it declares.
    pub search: &'a Search,
    /// How sure decisions were, and which values there are.
    pub searching: &'a Searching,
    /// What was found, by point and arm.
    pub found: &'a [Found],
    /// What is known of each beside its limit, where it is one; empty otherwise.
    pub limited: &'a [Limited],
}

impl Report<'_> {
    /// What was found, in sentences.
    pub fn answer(&self) -> Vec<String> {
        match self.limited {
            [] => boundary::sentences(self),
            limited => limit::sentences(self, limited),
        }
    }

    /// The tables that people read, that of a limit first.
    pub fn tables(&self) -> Vec<Table> {
        let of_limit = (!self.limited.is_empty()).then(|| limit::table(self, self.limited));
        of_limit.into_iter().chain([table(self)]).collect()
    }
}

/// `search.csv`: a row for each arm, point and value that was tried.
pub fn csv(report: &Report<'_>) -> String {
    let rows: Vec<(&Found, &Tried)> = report
        .found
        .iter()
        .flat_map(|found| found.tried.iter().map(move |tried| (found, tried)))
        .collect();
    let cell = |found: &Found| &report.campaign.cells[found.cell];
    let value = |tried: &Tried| report.searching.rule.grid.values[tried.place].to_string();
    let of_share = |of: fn(&Tried) -> Option<f64>| rows.iter().map(move |(_, tried)| of(tried));
    columns::csv(&[
        Column::text("arm", rows.iter().map(|(found, _)| cell(found).arm.clone())),
        Column::text("point", rows.iter().map(|(found, _)| found.point.clone())),
        Column::text("value", rows.iter().map(|(_, tried)| value(tried))),
        Column::number("number", rows.iter().map(|(_, tried)| Some(tried.number))),
        Column::count("seeds", rows.iter().map(|(_, tried)| tried.seeds)),
        Column::count("count", rows.iter().map(|(_, tried)| tried.count)),
        Column::count("of", rows.iter().map(|(_, tried)| tried.of)),
        Column::number("share", of_share(|tried| Some(tried.share?.mean))),
        Column::number("low", of_share(|tried| Some(tried.share?.interval.low))),
        Column::number("high", of_share(|tried| Some(tried.share?.interval.high))),
        Column::number("fitted", of_share(|tried| tried.fitted)),
    ])
}

/// `summary.json` of a search.
pub fn summary_json(report: &Report<'_>) -> String {
    let Report { campaign, search, searching, found, .. } = report;
    let text = &search.text;
    pretty(&json!({
        "format": FORMAT,
        "experiment": campaign.experiment.name,
        "question": campaign.experiment.question,
        "confidence": CONFIDENCE,
        "search": {
            "vary": text.vary,
            "from": text.from.to_string(),
            "until": text.until.to_string(),
            "outcome": text.outcome,
            "values": searching.rule.grid.len(),
            "seeds": searching.rule.seeds,
            "first_seed": campaign.seeds[0].to_string(),
            "decided_at": searching.rule.confidence(),
        },
        "answer": report.answer(),
        "boundaries": found.iter().map(|found| boundary_json(report, found)).collect::<Vec<_>>(),
    }))
}

fn boundary_json(report: &Report<'_>, found: &Found) -> Value {
    let cell = &report.campaign.cells[found.cell];
    let turned =
        |tried: Tried| json!({ "number": tried.number, "count": tried.count, "of": tried.of });
    let levels = found.boundaries.iter().map(|boundary| {
        json!({
            "name": name(boundary.level),
            "level": boundary.level,
            "reached": reached(boundary.reached),
            "at": boundary.at,
            "low": boundary.low,
            "high": boundary.high,
        })
    });
    json!({
        "arm": cell.arm,
        "arm_label": cell.arm_label,
        "point": found.point,
        "point_label": found.point_label,
        "runs": found.runs(),
        "direction": found.trend().map(Trend::name),
        "turns": found.turn.map(|turn| json!({
            "from": turned(turn.from),
            "to": turned(turn.to),
        })),
        "levels": levels.collect::<Vec<_>>(),
        "mean_field": cell.mean_field.map(|mean_field| {
            let folds = mean_field.folds();
            json!({
                "saturation": mean_field.saturation(),
                "lower_fold": folds.map(|folds| folds.lower),
                "upper_fold": folds.map(|folds| folds.upper),
            })
        }),
    })
}

/// What a level is called: `D50`.
pub fn name(level: f64) -> String {
    let percent = number::number(level, Unit::Percent);
    let digits = percent.trim_end_matches('%');
    let zero = if level < 0.1 { "0" } else { "" };
    format!("D{zero}{digits}")
}

fn reached(reached: Reached) -> &'static str {
    match reached {
        Reached::Never => "never",
        Reached::Already => "already",
        Reached::Between => "between",
        Reached::Unclear => "unclear",
    }
}

/// How the numbers of a search are written.
pub fn unit(search: &Search) -> Unit {
    match search.text.from {
        Amount::Time(_) => Unit::Seconds,
        Amount::Share(_) => Unit::Percent,
        Amount::Rate(_) => Unit::PerSecond,
        Amount::Whole(_) | Amount::Number(_) => Unit::Plain,
    }
}

/// The boundaries of every arm at every point.
pub fn table(report: &Report<'_>) -> Table {
    let arms = report.campaign.experiment.arms.len();
    let mut columns = vec![column(if arms > 1 { "arm" } else { "point" }, Align::Left, 0)];
    let levels = report.searching.rule.levels.iter();
    columns.extend(levels.map(|level| column(&name(*level), Align::Right, 0)));
    columns.push(column("share", Align::Left, 1));
    columns.push(column("runs", Align::Right, 2));
    let mut rows = Vec::new();
    for (index, found) in report.found.iter().enumerate() {
        if arms > 1 && index % arms == 0 && !found.point_label.is_empty() {
            rows.push(Row::Group(found.point_label.clone()));
        }
        let label = match arms > 1 || found.point_label.is_empty() {
            true => report.campaign.cells[found.cell].arm_label.clone(),
            false => found.point_label.clone(),
        };
        let mut cells = vec![plain(label)];
        cells
            .extend(found.boundaries.iter().map(|boundary| boundary_cell(report, found, boundary)));
        cells.push(match found.turn {
            Some(_) => Cell { text: "turns".to_owned(), tone: Tone::Warning },
            None => plain(found.trend().map_or("unclear", Trend::name).to_owned()),
        });
        cells.push(plain(number::count(found.runs())));
        rows.push(Row::Cells(cells));
    }
    Table { columns, rows }
}

fn boundary_cell(report: &Report<'_>, found: &Found, boundary: &Boundary) -> Cell {
    let tone = match boundary.reached {
        Reached::Never => Tone::Good,
        Reached::Already => Tone::Bad,
        Reached::Between | Reached::Unclear => Tone::Plain,
    };
    Cell { text: boundary_text(report, found, boundary), tone }
}

/// The value of a boundary with its interval, or how far it is out of the range.
pub(super) fn boundary_text(report: &Report<'_>, found: &Found, boundary: &Boundary) -> String {
    let unit = unit(report.search);
    let values = &report.searching.rule.grid.values;
    let written = |number: f64| number::number(number, unit);
    let (first, last) = (values[0].number(), values[found.part.last].number());
    match (boundary.reached, found.rises()) {
        (Reached::Never, true) => return format!("never up to {}", written(last)),
        (Reached::Never, false) => return format!("never down to {}", written(first)),
        (Reached::Already, true) => return format!("already at {}", written(first)),
        (Reached::Already, false) => return format!("already at {}", written(last)),
        (Reached::Unclear, _) => return "unclear".to_owned(),
        (Reached::Between, _) => {}
    }
    match (boundary.at, boundary.low, boundary.high) {
        (Some(at), Some(low), Some(high)) => number::interval(at, low, high, unit),
        (_, Some(low), _) => format!("more than {}", written(low)),
        (_, None, Some(high)) => format!("less than {}", written(high)),
        (_, None, None) => "unclear".to_owned(),
    }
}

/// The arm and the point of what was found.
pub(super) fn named(report: &Report<'_>, found: &Found) -> String {
    let arm = &report.campaign.cells[found.cell].arm_label;
    arms::arm_and_point(report.campaign, arm, &found.point_label)
}

/// What a table cannot say: where the share does not go one way, and which runs say nothing.
pub fn remarks(report: &Report<'_>) -> String {
    let unit = unit(report.search);
    let mut text = String::new();
    for found in report.found {
        let named = named(report, found);
        if let Some(turn) = found.turn {
            let shown = |tried: Tried| {
                let share = tried.share.map_or(f64::NAN, |share| share.mean);
                let at = number::number(tried.number, unit);
                format!("{} at {at}", number::number(share, Unit::Percent))
            };
            text.push_str(&format!(
                "{named}: the share turns, {} but {}: boundaries are those of its first rise\n",
                shown(turn.from),
                shown(turn.to),
            ));
        }
        let untold: u64 = found.tried.iter().map(|tried| tried.seeds - tried.of).sum();
        if untold > 0 {
            text.push_str(&format!(
                "{named}: {} of {} runs say nothing: {}\n",
                number::count(untold),
                number::count(found.runs()),
                match report.search.text.outcome.as_str() {
                    "metastable" => "not healthy without the fault, or ended by a limit",
                    name if name.ends_with("_violated") => {
                        "nothing that could have broken it was judged"
                    }
                    _ => "ended by a limit, or too short to say",
                },
            ));
        }
    }
    text
}
