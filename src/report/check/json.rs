//! The report as JSON.

use serde_json::{Value, json};

use super::Report;
use crate::experiment::judge::check::{Finding, Promise, Tested};
use crate::system::trace::TRACE;

/// The version of this format (`docs/check.md`).
const FORMAT: u32 = 2;

/// The whole report.
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
        "trace": TRACE,
        "stormglass": env!("CARGO_PKG_VERSION"),
        "experiment": report.campaign.experiment.name,
        "verdict": checked.verdict().name(),
        "first_seed": report.campaign.seeds[0],
        "seeds": checked.seeds,
        "runs": checked.seeds * cells.len() as u64,
        "digest": checked.digest.to_string(),
        "stopped": checked.is_stopped,
        "promises": checked.tested.iter().map(|one| tested(report, one)).collect::<Vec<_>>(),
        "violations": checked.findings.iter().map(|found| finding(report, found)).collect::<Vec<_>>(),
        "unknown": unknown.collect::<Vec<_>>(),
        "never_happened": never,
    });
    let mut text = format!("{value:#}");
    text.push('\n');
    text
}

fn tested(report: &Report<'_>, one: &Tested) -> Value {
    let cell = &report.campaign.cells[one.cell];
    let label = match one.promise {
        Promise::Invariant(place) => cell.invariants.get(place).map(|one| one.label.as_str()),
        Promise::Expectation(_) => None,
    };
    json!({
        "kind": kind(one.promise),
        "name": cell.promise(one.promise).0,
        "label": label,
        "arm": cell.arm,
        "point": cell.point,
        "standing": one.standing.name(),
        "exposure": one.exposure,
        "unjudged": one.unjudged,
        "violations": one.violations,
    })
}

fn kind(promise: Promise) -> &'static str {
    match promise {
        Promise::Invariant(_) => "invariant",
        Promise::Expectation(_) => "expectation",
    }
}

fn finding(report: &Report<'_>, finding: &Finding) -> Value {
    let cell = report.cell(finding);
    let name = report.name(finding);
    let promise = match finding.promise {
        Promise::Invariant(place) => report.promise(finding, place),
        Promise::Expectation(_) => name.clone(),
    };
    json!({
        "kind": kind(finding.promise),
        "name": name,
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
