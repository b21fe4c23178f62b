//! The files of a campaign: `runs.csv` and `runs.parquet`, `series.csv`, `faults.csv`,
//! `summary.json`, `manifest.json`.
//!
//! `docs/results.md` describes each; a change of a column is a change of [`super::format::FORMAT`].

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::columns::{self, Column};
use super::command::command_line;
use super::format::{FORMAT, pretty};
use super::{
    answer, attribution, blast_radius, comparison, escape, objectives, parquet, price, warm_up,
};
use crate::experiment::compare::Comparison;
use crate::experiment::compare::answer::Answer;
use crate::experiment::judge::metastability::{Label, MetastabilityRule};
use crate::experiment::judge::watch::{Unwatched, unwatched};
use crate::experiment::measure::count::COUNTS;
use crate::experiment::measure::metrics::{Metrics, Of};
use crate::experiment::measure::summary::{CellSummary, Drains, Share};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::{RunResult, digest_of_runs};
use crate::fault::strengths;
use crate::kernel::digest::{Digest, digest_of};
use crate::kernel::time::{Span, Time};
use crate::metric::{MilestoneWindow, Progress};
use crate::statistics::bounded::Averaged;
use crate::system::trace::TRACE;

/// Columns of `faults.csv`.
const FAULTS: [&str; 11] = [
    "arm", "point", "seed", "fault", "drawn", "kind", "target", "strength", "from_s", "until_s",
    "fired",
];

/// `runs.csv` and `runs.parquet`: a row for each arm, point and seed.
pub fn runs(campaign: &Campaign, results: &[RunResult]) -> Vec<Column> {
    let cell = |run: &RunResult| &campaign.cells[run.cell];
    let text =
        |name: &str, of: &dyn Fn(&RunResult) -> String| Column::text(name, results.iter().map(of));
    let count =
        |name: &str, of: &dyn Fn(&RunResult) -> u64| Column::count(name, results.iter().map(of));
    let mut columns = vec![
        text("arm", &|run| cell(run).arm.clone()),
        text("point", &|run| cell(run).point.clone()),
        count("seed", &|run| run.seed),
        text("digest", &|run| run.digest.to_string()),
        text("verdict", &|run| run.verdict().name().to_owned()),
        text("ending", &|run| run.ending.name().to_owned()),
    ];
    columns.extend(COUNTS.iter().map(|own| count(own.name, &own.value)));
    columns.extend([
        Column::flag("recovered", results.iter().map(|run| run.recovery.came_back())),
        text("label", &|run| run.label.map_or("", Label::name).to_owned()),
        Column::flag("collapsed", results.iter().map(RunResult::collapsed)),
        Column::number("drain_s", results.iter().map(|run| run.drain.map(Span::seconds))),
    ]);
    columns.extend(milestone_columns(campaign, results));
    columns.extend(objectives::columns(campaign, results));
    columns.extend(campaign.metrics().iter().enumerate().map(|(index, metric)| {
        Column::number(&*metric.name, results.iter().map(|run| run.values[index]))
    }));
    let names = campaign.cells[0].promises();
    let invariants = results.first().map_or(&[][..], |run| &run.invariants);
    for (index, verdict) in invariants.iter().enumerate() {
        let name = names[index];
        let violations = |run: &RunResult| run.invariants[index].violations;
        let exposure = |run: &RunResult| run.invariants[index].exposure;
        columns.push(count(&format!("{name}_violations"), &violations));
        columns.push(count(&format!("{name}_exposure"), &exposure));
        if verdict.at_end {
            let unjudged = |run: &RunResult| run.invariants[index].unjudged;
            columns.push(count(&format!("{name}_unjudged"), &unjudged));
        }
    }
    for name in expected_metrics(campaign) {
        let judged = |run: &RunResult| judged(cell(run), run, name).to_owned();
        columns.push(text(&format!("expect_{name}"), &judged));
    }
    columns
}

/// A whole number of a milestone: its name, and its value in a run.
type Counted = (&'static str, fn(&Progress) -> u64);

/// What became of requests on their way to each milestone, in whole numbers; and whether each came
/// back, as replies did where a milestone is measured in their place.
fn milestone_columns(campaign: &Campaign, results: &[RunResult]) -> Vec<Column> {
    let mut columns = Vec::new();
    for (name, of) in campaign.cells[0].beside() {
        if let Of::Milestone(place) = of {
            let counts: [Counted; 4] = [
                ("asked", |progress| progress.asked),
                ("reached", |progress| progress.reached),
                ("failed", |progress| progress.failed),
                ("late", |progress| progress.late),
            ];
            columns.extend(counts.map(|(count, value)| {
                let value = |run: &RunResult| value(&run.metrics.milestones[place]);
                Column::count(format!("{name}.{count}"), results.iter().map(value))
            }));
        }
        let came_back = results.iter().map(|run| run.recovery_of(of).came_back());
        columns.push(Column::flag(format!("{name}.recovered"), came_back));
    }
    columns
}

/// The metrics of which any cell expects something, each once.
fn expected_metrics(campaign: &Campaign) -> Vec<&str> {
    let mut names = Vec::new();
    for expectation in campaign.cells.iter().flat_map(|cell| &cell.expect) {
        if !names.contains(&expectation.name.as_str()) {
            names.push(&expectation.name);
        }
    }
    names
}

/// Whether a metric of a run is as expected; empty where nothing is expected or can be said.
fn judged(cell: &Cell, run: &RunResult, name: &str) -> &'static str {
    let place = cell.expect.iter().position(|expectation| expectation.name == name);
    match place.and_then(|place| run.expectations.get(place)?.met) {
        Some(true) => "met",
        Some(false) => "unmet",
        None => "",
    }
}

pub fn runs_csv(campaign: &Campaign, results: &[RunResult]) -> String {
    columns::csv(&runs(campaign, results))
}

pub fn runs_parquet(campaign: &Campaign, results: &[RunResult]) -> Vec<u8> {
    parquet_of(&runs(campaign, results))
}

/// A table as Parquet, with the version of the format.
pub fn parquet_of(table: &[Column]) -> Vec<u8> {
    parquet::file(table, &[("format", FORMAT.to_string())])
}

/// `faults.csv`: for each arm, point, seed and fault when and where it struck, and how often.
pub fn faults_csv(campaign: &Campaign, results: &[RunResult]) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    write_row(&mut table, &FAULTS.map(str::to_owned));
    for run in results {
        let cell = &campaign.cells[run.cell];
        let listed = cell.plan.faults.iter().map(|fault| ("", fault));
        let drawn = run.drawn.iter().map(|drawn| (drawn.name.as_str(), &drawn.fault));
        for (index, (name, fault)) in listed.chain(drawn).enumerate() {
            let until = fault.at + fault.lasts;
            write_row(
                &mut table,
                &[
                    cell.arm.clone(),
                    cell.point.clone(),
                    run.seed.to_string(),
                    (index + 1).to_string(),
                    name.to_owned(),
                    fault.kind.name().to_owned(),
                    fault.target.clone(),
                    strengths(fault),
                    fault.at.seconds().to_string(),
                    until.seconds().to_string(),
                    run.metrics.times_fired(index).to_string(),
                ],
            );
        }
    }
    into_text(table)
}

/// `series.csv`: for each arm, point, seed and window what happened in it.
pub fn series_csv(campaign: &Campaign, results: &[RunResult]) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    let header = ["arm", "point", "seed", "from_s", "asked", "succeeded", "answered", "attempts"];
    let mut header: Vec<String> = header.map(str::to_owned).to_vec();
    for milestone in &campaign.cells[0].milestones {
        let counts = ["asked", "succeeded", "unfinished", "reached"];
        header.extend(counts.map(|count| format!("{}.{count}", milestone.name)));
    }
    header.extend(objectives::series_header(&campaign.cells[0]));
    write_row(&mut table, &header);
    for run in results {
        let cell = &campaign.cells[run.cell];
        let milestones = &run.metrics.milestones;
        let longest = milestones.iter().map(|progress| progress.windows.len()).max();
        let longest = longest.unwrap_or(0).max(objectives::windows(cell, run));
        for index in 0..run.metrics.windows.len().max(longest) {
            let window = run.metrics.windows.get(index).copied().unwrap_or_default();
            let from = Time(index as u64 * cell.measure.window.0).seconds();
            let counts = [window.asked, window.succeeded, window.answered, window.attempts];
            let mut row = vec![cell.arm.clone(), cell.point.clone(), run.seed.to_string()];
            row.push(from.to_string());
            row.extend(counts.iter().map(u64::to_string));
            for progress in milestones {
                let window = progress.windows.get(index).copied().unwrap_or_default();
                let MilestoneWindow { asked, succeeded, unfinished, reached } = window;
                row.extend([asked, succeeded, unfinished, reached].map(|count| count.to_string()));
            }
            row.extend(objectives::series_row(cell, run, index));
            write_row(&mut table, &row);
        }
    }
    into_text(table)
}

pub(super) fn write_row(table: &mut csv::Writer<Vec<u8>>, row: &[String]) {
    let row = row.iter().map(|field| escape::csv(field));
    table.write_record(row).expect("writing to memory does not fail");
}

pub(super) fn into_text(table: csv::Writer<Vec<u8>>) -> String {
    let bytes = table.into_inner().expect("writing to memory does not fail");
    String::from_utf8(bytes).expect("every field is text")
}

/// `summary.json`: what each cell came to, how arms compare, and the answer with its sentences.
pub fn summary_json(
    campaign: &Campaign,
    (results, summaries): (&[RunResult], &[CellSummary]),
    comparison: &Comparison,
    (answer, sentences): (&Answer, &[String]),
) -> String {
    let experiment = &campaign.experiment;
    let unwatched = unwatched(campaign, summaries);
    let cells = summaries.iter().enumerate();
    let cells = cells.map(|(index, summary)| {
        let mut cell = cell_json(campaign, (index, summary), &unwatched);
        cell["attribution"] = attribution::json(campaign, results, index);
        if let Some(prices) = price::json(&campaign.cells[index]) {
            cell["prices"] = prices;
        }
        cell
    });
    pretty(&json!({
        "format": FORMAT,
        "experiment": experiment.name,
        "question": experiment.question,
        "confidence": 0.95,
        "seeds": campaign.seeds.iter().map(u64::to_string).collect::<Vec<_>>(),
        "cells": cells.collect::<Vec<_>>(),
        "comparison": comparison::json(campaign, comparison),
        "answer": answer::json(answer, sentences),
    }))
}

/// What a cell came to.
fn cell_json(
    campaign: &Campaign,
    (index, summary): (usize, &CellSummary),
    unwatched: &[Unwatched],
) -> Value {
    let cell = &campaign.cells[index];
    let watched_more = |invariant: usize| {
        let mut it = unwatched.iter();
        let it = it.find(|it| it.cell == index && it.invariant == invariant);
        it.map(|it| &campaign.cells[it.other].arm)
    };
    json!({
        "arm": cell.arm,
        "arm_label": cell.arm_label,
        "point": cell.point,
        "point_label": cell.point_label,
        "warm_up_s": cell.measure.warm_up.seconds(),
        "runs": summary.runs,
        "unknown": summary.unknown,
        "requests": summary.requests,
        "metrics": estimates(campaign.metrics(), &summary.metrics),
        "never_recovered": summary.never_recovered.map(share),
        "beside": beside(cell, summary),
        "objectives": objectives::json(cell),
        "metastability":
            cell.metastability.as_ref().map(|rule| metastability(rule, summary.drains)),
        "labels": summary.labels.iter().map(|(label, share_of_runs)| json!({
            "label": label.name(),
            "runs": share(*share_of_runs),
        })).collect::<Vec<_>>(),
        "collapsed": summary.collapsed.map(share),
        "blast_radius": blast_radius::json(cell, summary.blast_radius.as_ref()),
        "modes": summary.modes.as_ref().map(|modes| json!({
            "metrics_if_collapsed": estimates(campaign.metrics(), &modes.if_collapsed),
            "metrics_if_not": estimates(campaign.metrics(), &modes.if_not),
        })),
        "outcomes": summary.outcomes.iter().map(|ended| json!({
            "edge": ended.edge,
            "outcome": ended.outcome.to_string(),
            "attempts": ended.attempts,
        })).collect::<Vec<_>>(),
        "faults": summary.faults.iter().map(|fault| json!({
            "fault": fault.number,
            "kind": fault.kind,
            "target": fault.target,
            "fired": fault.fired,
            "runs_fired": fault.runs,
        })).collect::<Vec<_>>(),
        "invariants": summary.invariants.iter().enumerate().map(|(at, invariant)| json!({
            "name": invariant.name,
            "label": invariant.label,
            "promise": cell.invariants.get(at).map(|one| one.kind.name),
            "violations": invariant.violations,
            "exposure": invariant.exposure,
            "unjudged": invariant.unjudged,
            "runs_with_violation": invariant.runs.map(share),
            "per_run": invariant.per_run.as_ref().map(estimate),
            "per_10000": invariant.per_10_000.as_ref().map(estimate),
            "watched_more_in": watched_more(at),
        })).collect::<Vec<_>>(),
        "expectations": summary.expectations.iter().map(|expectation| json!({
            "expected": expectation.text,
            "met": expectation.met,
            "unmet": expectation.unmet,
        })).collect::<Vec<_>>(),
    })
}

/// What stands beside what is measured: each milestone, and replies if one is in their place.
fn beside(cell: &Cell, summary: &CellSummary) -> Value {
    let named = cell.beside().into_iter().zip(&summary.beside_never_recovered);
    let object = |((name, of), never): ((&str, Of), &Option<Share>)| {
        let milestone = match of {
            Of::Milestone(place) => Some(&cell.milestones[place]),
            Of::Measured | Of::Replies | Of::Objective(_) | Of::Price(_) => None,
        };
        let value = json!({
            "label": milestone.map(|milestone| &milestone.label),
            "of": milestone.map(|milestone| &cell.program.operation(milestone.of).name),
            "when": milestone.map(|milestone| &milestone.when),
            "within_s": milestone.and_then(|milestone| milestone.within).map(Span::seconds),
            "measured": cell.measured.map(Of::Milestone) == Some(of),
            "never_recovered": never.map(share),
        });
        (name.to_owned(), value)
    };
    Value::Object(named.map(object).collect::<Map<_, _>>())
}

/// How runs were labelled: a statement about a finite horizon.
fn metastability(rule: &MetastabilityRule, drains: Option<Drains>) -> Value {
    json!({
        "window_s": rule.window.seconds(),
        "level": rule.level,
        "lasts_s": (rule.window.0 * rule.cohorts as u64) as f64 / 1e9,
        "horizon_s": rule.horizon.seconds(),
        "capacity_per_s": rule.capacity,
        "drain_factor": rule.drain_factor,
        "longest_drain_s": drains.map(|drains| drains.longest.seconds()),
        "runs_with_short_horizon": drains.map(|drains| drains.unseen),
    })
}

fn estimates(metrics: &Metrics, estimates: &[Option<Averaged>]) -> Value {
    let named = metrics.iter().zip(estimates).filter_map(|(metric, value)| {
        let value = value.as_ref()?;
        Some((metric.name.clone().into_owned(), estimate(value)))
    });
    Value::Object(named.collect::<Map<_, _>>())
}

/// The ends of an interval that cannot be estimated are `null`.
fn estimate(mean: &Averaged) -> Value {
    json!({
        "mean": mean.mean,
        "low": mean.interval.map(|interval| interval.low),
        "high": mean.interval.map(|interval| interval.high),
        "least": mean.least,
        "greatest": mean.greatest,
        "n": mean.n,
    })
}

fn share(share: Share) -> Value {
    json!({
        "count": share.count,
        "of": share.of,
        "low": share.interval.low,
        "high": share.interval.high,
    })
}

/// What was run: enough to run it again, and to see whether the answer is the same.
pub fn manifest_json(
    campaign: &Campaign,
    results: &[RunResult],
    comparison: &Comparison,
    files: &[(String, String)],
    overrides: &[String],
) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        name: &'a str,
        digest: String,
    }
    let again = |(name, _): &(String, String)| {
        command_line(name, &campaign.seeds, overrides, &campaign.chosen)
    };
    let command = files.first().map(again);
    let files: Vec<File<'_>> = files
        .iter()
        .map(|(name, text)| File { name, digest: digest_of(text).to_string() })
        .collect();
    let experiment = &campaign.experiment;
    let limited = results.iter().filter(|run| run.ending.name() != "complete").count();
    pretty(&json!({
        "format": FORMAT,
        "trace": TRACE,
        "stormglass": env!("CARGO_PKG_VERSION"),
        "experiment": experiment.name,
        "command": command,
        "files": files,
        "set": overrides,
        "seeds": campaign.seeds.iter().map(u64::to_string).collect::<Vec<_>>(),
        "only": {
            "arms": campaign.chosen.arms,
            "points": campaign.chosen.points,
        },
        "arms": experiment.arms.iter().map(|arm| &arm.name).collect::<Vec<_>>(),
        "factors": experiment.factors.iter().map(|factor| (
            factor.name.clone(),
            factor.levels.iter().map(|level| json!(level.name)).collect(),
        )).collect::<Map<String, Value>>(),
        "warm_up": warm_up::json(campaign),
        "precision": comparison::precision_json(campaign, comparison),
        "runs": results.len(),
        "runs_that_reached_a_limit": limited,
        "digest": campaign_digest(results).to_string(),
    }))
}

/// The digest of the digests of all runs, in the order of their numbers.
pub fn campaign_digest(results: &[RunResult]) -> Digest {
    digest_of_runs(results.iter().map(|run| (run.seed, run.digest)))
}
