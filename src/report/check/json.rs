//! The report as JSON.

use serde_json::{Value, json};

use super::{Report, promise_of};
use crate::experiment::check::{Finding, Promise};
use crate::invariant::CATALOGUE;

/// The version of this format.
const FORMAT: u32 = 1;

/// The whole report.
#[must_use]
pub fn json(report: &Report<'_>) -> String {
    let checked = report.checked;
    let cells = &report.campaign.cells;
    let unknown = checked.unknown.iter().map(|(cell, seed, ending)| {
        let cell = &cells[*cell];
        json!({ "arm": cell.arm, "point": cell.point, "seed": seed, "ending": ending.name() })
    });
    let never = if checked.is_stopped { Vec::new() } else { report.never() };
    let value = json!({
        "format": FORMAT,
        "experiment": report.campaign.experiment.name,
        "verdict": checked.verdict().name(),
        "first_seed": report.campaign.seeds[0],
        "seeds": checked.seeds,
        "runs": checked.seeds * cells.len() as u64,
        "stopped": checked.is_stopped,
        "violations": checked.findings.iter().map(|found| finding(report, found)).collect::<Vec<_>>(),
        "unknown": unknown.collect::<Vec<_>>(),
        "never_happened": never,
    });
    let mut text = format!("{value:#}");
    text.push('\n');
    text
}

fn finding(report: &Report<'_>, finding: &Finding) -> Value {
    let cell = report.cell(finding);
    let (kind, promise) = match finding.promise {
        Promise::Invariant(place) => ("invariant", promise_of(CATALOGUE[place].name)),
        Promise::Expectation(place) => ("expectation", report.expectation(finding, place)),
    };
    json!({
        "kind": kind,
        "name": report.name(finding),
        "promise": promise,
        "arm": cell.arm,
        "point": cell.point,
        "seed": finding.seed,
        "seeds": finding.seeds,
        "count": finding.violations,
        "at_ns": finding.violation.map(|first| first.at.0),
        "order": finding.violation.and_then(|first| first.order),
        "value": finding.value,
        "again": report.again(finding),
        "smaller": report.smaller(finding),
    })
}
