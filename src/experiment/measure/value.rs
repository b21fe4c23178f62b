//! The value of each metric in a run that has just ended.

use super::amplification;
use super::metrics::{Metric, Origin};
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::{Span, Time};
use crate::metric::{Account, MetricId, Progress, Recovery};

/// The value of each of the cell's metrics in a run that has just ended; `None` where there is no
/// such number.
pub(in crate::experiment) fn values(cell: &Cell, run: &RunResult) -> Vec<Option<f64>> {
    cell.metrics.iter().map(|metric| value(metric, cell, run)).collect()
}

fn value(metric: &Metric, cell: &Cell, run: &RunResult) -> Option<f64> {
    match metric.origin {
        Origin::Run => of(metric.id, &OF_RUNS)(cell, run),
        Origin::Milestone(place) => {
            of(metric.id, &OF_MILESTONES)(cell, run, run.metrics.milestones.get(place)?)
        }
        Origin::Objective(place) => {
            let objective = &cell.objectives.list[place];
            of(metric.id, &OF_OBJECTIVES)(&objective.account(&run.metrics, &cell.measure)?)
        }
        Origin::Price(None) => cell.prices.as_ref()?.total(cell, run),
        Origin::Price(Some(place)) => cell.prices.as_ref()?.part(place, cell, run),
    }
}

/// How a metric is measured, of this list.
fn of<F: Copy>(id: MetricId, list: &[(MetricId, F)]) -> F {
    let found = list.iter().find(|(own, _)| *own == id);
    found.unwrap_or_else(|| panic!("nothing measures `{}`", id.name())).1
}

/// From a run.
type OfRun = fn(&Cell, &RunResult) -> Option<f64>;
/// From what became of the requests on their way to a milestone.
type OfMilestone = fn(&Cell, &RunResult, &Progress) -> Option<f64>;
/// From what a run comes to by an objective.
type OfObjective = fn(&Account) -> Option<f64>;

/// Those of every run, and of runs beside their twins.
const OF_RUNS: [(MetricId, OfRun); 49] = [
    (MetricId::Amplification, |_, run| run.metrics.amplification()),
    (MetricId::EdgeAmplification, |_, run| run.metrics.edge_amplification()),
    (MetricId::UserAmplification, |_, run| run.metrics.user_amplification()),
    (MetricId::SuccessRatio, |_, run| run.metrics.success_ratio()),
    (MetricId::UnfinishedRatio, |_, run| run.metrics.unfinished_ratio()),
    (MetricId::GoodputBeforePerS, |cell, run| {
        let [(from, until), ..] = around_the_faults(cell, run)?;
        run.metrics.goodput(cell.measure.window, from, until)
    }),
    (MetricId::GoodputDuringPerS, |cell, run| {
        let [_, (from, until), _] = around_the_faults(cell, run)?;
        run.metrics.goodput(cell.measure.window, from, until)
    }),
    (MetricId::GoodputAfterPerS, |cell, run| {
        let [.., (from, until)] = around_the_faults(cell, run)?;
        run.metrics.goodput(cell.measure.window, from, until)
    }),
    (MetricId::GoodputPerS, |cell, run| {
        let measured_for = cell.measure.measured_for().seconds();
        Some(run.metrics.measured_ok as f64 / measured_for)
    }),
    (MetricId::LatencyMeanMs, |_, run| {
        let total = run.metrics.latency_total as f64 / 1e6;
        (run.metrics.measured_ok > 0).then(|| total / run.metrics.measured_ok as f64)
    }),
    (MetricId::LatencyP50Ms, |_, run| run.metrics.latency.estimate(0.5).map(Span::millis)),
    (MetricId::LatencyP99Ms, |_, run| run.metrics.latency.estimate(0.99).map(Span::millis)),
    (MetricId::LatencyP999Ms, |_, run| run.metrics.latency.estimate(0.999).map(Span::millis)),
    (MetricId::LastAnswerS, |_, run| {
        let last = run.metrics.last_answer;
        (last > Time::ZERO).then(|| last.seconds())
    }),
    (MetricId::TimeoutsPerRequest, |_, run| run.metrics.timeouts_per_request()),
    (MetricId::WaitMeanMs, |_, run| run.metrics.stays.mean_wait().map(Span::millis)),
    (MetricId::WaitP99Ms, |_, run| {
        run.metrics.stays.waits().estimate(0.99)?;
        run.metrics.stays.wait_quantile(0.99).map(Span::millis)
    }),
    (MetricId::QueuedRatio, |_, run| run.metrics.stays.queued_ratio()),
    (MetricId::RefusedFirstRatio, |_, run| run.metrics.stays.refused_ratio(0)),
    (MetricId::RefusedAgainRatio, |_, run| run.metrics.stays.refused_ratio(1)),
    (MetricId::WaitingMean, |cell, run| Some(cell.measure.average(run.metrics.stays.waiting))),
    (MetricId::WorkingMean, |cell, run| Some(cell.measure.average(run.metrics.stays.working))),
    (MetricId::InFlightMean, |cell, run| Some(cell.measure.average(run.metrics.stays.in_flight))),
    (MetricId::RecoveryS, |_, run| match run.reply_recovery {
        Recovery::After(span) => Some(span.seconds()),
        Recovery::NoFault | Recovery::Never | Recovery::Unsteady | Recovery::Unseen => None,
    }),
    (MetricId::WastedWork, |_, run| run.metrics.wasted_work()),
    (MetricId::Ejections, |_, run| Some(run.metrics.ejections as f64)),
    (MetricId::Panics, |_, run| Some(run.metrics.panics as f64)),
    (MetricId::OldestMessageS, |_, run| Some(run.metrics.oldest_message.seconds())),
    (MetricId::DeadLetters, |_, run| Some(run.metrics.dead_letters as f64)),
    (MetricId::Unprocessed, |_, run| Some(run.metrics.unprocessed as f64)),
    (MetricId::ReadYourWritesViolationRatio, |_, run| {
        ratio(run.metrics.stale_reads, run.metrics.reads_back)
    }),
    (MetricId::StaleRowRatio, |_, run| ratio(run.metrics.old_row_reads, run.metrics.row_reads)),
    (MetricId::StalenessP99Ms, |_, run| run.metrics.staleness.estimate(0.99).map(Span::millis)),
    (MetricId::UpdatesLost, |_, run| Some(run.metrics.updates_lost as f64)),
    (MetricId::CommitsLost, |_, run| Some(run.metrics.commits_lost as f64)),
    (MetricId::MonotonicReadsViolationRatio, |_, run| {
        ratio(run.metrics.older_reads, run.metrics.reads_again)
    }),
    (MetricId::WorstAmplification, |cell, run| {
        let worst = amplification::worst(&cell.program, &run.metrics.edges);
        Some(worst.map_or(1.0, |(_, times)| times))
    }),
    (MetricId::PeakLoadPerS, |cell, run| {
        let most = run.metrics.windows.iter().map(|window| window.attempts).max()?;
        Some(most as f64 / cell.measure.window.seconds())
    }),
    (MetricId::Unhandled, |_, run| Some(run.metrics.unhandled() as f64)),
    (MetricId::PoolWaitP99Ms, |_, run| run.metrics.pool_waits.estimate(0.99).map(Span::millis)),
    (MetricId::PoolTimeouts, |_, run| Some(run.metrics.pool_timeouts as f64)),
    (MetricId::ConnectionsOpened, |_, run| Some(run.metrics.connections_opened as f64)),
    (MetricId::WorseRatio, |_, run| run.blast_radius.as_ref()?.requests.share()),
    (MetricId::WorseInFaultRatio, |_, run| run.blast_radius.as_ref()?.during.share()),
    (MetricId::WorseUsersRatio, |_, run| run.blast_radius.as_ref()?.users.share()),
    (MetricId::WorseKeysRatio, |_, run| run.blast_radius.as_ref()?.keys.share()),
    (MetricId::WorseForS, |_, run| run.blast_radius.as_ref().map(|it| it.worse_for().seconds())),
    (MetricId::NodesReached, |_, run| {
        run.blast_radius.as_ref().map(|it| it.nodes_reached() as f64)
    }),
    (MetricId::SpreadS, |_, run| run.blast_radius.as_ref()?.spread().map(Span::seconds)),
];

/// Those of a milestone.
const OF_MILESTONES: [(MetricId, OfMilestone); 12] = [
    (MetricId::SuccessRatio, |_, _, progress| progress.success_ratio()),
    (MetricId::GoodputBeforePerS, |cell, run, progress| {
        let [(from, until), ..] = around_the_faults(cell, run)?;
        progress.goodput(cell.measure.window, from, until)
    }),
    (MetricId::GoodputDuringPerS, |cell, run, progress| {
        let [_, (from, until), _] = around_the_faults(cell, run)?;
        progress.goodput(cell.measure.window, from, until)
    }),
    (MetricId::GoodputAfterPerS, |cell, run, progress| {
        let [.., (from, until)] = around_the_faults(cell, run)?;
        progress.goodput(cell.measure.window, from, until)
    }),
    (MetricId::GoodputPerS, |cell, _, progress| {
        let measure = &cell.measure;
        progress.goodput(measure.window, measure.warm_up, measure.arrivals_end)
    }),
    (MetricId::LatencyMeanMs, |_, _, progress| {
        progress.mean_latency().map(|seconds| seconds * 1e3)
    }),
    (MetricId::LatencyP50Ms, |_, _, progress| progress.estimate(0.5).map(Span::millis)),
    (MetricId::LatencyP99Ms, |_, _, progress| progress.estimate(0.99).map(Span::millis)),
    (MetricId::LatencyP999Ms, |_, _, progress| progress.estimate(0.999).map(Span::millis)),
    (MetricId::RecoveryS, |_, _, progress| match progress.recovery {
        Recovery::After(span) => Some(span.seconds()),
        Recovery::NoFault | Recovery::Never | Recovery::Unsteady | Recovery::Unseen => None,
    }),
    (MetricId::Unfinished, |_, _, progress| Some(progress.unfinished as f64)),
    (MetricId::UnfinishedRatio, |_, _, progress| {
        (progress.asked > 0).then(|| progress.unfinished as f64 / progress.asked as f64)
    }),
];

/// Those of an objective.
const OF_OBJECTIVES: [(MetricId, OfObjective); 7] = [
    (MetricId::GoodRatio, Account::good_ratio),
    (MetricId::BadEvents, |account| Some(account.bad as f64)),
    (MetricId::BudgetConsumed, Account::budget_consumed),
    (MetricId::BurnRateMax, |account| account.burn_rate_max),
    (MetricId::TimeToExhaustionS, Account::time_to_exhaustion),
    (MetricId::DegradedRatio, Account::degraded_ratio),
    (MetricId::UnfinishedRatio, |account| {
        let all = account.good + account.bad + account.unfinished;
        (all > 0).then(|| account.unfinished as f64 / all as f64)
    }),
];

/// The parts of the measured time before the first fault, from there to the end of the last one,
/// and after it; `None` if nothing went wrong before the run ended. One of them may be empty: it
/// ends before it begins.
fn around_the_faults(cell: &Cell, run: &RunResult) -> Option<[(Time, Time); 3]> {
    let (began, healed) = run.faults_act.filter(|(began, _)| *began < cell.limits.horizon)?;
    let (start, end) = (cell.measure.warm_up, cell.measure.arrivals_end);
    let before = (start, began.min(end));
    let during = (began.max(start), healed.min(end));
    Some([before, during, (healed.max(start), end)])
}

/// A quotient, or `None` if there was nothing to divide by.
pub(in crate::experiment) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::catalogue;

    #[test]
    fn every_metric_of_the_catalogue_is_measured() {
        for row in catalogue::of_runs().iter().chain(catalogue::of_twins()) {
            let _ = of(row.id, &OF_RUNS);
        }
        for (id, _) in catalogue::OF_MILESTONES {
            let _ = of(id, &OF_MILESTONES);
        }
        for (id, _) in catalogue::OF_OBJECTIVES {
            let _ = of(id, &OF_OBJECTIVES);
        }
    }
}
