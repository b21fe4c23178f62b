//! The summary of a campaign: what each cell came to over its seeds, with 95% intervals.

use std::collections::BTreeMap;

use super::metrics::Of;
use super::percentile::pooled;
use super::rate;
use super::spread::Spread;
use crate::experiment::judge::expected::{ExpectationSummary, summarise_expectations};
use crate::experiment::judge::metastability::Label;
use crate::experiment::measure::most::most;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::fault::{FaultKind, RandomPlan};
use crate::invariant::{Verdict, Watched};
use crate::kernel::limit::Ending;
use crate::kernel::time::Span;
use crate::metric::Unit;
use crate::policy::Outcome;
use crate::statistics::bounded::{Averaged, Range, mean_within};
use crate::statistics::proportion::{runs_with_event, wilson};
use crate::statistics::{CONFIDENCE, Interval};

/// What one cell came to.
#[derive(Clone, Debug)]
pub struct CellSummary {
    /// Runs in all.
    pub runs: u64,
    /// Runs that reached a limit.
    pub unknown: u64,
    /// Requests of all runs.
    pub requests: u64,
    /// Those of them that were answered `ok`.
    pub ok: u64,
    /// The estimate of each of the campaign's metrics; `None` where no run has a value.
    pub metrics: Vec<Option<Averaged>>,
    /// Runs that never recovered, of those with a fault and with requests after it.
    pub never_recovered: Option<Share>,
    /// The same of what stands beside what is measured ([`Cell::beside`]), in its order.
    pub beside_never_recovered: Vec<Option<Share>>,
    /// Runs with each label, of those that have one.
    pub labels: Vec<(Label, Share)>,
    /// How the horizon of the labels compares with the time that queues take to drain.
    pub drains: Option<Drains>,
    /// Runs that collapsed, of those of which it can be said.
    pub collapsed: Option<Share>,
    /// The two kinds of runs apart, where some collapsed and others did not.
    pub modes: Option<Modes>,
    /// How attempts ended at each edge that was called, in all runs, by edge and outcome.
    pub outcomes: Vec<EdgeOutcome>,
    /// How often faults had an effect.
    pub faults: Vec<FaultSummary>,
    /// What was seen of each invariant.
    pub invariants: Vec<InvariantSummary>,
    /// What the runs came to beside their twins; `None` where none was compared.
    pub blast_radius: Option<Spread>,
    /// How the runs meet each expectation.
    pub expectations: Vec<ExpectationSummary>,
}

/// How long the labelled runs of a cell take to drain. A horizon should be ten times that: what
/// has not come back by then could still do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drains {
    /// The longest.
    pub longest: Span,
    /// Runs whose horizon is shorter than ten of their drain times.
    pub unseen: u64,
}

/// What the runs of a cell came to that collapsed, and those that did not: a mean of both describes
/// neither.
#[derive(Clone, Debug)]
pub struct Modes {
    /// The estimate of each of the campaign's metrics over the runs that collapsed.
    pub if_collapsed: Vec<Option<Averaged>>,
    /// The same over those that did not.
    pub if_not: Vec<Option<Averaged>>,
}

/// A share of runs with its interval: Wilson's, or of runs with a violation the exact one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The interval of the probability.
    pub interval: Interval,
}

/// How many attempts at an edge ended in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeOutcome {
    /// The name of the edge.
    pub edge: String,
    /// How they ended for their caller.
    pub outcome: Outcome,
    /// How many.
    pub attempts: u64,
}

/// How often a fault of the experiment had an effect in one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSummary {
    /// Its number in the list of the experiment, from 1; `None` for all drawn faults of a kind.
    pub number: Option<usize>,
    /// What goes wrong.
    pub kind: &'static str,
    /// Whom it strikes; `None` for all drawn faults of a kind.
    pub target: Option<String>,
    /// Its effects in all runs.
    pub fired: u64,
    /// Runs in which it had any.
    pub runs: u64,
}

/// What was seen of one invariant in one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct InvariantSummary {
    /// Its name.
    pub name: String,
    /// What tables call what is counted.
    pub label: String,
    /// Violations of all runs: orders for which it was broken.
    pub violations: u64,
    /// Operations of all runs that could have broken it and were judged.
    pub exposure: u64,
    /// Operations of all runs that could have broken it and were not judged.
    pub unjudged: u64,
    /// Runs with at least one violation, of those in which something could have broken it: what
    /// breaks together in one run is one observation. `None` if nothing could have broken it.
    pub runs: Option<Share>,
    /// Violations of one such run, averaged over them; without an interval where too few runs have
    /// any to tell how many others would have.
    pub per_run: Option<Averaged>,
    /// Violations per 10,000 operations that could have broken it, averaged over the same runs.
    pub per_10_000: Option<Averaged>,
}

/// Summarises the results of a campaign, which are ordered by their numbers.
#[must_use]
pub fn summarise(campaign: &Campaign, results: &[RunResult]) -> Vec<CellSummary> {
    let numbered = campaign.cells.iter().enumerate();
    let runs_of = |index| campaign.runs_of(results, index);
    numbered.map(|(index, cell)| summarise_cell(cell, runs_of(index))).collect()
}

fn summarise_cell(cell: &Cell, runs: &[RunResult]) -> CellSummary {
    let never_recovered = |of: Of| {
        let back = |back: bool| count(runs, |run| run.recovery_of(of).came_back() == Some(back));
        share(back(false), back(false) + back(true))
    };
    CellSummary {
        runs: runs.len() as u64,
        unknown: count(runs, |run| run.ending != Ending::Complete),
        requests: runs.iter().map(|run| run.metrics.requests).sum(),
        ok: runs.iter().map(|run| run.metrics.ok).sum(),
        metrics: estimates(cell, &runs.iter().collect::<Vec<_>>()),
        never_recovered: never_recovered(Of::Measured),
        beside_never_recovered: cell.beside().iter().map(|&(_, of)| never_recovered(of)).collect(),
        labels: labels(runs),
        drains: drains(cell, runs),
        collapsed: collapsed(runs),
        modes: modes(cell, runs),
        outcomes: summarise_outcomes(cell, runs),
        faults: summarise_faults(cell, runs),
        invariants: summarise_invariants(cell, runs),
        blast_radius: Spread::of(cell, runs),
        expectations: summarise_expectations(cell, runs),
    }
}

fn estimates(cell: &Cell, runs: &[&RunResult]) -> Vec<Option<Averaged>> {
    let estimate = |metric: usize| {
        if let Some(pooled) = pooled(&cell.metrics[metric], runs) {
            return pooled;
        }
        let values: Vec<f64> = runs.iter().filter_map(|run| run.values[metric]).collect();
        let range = match most(&cell.metrics[metric], cell, runs.iter().copied()) {
            _ if cell.metrics[metric].unit == Unit::Share => Range::Share,
            Some(most) => Range::AmountTo(most),
            None => Range::Amount,
        };
        mean_within(&values, range, 0.0, CONFIDENCE).ok()
    };
    (0..cell.metrics.len()).map(estimate).collect()
}

fn labels(runs: &[RunResult]) -> Vec<(Label, Share)> {
    let labelled = count(runs, |run| run.label.is_some());
    let of = |label: Label| share(count(runs, |run| run.label == Some(label)), labelled);
    Label::ALL.into_iter().filter_map(|label| Some((label, of(label)?))).collect()
}

fn drains(cell: &Cell, runs: &[RunResult]) -> Option<Drains> {
    let rule = cell.metastability?;
    let drains = || runs.iter().filter_map(|run| run.drain);
    let unseen = drains().filter(|drain| !rule.sees(*drain)).count() as u64;
    drains().max().map(|longest| Drains { longest, unseen })
}

fn collapsed(runs: &[RunResult]) -> Option<Share> {
    let of = |collapsed: bool| count(runs, |run| run.collapsed() == Some(collapsed));
    share(of(true), of(true) + of(false))
}

fn modes(cell: &Cell, runs: &[RunResult]) -> Option<Modes> {
    let apart = |collapsed: bool| -> Vec<&RunResult> {
        runs.iter().filter(|run| run.collapsed() == Some(collapsed)).collect()
    };
    let (collapsed, others) = (apart(true), apart(false));
    (!collapsed.is_empty() && !others.is_empty()).then(|| Modes {
        if_collapsed: estimates(cell, &collapsed),
        if_not: estimates(cell, &others),
    })
}

fn summarise_faults(cell: &Cell, runs: &[RunResult]) -> Vec<FaultSummary> {
    let listed = cell.plan.faults.len();
    let summary = |number: Option<usize>, kind: FaultKind, target: Option<String>| {
        let fired = |run: &RunResult| -> u64 {
            let drawn = run.drawn.iter().enumerate().filter(|(_, drawn)| drawn.fault.kind == kind);
            match number {
                Some(number) => run.metrics.times_fired(number - 1),
                None => drawn.map(|(index, _)| run.metrics.times_fired(listed + index)).sum(),
            }
        };
        FaultSummary {
            number,
            kind: kind.name(),
            target,
            fired: runs.iter().map(fired).sum(),
            runs: count(runs, |run| fired(run) > 0),
        }
    };
    let numbered = cell.plan.faults.iter().enumerate();
    let mut faults: Vec<FaultSummary> = numbered
        .map(|(index, fault)| summary(Some(index + 1), fault.kind, Some(fault.target.clone())))
        .collect();
    let kinds = cell.random.iter().flat_map(RandomPlan::kinds);
    faults.extend(kinds.map(|kind| summary(None, kind, None)));
    faults
}

/// How attempts ended at each edge. What relays ask is left out: they ask for as long as a run
/// lasts, whether anything happens or not.
fn summarise_outcomes(cell: &Cell, runs: &[RunResult]) -> Vec<EdgeOutcome> {
    let is_of_a_relay = |edge: usize| cell.program.is_relay(cell.program.edges[edge].caller);
    let mut counts: BTreeMap<(usize, Outcome), u64> = BTreeMap::new();
    for run in runs {
        let edges = run.metrics.edges.iter().enumerate();
        for (edge, ended) in edges.filter(|(edge, _)| !is_of_a_relay(*edge)) {
            for (outcome, attempts) in ended.outcomes.iter() {
                *counts.entry((edge, outcome)).or_default() += attempts;
            }
        }
    }
    let named = counts.into_iter().map(|((edge, outcome), attempts)| EdgeOutcome {
        edge: cell.program.edges[edge].name.clone(),
        outcome,
        attempts,
    });
    named.collect()
}

fn summarise_invariants(cell: &Cell, runs: &[RunResult]) -> Vec<InvariantSummary> {
    let summary = |(index, watched): (usize, &Watched)| {
        let verdicts: Vec<Verdict> = runs.iter().map(|run| run.invariants[index]).collect();
        summarise_invariant(watched, &verdicts)
    };
    cell.invariants.iter().enumerate().map(summary).collect()
}

fn summarise_invariant(watched: &Watched, verdicts: &[Verdict]) -> InvariantSummary {
    let exposed: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.exposure > 0).collect();
    let broken = exposed.iter().filter(|verdict| verdict.violations > 0).count() as u64;
    let runs = runs_with_event(broken, exposed.len() as u64, CONFIDENCE).ok();
    let mean = |value: fn(&Verdict) -> f64, variance: fn(&Verdict) -> f64| {
        let sample: Vec<f64> = exposed.iter().map(|verdict| value(verdict)).collect();
        let variance: f64 = exposed.iter().map(|verdict| variance(verdict)).sum();
        let error_min = variance.sqrt() / sample.len() as f64;
        let mut mean = mean_within(&sample, Range::Amount, error_min, CONFIDENCE).ok()?;
        if broken == 0 {
            // What was never seen is bounded by the runs in which it was not, not by a mean.
            mean.interval = None;
        }
        Some(mean)
    };
    let operations = exposed.iter().map(|verdict| verdict.exposure).max().unwrap_or_default();
    InvariantSummary {
        name: watched.name.clone(),
        label: watched.label.clone(),
        violations: verdicts.iter().map(|verdict| verdict.violations).sum(),
        exposure: verdicts.iter().map(|verdict| verdict.exposure).sum(),
        unjudged: verdicts.iter().map(|verdict| verdict.unjudged).sum(),
        runs: runs.map(|estimate| Share {
            count: broken,
            of: exposed.len() as u64,
            interval: estimate.interval,
        }),
        per_run: mean(|verdict| verdict.violations as f64, rate::variance_min)
            .map(|mean| of_operations(mean, operations as f64)),
        per_10_000: mean(rate::per_10_000, rate::variance_min_per_10_000)
            .map(|rate| of_operations(rate, rate::OPERATIONS)),
    }
}

/// No more than all operations can break a promise, where no run has broken it more than once each.
fn of_operations(mut mean: Averaged, operations: f64) -> Averaged {
    if mean.greatest <= operations {
        mean.interval = mean.interval.map(|interval| interval.within(0.0, operations));
    }
    mean
}

fn count(runs: &[RunResult], is: impl Fn(&RunResult) -> bool) -> u64 {
    runs.iter().filter(|run| is(run)).count() as u64
}

fn share(count: u64, of: u64) -> Option<Share> {
    let interval = wilson(count, of, CONFIDENCE).ok()?.interval;
    Some(Share { count, of, interval })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Interval;

    #[test]
    fn a_rate_ends_where_all_operations_break_the_promise_once() {
        let rate = |greatest| {
            let interval = Some(Interval { low: 9_997.0, high: 10_003.0 });
            let rate = Averaged { mean: 10_000.0, interval, least: 9_000.0, greatest, n: 10 };
            of_operations(rate, rate::OPERATIONS).interval.map(|interval| interval.high)
        };
        assert_eq!(rate(10_000.0), Some(10_000.0));
        assert_eq!(rate(10_001.0), Some(10_003.0), "an operation can break it more than once");
    }
}
