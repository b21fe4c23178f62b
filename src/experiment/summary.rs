//! The summary of a campaign: what each cell came to over its seeds, with 95% intervals.

use super::campaign::{Campaign, Cell};
use super::expect::{ExpectationSummary, summarise_expectations};
use super::metastability::Label;
use super::run::RunResult;
use super::statistics::interval::mean_interval;
use super::statistics::proportion::wilson;
use super::statistics::rare::zero_events_upper;
use super::statistics::verdict::Direction;
use super::statistics::{CONFIDENCE, Estimate, Interval};
use crate::fault::{FaultKind, RandomPlan};
use crate::invariant::Verdict;
use crate::kernel::limit::Ending;
use crate::kernel::time::Span;
use crate::metric::Recovery;

/// A number of a run that is averaged over seeds.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in results, with its unit.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// Which way it is good.
    pub better: Direction,
    /// Whether it is a share, from 0 to 1.
    pub is_share: bool,
    /// Its value in a run; `None` where there is none.
    pub value: fn(&Cell, &RunResult) -> Option<f64>,
}

/// Every number of a run that is averaged over seeds, in the order of the columns.
pub const METRICS: [Metric; 33] = [
    Metric {
        name: "amplification",
        meaning: "attempts of the load per measured request, from end to end",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| run.metrics.amplification(),
    },
    Metric {
        name: "edge_amplification",
        meaning: "attempts of the load per call at its own edge",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| run.metrics.edge_amplification(),
    },
    Metric {
        name: "user_amplification",
        meaning: "attempts that users' clients made per measured request",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| ratio(run.metrics.user_attempts, run.metrics.measured),
    },
    Metric {
        name: "success_ratio",
        meaning: "measured requests answered ok in time, of all measured requests",
        better: Direction::Higher,
        is_share: true,
        value: |_, run| run.metrics.success_ratio(),
    },
    Metric {
        name: "goodput_before_per_s",
        meaning: "requests answered ok a second before the first fault",
        better: Direction::Higher,
        is_share: false,
        value: |cell, run| {
            let (began, _) = run.faults_act?;
            run.metrics.goodput(cell.measure.window, cell.measure.warm_up, began)
        },
    },
    Metric {
        name: "goodput_during_per_s",
        meaning: "requests answered ok a second from the first fault to the end of the last",
        better: Direction::Higher,
        is_share: false,
        value: |cell, run| {
            let (began, healed) = run.faults_act?;
            run.metrics.goodput(cell.measure.window, began, healed)
        },
    },
    Metric {
        name: "goodput_after_per_s",
        meaning: "requests answered ok a second from the end of the last fault to the last arrival",
        better: Direction::Higher,
        is_share: false,
        value: |cell, run| {
            let (_, healed) = run.faults_act?;
            let end = cell.measure.arrivals_end;
            run.metrics.goodput(cell.measure.window, healed, end)
        },
    },
    Metric {
        name: "goodput_per_s",
        meaning: "measured requests answered ok a second of the measured time",
        better: Direction::Higher,
        is_share: false,
        value: |cell, run| {
            let measured_for = cell.measure.measured_for().seconds();
            Some(run.metrics.measured_ok as f64 / measured_for)
        },
    },
    Metric {
        name: "latency_mean_ms",
        meaning: "mean time from a request's first attempt to its ok answer",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| {
            let total = run.metrics.latency_total as f64 / 1e6;
            (run.metrics.measured_ok > 0).then(|| total / run.metrics.measured_ok as f64)
        },
    },
    Metric {
        name: "latency_p50_ms",
        meaning: "median time from a request's first attempt to its ok answer",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| run.metrics.latency.quantile(0.5).map(Span::millis),
    },
    Metric {
        name: "latency_p99_ms",
        meaning: "99th percentile of that time",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| run.metrics.latency.quantile(0.99).map(Span::millis),
    },
    Metric {
        name: "latency_p999_ms",
        meaning: "99.9th percentile of that time",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| run.metrics.latency.quantile(0.999).map(Span::millis),
    },
    Metric {
        name: "wait_mean_ms",
        meaning: "mean time that attempts of the load waited for a worker",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| run.metrics.stays.mean_wait().map(Span::millis),
    },
    Metric {
        name: "wait_p99_ms",
        meaning: "99th percentile of that time",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| run.metrics.stays.wait.quantile(0.99).map(Span::millis),
    },
    Metric {
        name: "queued_ratio",
        meaning: "attempts of the load that had to wait for a worker, of all that came to a node",
        better: Direction::Lower,
        is_share: true,
        value: |_, run| run.metrics.stays.queued_ratio(),
    },
    Metric {
        name: "refused_first_ratio",
        meaning: "first attempts of the load that no worker took up, of all that came to a node",
        better: Direction::Lower,
        is_share: true,
        value: |_, run| run.metrics.stays.refused_ratio(0),
    },
    Metric {
        name: "refused_again_ratio",
        meaning: "retries of the load that no worker took up, of all that came to a node",
        better: Direction::Lower,
        is_share: true,
        value: |_, run| run.metrics.stays.refused_ratio(1),
    },
    Metric {
        name: "waiting_mean",
        meaning: "attempts of the load that waited for a worker, averaged over the measured time",
        better: Direction::Lower,
        is_share: false,
        value: |cell, run| Some(cell.measure.average(run.metrics.stays.waiting)),
    },
    Metric {
        name: "working_mean",
        meaning: "workers taken by attempts of the load, averaged over the measured time",
        better: Direction::Lower,
        is_share: false,
        value: |cell, run| Some(cell.measure.average(run.metrics.stays.working)),
    },
    Metric {
        name: "in_flight_mean",
        meaning: "requests without an answer yet, averaged over the measured time",
        better: Direction::Lower,
        is_share: false,
        value: |cell, run| Some(cell.measure.average(run.metrics.stays.in_flight)),
    },
    Metric {
        name: "recovery_s",
        meaning: "time from the end of the last fault until requests fare as before and stay so; \
                  only of the runs that recovered",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| match run.recovery {
            Recovery::After(span) => Some(span.seconds()),
            Recovery::NoFault | Recovery::Never | Recovery::Unseen => None,
        },
    },
    Metric {
        name: "wasted_work",
        meaning: "share of service time spent on work for which nobody waited any more",
        better: Direction::Lower,
        is_share: true,
        value: |_, run| run.metrics.wasted_work(),
    },
    Metric {
        name: "ejections",
        meaning: "instances that processes left out of their balancing because they failed",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| Some(run.metrics.ejections as f64),
    },
    Metric {
        name: "panics",
        meaning: "requests sent to any instance because too few were healthy",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| Some(run.metrics.panics as f64),
    },
    Metric {
        name: "oldest_message_s",
        meaning: "longest time that a message's work was due before it was done with",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| Some(run.metrics.oldest_message.seconds()),
    },
    Metric {
        name: "dead_letters",
        meaning: "messages put aside because they were received too often",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| Some(run.metrics.dead_letters as f64),
    },
    Metric {
        name: "unprocessed",
        meaning: "messages and outbox events that were not done with when the run ended",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| Some(run.metrics.unprocessed as f64),
    },
    Metric {
        name: "stale_read_ratio",
        meaning: "reads of a user's own write that showed an older version, of all such reads",
        better: Direction::Lower,
        is_share: true,
        value: |_, run| ratio(run.metrics.stale_reads, run.metrics.reads_back),
    },
    Metric {
        name: "old_row_ratio",
        meaning: "rows read that were older than the newest version committed, of all rows read",
        better: Direction::Lower,
        is_share: true,
        value: |_, run| ratio(run.metrics.old_row_reads, run.metrics.row_reads),
    },
    Metric {
        name: "staleness_p99_ms",
        meaning: "99th percentile of how long a newer version had been there when a row was read",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| run.metrics.staleness.quantile(0.99).map(Span::millis),
    },
    Metric {
        name: "updates_lost",
        meaning: "transactions that overwrote a version that their handlers had not read",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| Some(run.metrics.updates_lost as f64),
    },
    Metric {
        name: "commits_lost",
        meaning: "committed transactions that a failover lost",
        better: Direction::Lower,
        is_share: false,
        value: |_, run| Some(run.metrics.commits_lost as f64),
    },
    Metric {
        name: "older_read_ratio",
        meaning: "reads that showed an older version than the user had seen, of all that could",
        better: Direction::Lower,
        is_share: true,
        value: |_, run| ratio(run.metrics.older_reads, run.metrics.reads_again),
    },
];

/// What one cell came to.
#[derive(Clone, Debug)]
pub struct CellSummary {
    /// Runs in all.
    pub runs: u64,
    /// Runs that reached a limit.
    pub unknown: u64,
    /// Requests of all runs.
    pub requests: u64,
    /// The estimate of each of [`METRICS`]; `None` where no run has a value.
    pub metrics: Vec<Option<Estimate>>,
    /// Runs that never recovered, of those with a fault and with requests after it.
    pub never_recovered: Option<Share>,
    /// Runs with each label, of those that have one.
    pub labels: Vec<(Label, Share)>,
    /// Runs that collapsed, of those of which it can be said.
    pub collapsed: Option<Share>,
    /// The two kinds of runs apart, where some collapsed and others did not.
    pub modes: Option<Modes>,
    /// How often faults had an effect.
    pub faults: Vec<FaultSummary>,
    /// What was seen of each invariant.
    pub invariants: Vec<InvariantSummary>,
    /// How the runs meet each expectation.
    pub expectations: Vec<ExpectationSummary>,
}

/// What the runs of a cell came to that collapsed, and those that did not: a mean of both describes
/// neither.
#[derive(Clone, Debug)]
pub struct Modes {
    /// The estimate of each of [`METRICS`] over the runs that collapsed.
    pub if_collapsed: Vec<Option<Estimate>>,
    /// The same over those that did not.
    pub if_not: Vec<Option<Estimate>>,
}

/// A share of runs with its Wilson interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The interval of the probability.
    pub interval: Interval,
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
    pub name: &'static str,
    /// Violations of all runs: orders for which it was broken.
    pub violations: u64,
    /// Operations of all runs that could have broken it.
    pub exposure: u64,
    /// Runs with at least one violation.
    pub runs: Share,
    /// Violations of one run, averaged over seeds; without any violation, the upper end is the 95%
    /// bound for zero events in that exposure. `None` without exposure.
    pub per_run: Option<Estimate>,
    /// Violations per 10,000 operations, averaged over seeds; the upper end as above.
    pub per_10_000: Option<Estimate>,
}

/// Summarises the results of a campaign, which are ordered by their numbers.
#[must_use]
pub fn summarise(campaign: &Campaign, results: &[RunResult]) -> Vec<CellSummary> {
    let seeds = campaign.seeds.len();
    let runs_of = |cell: usize| &results[cell * seeds..(cell + 1) * seeds];
    let numbered = campaign.cells.iter().enumerate();
    numbered.map(|(index, cell)| summarise_cell(cell, runs_of(index))).collect()
}

fn summarise_cell(cell: &Cell, runs: &[RunResult]) -> CellSummary {
    let never = count(runs, |run| run.recovery == Recovery::Never);
    let judged = never + count(runs, |run| matches!(run.recovery, Recovery::After(_)));
    CellSummary {
        runs: runs.len() as u64,
        unknown: count(runs, |run| run.ending != Ending::Complete),
        requests: runs.iter().map(|run| run.metrics.requests).sum(),
        metrics: estimates(cell, &runs.iter().collect::<Vec<_>>()),
        never_recovered: share(never, judged),
        labels: labels(runs),
        collapsed: collapsed(runs),
        modes: modes(cell, runs),
        faults: summarise_faults(cell, runs),
        invariants: summarise_invariants(runs),
        expectations: summarise_expectations(cell, runs),
    }
}

fn estimates(cell: &Cell, runs: &[&RunResult]) -> Vec<Option<Estimate>> {
    let estimate = |metric: &Metric| {
        let values: Vec<f64> = runs.iter().filter_map(|run| (metric.value)(cell, run)).collect();
        mean_interval(&values, CONFIDENCE).ok()
    };
    METRICS.iter().map(estimate).collect()
}

fn labels(runs: &[RunResult]) -> Vec<(Label, Share)> {
    let labelled = count(runs, |run| run.label.is_some());
    let of = |label: Label| share(count(runs, |run| run.label == Some(label)), labelled);
    Label::ALL.into_iter().filter_map(|label| Some((label, of(label)?))).collect()
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

fn summarise_invariants(runs: &[RunResult]) -> Vec<InvariantSummary> {
    let names = runs.first().map_or(&[][..], |run| &run.invariants);
    let summary = |(index, first): (usize, &Verdict)| {
        let verdicts = || runs.iter().map(move |run| run.invariants[index]);
        let violations = verdicts().map(|verdict| verdict.violations).sum();
        let exposure = verdicts().map(|verdict| verdict.exposure).sum();
        let bound = zero_events_upper(exposure, CONFIDENCE).unwrap_or(1.0);
        // A count is never negative, whatever its interval says.
        let mean = |sample: Vec<f64>, bound: f64| {
            let exposed = (exposure > 0).then_some(&sample)?;
            let mut estimate = mean_interval(exposed, CONFIDENCE).ok()?;
            estimate.interval.low = estimate.interval.low.max(0.0);
            if violations == 0 {
                estimate.interval = Interval { low: 0.0, high: bound };
            }
            Some(estimate)
        };
        let rate =
            |verdict: &Verdict| ratio(verdict.violations, verdict.exposure).unwrap_or(0.0) * 1e4;
        let per_10_000 = mean(verdicts().map(|verdict| rate(&verdict)).collect(), bound * 1e4);
        let counts = verdicts().map(|verdict| verdict.violations as f64).collect();
        let per_run = mean(counts, bound * exposure as f64 / runs.len() as f64);
        Some(InvariantSummary {
            name: first.invariant,
            violations,
            exposure,
            runs: share(
                count(runs, |run| run.invariants[index].violations > 0),
                runs.len() as u64,
            )?,
            per_run,
            per_10_000,
        })
    };
    names.iter().enumerate().filter_map(summary).collect()
}

fn count(runs: &[RunResult], is: impl Fn(&RunResult) -> bool) -> u64 {
    runs.iter().filter(|run| is(run)).count() as u64
}

fn share(count: u64, of: u64) -> Option<Share> {
    let interval = wilson(count, of, CONFIDENCE).ok()?.interval;
    Some(Share { count, of, interval })
}

/// A quotient, or `None` if there was nothing to divide by.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
