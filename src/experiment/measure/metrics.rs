//! The numbers of a run that are averaged over seeds.

mod blast_radius;
mod list;
mod milestone;
mod most;
mod objective;
mod renamed;

use super::amplification;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::RunResult;
use crate::kernel::time::{Span, Time};
use crate::metric::Recovery;
use crate::statistics::verdict::Direction;

pub(in crate::experiment) use list::is_metric;
pub use list::{COST, Metric, MetricId, Metrics, Of, REPLY, is_share};
pub(in crate::experiment) use most::most;
pub(in crate::experiment) use renamed::{now_called, renamed};

/// A metric as it stands in the program.
struct Row {
    id: MetricId,
    name: &'static str,
    meaning: &'static str,
    better: Direction,
    is_share: bool,
    measure: Measured,
}

/// The value of a metric in a run; `None` where there is none.
type Measured = fn(&Cell, &RunResult) -> Option<f64>;

/// The metrics that every run has, in the order of the columns.
const ROWS: [Row; 42] = [
    Row {
        id: MetricId::Amplification,
        name: "amplification",
        meaning: "attempts of the load on behalf of measured requests, for each of these requests",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| run.metrics.amplification(),
    },
    Row {
        id: MetricId::EdgeAmplification,
        name: "edge_amplification",
        meaning: "attempts of the load per call at its own edge, on behalf of measured requests",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| run.metrics.edge_amplification(),
    },
    Row {
        id: MetricId::UserAmplification,
        name: "user_amplification",
        meaning: "attempts that users' clients made per measured request",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| run.metrics.user_amplification(),
    },
    Row {
        id: MetricId::SuccessRatio,
        name: "success_ratio",
        meaning: "measured requests answered ok in time, of all of them that were answered",
        better: Direction::Higher,
        is_share: true,
        measure: |_, run| run.metrics.success_ratio(),
    },
    Row {
        id: MetricId::UnfinishedRatio,
        name: "unfinished_ratio",
        meaning: "measured requests without an answer when the run ended, of all measured requests",
        better: Direction::Lower,
        is_share: true,
        measure: |_, run| run.metrics.unfinished_ratio(),
    },
    Row {
        id: MetricId::GoodputBeforePerS,
        name: "goodput_before_per_s",
        meaning: "requests answered ok a second before the first fault",
        better: Direction::Higher,
        is_share: false,
        measure: |cell, run| {
            let [(from, until), ..] = around_the_faults(cell, run)?;
            run.metrics.goodput(cell.measure.window, from, until)
        },
    },
    Row {
        id: MetricId::GoodputDuringPerS,
        name: "goodput_during_per_s",
        meaning: "requests answered ok a second from the first fault to the end of the last",
        better: Direction::Higher,
        is_share: false,
        measure: |cell, run| {
            let [_, (from, until), _] = around_the_faults(cell, run)?;
            run.metrics.goodput(cell.measure.window, from, until)
        },
    },
    Row {
        id: MetricId::GoodputAfterPerS,
        name: "goodput_after_per_s",
        meaning: "requests answered ok a second from the end of the last fault to the last arrival",
        better: Direction::Higher,
        is_share: false,
        measure: |cell, run| {
            let [.., (from, until)] = around_the_faults(cell, run)?;
            run.metrics.goodput(cell.measure.window, from, until)
        },
    },
    Row {
        id: MetricId::GoodputPerS,
        name: "goodput_per_s",
        meaning: "measured requests answered ok a second of the measured time",
        better: Direction::Higher,
        is_share: false,
        measure: |cell, run| {
            let measured_for = cell.measure.measured_for().seconds();
            Some(run.metrics.measured_ok as f64 / measured_for)
        },
    },
    Row {
        id: MetricId::LatencyMeanMs,
        name: "latency_mean_ms",
        meaning: "mean time from a request's first attempt to its ok answer",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| {
            let total = run.metrics.latency_total as f64 / 1e6;
            (run.metrics.measured_ok > 0).then(|| total / run.metrics.measured_ok as f64)
        },
    },
    Row {
        id: MetricId::LatencyP50Ms,
        name: "latency_p50_ms",
        meaning: "median time from a request's first attempt to its ok answer",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| run.metrics.latency.estimate(0.5).map(Span::millis),
    },
    Row {
        id: MetricId::LatencyP99Ms,
        name: "latency_p99_ms",
        meaning: "99th percentile of that time",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| run.metrics.latency.estimate(0.99).map(Span::millis),
    },
    Row {
        id: MetricId::LatencyP999Ms,
        name: "latency_p999_ms",
        meaning: "99.9th percentile of that time",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| run.metrics.latency.estimate(0.999).map(Span::millis),
    },
    Row {
        id: MetricId::LastAnswerS,
        name: "last_answer_s",
        meaning: "time from the start of the run to the last answer to a measured request",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| {
            let last = run.metrics.last_answer;
            (last > Time::ZERO).then(|| last.seconds())
        },
    },
    Row {
        id: MetricId::TimeoutsPerRequest,
        name: "timeouts_per_request",
        meaning: "attempts of the load that timed out, for each measured request",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| run.metrics.timeouts_per_request(),
    },
    Row {
        id: MetricId::WaitMeanMs,
        name: "wait_mean_ms",
        meaning: "mean time that attempts of the load waited for a worker",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| run.metrics.stays.mean_wait().map(Span::millis),
    },
    Row {
        id: MetricId::WaitP99Ms,
        name: "wait_p99_ms",
        meaning: "99th percentile of that time",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| {
            run.metrics.stays.waits().estimate(0.99)?;
            run.metrics.stays.wait_quantile(0.99).map(Span::millis)
        },
    },
    Row {
        id: MetricId::QueuedRatio,
        name: "queued_ratio",
        meaning: "attempts of the load that had to wait for a worker, of all that came to a node",
        better: Direction::Lower,
        is_share: true,
        measure: |_, run| run.metrics.stays.queued_ratio(),
    },
    Row {
        id: MetricId::RefusedFirstRatio,
        name: "refused_first_ratio",
        meaning: "first attempts of the load that no worker took up, of all that came to a node",
        better: Direction::Lower,
        is_share: true,
        measure: |_, run| run.metrics.stays.refused_ratio(0),
    },
    Row {
        id: MetricId::RefusedAgainRatio,
        name: "refused_again_ratio",
        meaning: "retries of the load that no worker took up, of all that came to a node",
        better: Direction::Lower,
        is_share: true,
        measure: |_, run| run.metrics.stays.refused_ratio(1),
    },
    Row {
        id: MetricId::WaitingMean,
        name: "waiting_mean",
        meaning: "attempts of the load that waited for a worker, averaged over the measured time",
        better: Direction::Lower,
        is_share: false,
        measure: |cell, run| Some(cell.measure.average(run.metrics.stays.waiting)),
    },
    Row {
        id: MetricId::WorkingMean,
        name: "working_mean",
        meaning: "workers taken by attempts of the load, averaged over the measured time",
        better: Direction::Lower,
        is_share: false,
        measure: |cell, run| Some(cell.measure.average(run.metrics.stays.working)),
    },
    Row {
        id: MetricId::InFlightMean,
        name: "in_flight_mean",
        meaning: "requests without an answer yet, averaged over the measured time",
        better: Direction::Lower,
        is_share: false,
        measure: |cell, run| Some(cell.measure.average(run.metrics.stays.in_flight)),
    },
    Row {
        id: MetricId::RecoveryS,
        name: "recovery_s",
        meaning: "time from the end of the last fault until requests fare as before and stay so; \
                  only of the runs that recovered",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| match run.reply_recovery {
            Recovery::After(span) => Some(span.seconds()),
            Recovery::NoFault | Recovery::Never | Recovery::Unsteady | Recovery::Unseen => None,
        },
    },
    Row {
        id: MetricId::WastedWork,
        name: "wasted_work",
        meaning: "share of service time spent on work for which nobody waited any more",
        better: Direction::Lower,
        is_share: true,
        measure: |_, run| run.metrics.wasted_work(),
    },
    Row {
        id: MetricId::Ejections,
        name: "ejections",
        meaning: "instances that processes left out of their balancing because they failed",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| Some(run.metrics.ejections as f64),
    },
    Row {
        id: MetricId::Panics,
        name: "panics",
        meaning: "requests sent to any instance because too few were healthy",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| Some(run.metrics.panics as f64),
    },
    Row {
        id: MetricId::OldestMessageS,
        name: "oldest_message_s",
        meaning: "longest time that a message's work was due before it was done with",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| Some(run.metrics.oldest_message.seconds()),
    },
    Row {
        id: MetricId::DeadLetters,
        name: "dead_letters",
        meaning: "messages put aside because they were received too often",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| Some(run.metrics.dead_letters as f64),
    },
    Row {
        id: MetricId::Unprocessed,
        name: "unprocessed",
        meaning: "messages and outbox events that were not done with when the run ended",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| Some(run.metrics.unprocessed as f64),
    },
    Row {
        id: MetricId::ReadYourWritesViolationRatio,
        name: "read_your_writes_violation_ratio",
        meaning: "reads of a user's own write that showed an older version, of all such reads",
        better: Direction::Lower,
        is_share: true,
        measure: |_, run| ratio(run.metrics.stale_reads, run.metrics.reads_back),
    },
    Row {
        id: MetricId::StaleRowRatio,
        name: "stale_row_ratio",
        meaning: "rows read that were older than the newest version committed, of all rows read",
        better: Direction::Lower,
        is_share: true,
        measure: |_, run| ratio(run.metrics.old_row_reads, run.metrics.row_reads),
    },
    Row {
        id: MetricId::StalenessP99Ms,
        name: "staleness_p99_ms",
        meaning: "99th percentile of how long a newer version had been there when a row was read",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| run.metrics.staleness.estimate(0.99).map(Span::millis),
    },
    Row {
        id: MetricId::UpdatesLost,
        name: "updates_lost",
        meaning: "transactions that overwrote a version that their handlers had not read",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| Some(run.metrics.updates_lost as f64),
    },
    Row {
        id: MetricId::CommitsLost,
        name: "commits_lost",
        meaning: "committed transactions that a failover lost",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| Some(run.metrics.commits_lost as f64),
    },
    Row {
        id: MetricId::MonotonicReadsViolationRatio,
        name: "monotonic_reads_violation_ratio",
        meaning: "reads that showed an older version than the user had seen, of all that could",
        better: Direction::Lower,
        is_share: true,
        measure: |_, run| ratio(run.metrics.older_reads, run.metrics.reads_again),
    },
    Row {
        id: MetricId::WorstAmplification,
        name: "worst_amplification",
        meaning: "attempts at the edge where retries multiply most, for each without any retry",
        better: Direction::Lower,
        is_share: false,
        measure: |cell, run| {
            let worst = amplification::worst(&cell.program, &run.metrics.edges);
            Some(worst.map_or(1.0, |(_, times)| times))
        },
    },
    Row {
        id: MetricId::PeakLoadPerS,
        name: "peak_load_per_s",
        meaning: "the most attempts of the load a second, in one window",
        better: Direction::Lower,
        is_share: false,
        measure: |cell, run| {
            let most = run.metrics.windows.iter().map(|window| window.attempts).max()?;
            Some(most as f64 / cell.measure.window.seconds())
        },
    },
    Row {
        id: MetricId::Unhandled,
        name: "unhandled",
        meaning: "messages and outbox events whose work was not done: left over when the run \
                  ended, put aside, expired or lost",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| Some(run.metrics.unhandled() as f64),
    },
    Row {
        id: MetricId::PoolWaitP99Ms,
        name: "pool_wait_p99_ms",
        meaning: "99th percentile of the time that handlers waited for a place of a pool",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| run.metrics.pool_waits.estimate(0.99).map(Span::millis),
    },
    Row {
        id: MetricId::PoolTimeouts,
        name: "pool_timeouts",
        meaning: "handlers that waited for a place of a pool in vain",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| Some(run.metrics.pool_timeouts as f64),
    },
    Row {
        id: MetricId::ConnectionsOpened,
        name: "connections_opened",
        meaning: "connections that processes opened, where their policies limit them",
        better: Direction::Lower,
        is_share: false,
        measure: |_, run| Some(run.metrics.connections_opened as f64),
    },
];

/// A whole number of a run, which is not averaged.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// Its name in results.
    pub name: &'static str,
    /// Its value in a run.
    pub value: fn(&RunResult) -> u64,
}

const fn count(name: &'static str, value: fn(&RunResult) -> u64) -> Count {
    Count { name, value }
}

/// Every whole number of a run, in the order of the columns.
pub const COUNTS: [Count; 13] = [
    count("events", |run| run.events),
    count("requests", |run| run.metrics.requests),
    count("ok", |run| run.metrics.ok),
    count("failed", |run| run.metrics.failed.total()),
    count("unanswered", |run| run.metrics.unanswered),
    count("measured", |run| run.metrics.measured),
    count("measured_ok", |run| run.metrics.measured_ok),
    count("user_attempts", |run| run.metrics.user_attempts),
    count("calls", |run| run.metrics.calls),
    count("attempts", |run| run.metrics.attempts),
    count("load_attempts", |run| run.metrics.load_attempts),
    count("effects", |run| run.metrics.effects),
    count("fault_fired", |run| run.metrics.fired.iter().sum()),
];

/// The value of each of the cell's metrics in a run that has just ended.
pub(in crate::experiment) fn measured(cell: &Cell, run: &RunResult) -> Vec<Option<f64>> {
    cell.metrics.iter().map(|metric| metric.value(cell, run)).collect()
}

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
