//! A search, again: what was tried, the curve through it and the boundaries, from `runs.csv`.

use std::collections::BTreeMap;

use serde_json::Value;
use stormglass::experiment::run::result::RunResult;
use stormglass::experiment::search::searching::Searching;
use stormglass::report::search::{Report, csv, summary_json, table};
use stormglass::report::{files, phase};

use super::statistics::{near, number, wilson, wilson_at, z_of};
use super::tables::{cells_of, says};
use super::{Row, SERVER, rows, value};
use crate::common;

const VARIED: &str = "faults.0.for";

/// R2 with a short horizon. At 9.5/s some runs are not healthy without the outage either, and say
/// nothing.
const EXPERIMENT: &str = r#"
name = "search"
model = "inline"
arrivals = "80s"
[[faults]]
kind = "pause"
target = "server"
at = "20s"
for = "1s"
[metastability]
window = "5s"
level = "80%"
for = "10s"
horizon = "30s"
[search]
vary = "faults.0.for"
from = "1s"
until = "16s"
steps = 16
sweep = 5
seeds = 20
[search.mean_field]
rate = "rate of service.server.on.serve.steps.0.work"
line = "service.server.queue.limit"
timeout = "policy.user.timeout"
attempts = "policy.user.retry.attempts"
[factors.load.3]
set = { "clients.users.arrivals" = { poisson = "3/s" } }
[factors.load.6]
set = { "clients.users.arrivals" = { poisson = "6/s" } }
[factors.load."9.5"]
set = { "clients.users.arrivals" = { poisson = "9.5/s" } }
"#;

/// What a search writes.
pub(super) struct Written {
    runs: Vec<Row>,
    tried: Vec<Row>,
    pub(super) summary: Value,
    table: String,
    pub(super) figure: String,
}

impl Written {
    fn new() -> Written {
        let campaign = common::campaign(EXPERIMENT, SERVER);
        let mut searching = Searching::new(&campaign).expect("it has [search]");
        let mut results: Vec<RunResult> = Vec::new();
        loop {
            let numbers = searching.next(&campaign);
            if numbers.is_empty() {
                break;
            }
            let new: Vec<RunResult> = numbers.iter().map(|run| campaign.run(*run)).collect();
            searching.take(&new);
            results.extend(new);
        }
        let found = searching.found(&campaign);
        let search = campaign.experiment.search.as_ref().unwrap();
        let (searching, found) = (&searching, &found);
        let report = Report { campaign: &campaign, search, searching, found, limited: &[] };
        Written {
            runs: rows(&files::runs_csv(&campaign, &results)),
            tried: rows(&csv(&report)),
            summary: serde_json::from_str(&summary_json(&report)).unwrap(),
            table: table(&report).markdown(),
            figure: phase::figure(&report).svg(),
        }
    }

    /// The rows of one arm and point, by value.
    pub(super) fn tried(&self, found: &Value) -> Vec<&Row> {
        self.tried
            .iter()
            .filter(|row| found["arm"] == row["arm"] && found["point"] == row["point"])
            .collect()
    }
}

#[test]
fn every_number_of_a_search_can_be_computed_again() {
    let written = Written::new();
    for row in &written.tried {
        counts(&written, row);
    }
    let all: f64 = written.tried.iter().map(|row| number(&row["seeds"]).unwrap()).sum();
    assert_eq!(all, written.runs.len() as f64);
    let untold = |row: &&Row| row["of"] != row["seeds"];
    assert!(written.tried.iter().any(|row| untold(&row)), "at 9.5/s some runs say nothing");
    let found = written.summary["boundaries"].as_array().unwrap();
    assert_eq!(found.len(), 3);
    let decided_at = written.summary["search"]["decided_at"].as_f64().unwrap();
    near(decided_at, 1.0 - 0.05 / 4.0, "four looks at each value");
    for found in found {
        boundaries(&written.tried(found), found, z_of(decided_at));
    }
    in_the_table(&written.table, found);
    super::phase::check(&written);
}

/// A row of `search.csv` counts the runs at its value.
fn counts(written: &Written, row: &Row) {
    let point = format!("{} {VARIED}={}", row["point"], row["value"]);
    let here = written.runs.iter().filter(|run| run["arm"] == row["arm"] && run["point"] == point);
    let here: Vec<&Row> = here.collect();
    // A run that is not healthy without the fault says nothing about it.
    let told = here.iter().filter(|run| run["label"] != "overload");
    let outcomes: Vec<f64> = told.filter_map(|run| value(run, "metastable")).collect();
    let (count, of) = (outcomes.iter().sum::<f64>(), outcomes.len() as f64);
    assert_eq!(number(&row["seeds"]), Some(here.len() as f64), "{row:?}");
    assert_eq!(number(&row["count"]), Some(count), "{row:?}");
    assert_eq!(number(&row["of"]), Some(of), "{row:?}");
    if of == 0.0 {
        return assert_eq!(row["share"], "");
    }
    let (low, high) = wilson(count, of);
    let columns = [("share", count / of), ("low", low.max(0.0)), ("high", high.min(1.0))];
    for (column, expected) in columns {
        let found = number(&row[column]).unwrap();
        assert!((found - expected).abs() < 1e-9, "{column}: {found}, expected {expected}");
    }
}

/// The curve and the boundaries of one arm and point.
fn boundaries(tried: &[&Row], found: &Value, z: f64) {
    assert!(found["turns"].is_null(), "{found}");
    let of = |column: &str| -> Vec<f64> {
        tried
            .iter()
            .filter(|row| row["of"] != "0")
            .map(|row| number(&row[column]).unwrap())
            .collect()
    };
    let [numbers, counts, ofs, fitted] = ["number", "count", "of", "fitted"].map(of);
    let is_flat = (1..counts.len()).all(|at| counts[at] * ofs[0] == counts[0] * ofs[at]);
    assert_eq!(found["direction"], if is_flat { "flat" } else { "rises" }, "{found}");
    let fit = rising(&counts, &ofs);
    for (found, expected) in fitted.iter().zip(&fit) {
        assert!((found - expected).abs() < 1e-9, "fitted: {found}, expected {expected}");
    }
    let intervals: Vec<(f64, f64)> =
        counts.iter().zip(&ofs).map(|(count, of)| wilson_at(z, *count, *of)).collect();
    for one in found["levels"].as_array().unwrap() {
        let level = one["level"].as_f64().unwrap();
        let above = intervals.iter().position(|(low, _)| *low > level);
        let before = &intervals[..above.unwrap_or(intervals.len())];
        let below = before.iter().rposition(|(_, high)| *high < level);
        let reached = match (below, above) {
            (Some(last), _) if last == numbers.len() - 1 => "never",
            (_, Some(0)) => "already",
            (None, None) if crossing(&numbers, &fit, level).is_none() => "unclear",
            _ => "between",
        };
        assert_eq!(one["reached"], reached, "{found}");
        let (low, high) = (below.map(|at| numbers[at]), above.map(|at| numbers[at]));
        assert_eq!((one["low"].as_f64(), one["high"].as_f64()), (low, high), "{found}");
        let crossing = crossing(&numbers, &fit, level);
        let at = crossing.map(|at| at.max(low.unwrap_or(at)).min(high.unwrap_or(at)));
        assert_eq!(one["at"].is_null(), at.is_none(), "{found}");
        if let Some(at) = at {
            near(one["at"].as_f64().unwrap(), at, "where the curve crosses");
        }
    }
}

/// Isotonic regression: at each place the largest of the least means of what begins before it and
/// ends after it.
fn rising(counts: &[f64], ofs: &[f64]) -> Vec<f64> {
    let mean = |from: usize, to: usize| {
        counts[from..=to].iter().sum::<f64>() / ofs[from..=to].iter().sum::<f64>()
    };
    let least = |from: usize, at: usize| {
        (at..counts.len()).map(|to| mean(from, to)).fold(f64::INFINITY, f64::min)
    };
    (0..counts.len()).map(|at| (0..=at).map(|from| least(from, at)).fold(0.0, f64::max)).collect()
}

/// Where the curve crosses a level, evenly along the ratios of values.
fn crossing(numbers: &[f64], fit: &[f64], level: f64) -> Option<f64> {
    let after = fit.iter().position(|share| *share >= level)?;
    let before = after.checked_sub(1)?;
    let part = (level - fit[before]) / (fit[after] - fit[before]);
    Some(numbers[before] * libm::pow(numbers[after] / numbers[before], part))
}

fn in_the_table(table: &str, found: &[Value]) {
    let rows: Vec<Vec<&str>> = table.lines().skip(2).map(cells_of).collect();
    assert_eq!(rows.len(), found.len());
    for (row, found) in rows.into_iter().zip(found) {
        assert_eq!(found["point_label"], row[0]);
        assert_eq!(found["runs"].as_f64(), number(&row[5].replace(',', "")));
        assert_eq!(found["direction"], row[4]);
        for (text, level) in row[1..4].iter().zip(found["levels"].as_array().unwrap()) {
            let of = |key: &str| level[key].as_f64();
            match (of("at"), of("low"), of("high")) {
                (Some(at), Some(low), Some(high)) => says(text, at, (low, high)),
                (_, Some(low), _) => {
                    says(text.strip_prefix("more than ").expect(text), low, (low, low));
                }
                (_, None, Some(high)) => {
                    says(text.strip_prefix("less than ").expect(text), high, (high, high));
                }
                _ => assert_eq!(*text, "unclear"),
            }
        }
    }
}

/// The boundaries of a column of the picture, as its text says them.
pub(super) fn said(text: &str, found: &Value) {
    let (_, all) = text.split_once(": ").expect(text);
    let levels = found["levels"].as_array().unwrap();
    let drawn: BTreeMap<&str, &Value> = levels
        .iter()
        .filter(|level| level["reached"] == "between" && !level["at"].is_null())
        .map(|level| (level["name"].as_str().unwrap(), level))
        .collect();
    let parts: Vec<&str> = all.split(", ").collect();
    assert_eq!(parts.len(), drawn.len(), "{text}");
    for part in parts {
        let (name, interval) = part.split_once(' ').unwrap();
        let of = |key: &str| drawn[name][key].as_f64();
        let (low, high) = (of("low").unwrap_or(f64::MIN), of("high").unwrap_or(f64::MAX));
        says(interval, of("at").unwrap(), (low, high));
    }
}
