//! Which number of a run a closed form is compared with.

use crate::experiment::campaign::Cell;
use crate::experiment::metrics::is_share;
use crate::experiment::run::RunResult;
use crate::kernel::time::Span;

/// A number of a run. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measured {
    /// One of the metrics by its name; those in milliseconds become seconds.
    Metric(&'static str),
    /// One less a metric.
    LessThanOne(&'static str),
    /// A metric less one.
    MoreThanOne(&'static str),
    /// This quantile of the latencies.
    Latency(f64),
    /// The variance of the latencies.
    LatencyVariance,
    /// The standard deviation of the latencies.
    LatencyDeviation,
    /// The share of latencies that are longer.
    LatencyAbove(f64),
    /// This quantile of the waits for a worker.
    Wait(f64),
    /// The variance of the waits.
    WaitVariance,
    /// The share of attempts that found at least so many at their node.
    Found(u32),
    /// Attempts at a node, at work or waiting, averaged over time.
    Present,
    /// Attempts that a worker took up, a second.
    Begun,
    /// Requests between two attempts, averaged over time.
    Orbit,
    /// How long a request was between attempts, by Little's law.
    OrbitTime,
    /// The variance of the attempts that users' clients made for a request.
    AttemptsVariance,
    /// Effects for each request.
    Effects,
    /// Effects beyond the first of their order, for each request.
    FurtherEffects,
    /// Orders for which the first invariant was broken, for each request.
    Violations,
    /// Rows read that were older than the newest, for so many rows read.
    OldRows(f64),
    /// Messages that queues accepted, for each event of the outbox.
    Published,
    /// Attempts of the load, a second.
    LoadRate,
    /// Calls that a caller's own policy denied.
    Denied,
}

impl Measured {
    /// Whether it is the share of something, from 0 to 1.
    pub(super) fn is_share(self) -> bool {
        match self {
            Measured::Metric(name) => is_share(name),
            Measured::LessThanOne(_)
            | Measured::LatencyAbove(_)
            | Measured::Found(_)
            | Measured::Violations => true,
            _ => false,
        }
    }

    /// The number in this run; `None` where there is none.
    #[must_use]
    pub fn of(self, cell: &Cell, run: &RunResult) -> Option<f64> {
        let metrics = &run.metrics;
        let stays = &metrics.stays;
        let requests = metrics.measured as f64;
        // Effects are counted from the start of the run, and so are all requests.
        let all = metrics.requests as f64;
        let for_each = |count: u64| (all > 0.0).then(|| count as f64 / all);
        match self {
            Measured::Metric(name) => metric(name, cell, run),
            Measured::LessThanOne(name) => metric(name, cell, run).map(|value| 1.0 - value),
            Measured::MoreThanOne(name) => metric(name, cell, run).map(|value| value - 1.0),
            Measured::Latency(p) => metrics.latency.quantile(p).map(Span::seconds),
            Measured::LatencyVariance => metrics.latency.variance(),
            Measured::LatencyDeviation => metrics.latency.variance().map(f64::sqrt),
            Measured::LatencyAbove(seconds) => {
                metrics.latency.share_above(Span::from_secs_f64(seconds))
            }
            Measured::Wait(p) => stays.wait_quantile(p).map(Span::seconds),
            Measured::WaitVariance => stays.wait.variance(),
            Measured::Found(least) => {
                stays.found.share_above(Span(u64::from(least.saturating_sub(1))))
            }
            Measured::Present => Some(cell.measure.average(stays.waiting + stays.working)),
            Measured::Begun => {
                let begun = (0..2).map(|again| stays.arrived[again] - stays.refused[again]);
                Some(begun.sum::<u64>() as f64 / cell.measure.measured_for().seconds())
            }
            Measured::Orbit => Some(orbit(cell, run)),
            Measured::OrbitTime => {
                let time = orbit(cell, run) * cell.measure.measured_for().seconds();
                (requests > 0.0).then(|| time / requests)
            }
            Measured::AttemptsVariance => {
                // They are recorded as if each were a nanosecond.
                metrics.attempts_each.variance().map(|variance| variance * 1e18)
            }
            Measured::Effects => for_each(metrics.effects),
            Measured::FurtherEffects => {
                for_each(metrics.effects - run.invariants.first()?.exposure)
            }
            Measured::Violations => for_each(run.invariants.first()?.violations),
            Measured::OldRows(reads) => {
                metric("stale_row_ratio", cell, run).map(|share| share * reads)
            }
            Measured::Published => {
                let events = metrics.outboxed as f64;
                (events > 0.0).then(|| metrics.relayed as f64 / events)
            }
            Measured::LoadRate => {
                Some(metrics.load_attempts as f64 / cell.measure.measured_for().seconds())
            }
            Measured::Denied => {
                let calls: u64 = metrics.edges.iter().map(|edge| edge.calls).sum();
                let denied: u64 = metrics.edges.iter().map(|edge| edge.denied).sum();
                (calls > 0).then(|| denied as f64 / calls as f64)
            }
        }
    }
}

fn metric(name: &str, cell: &Cell, run: &RunResult) -> Option<f64> {
    let index = cell.metrics.find(name)?;
    let scale = if name.ends_with("_ms") { 1e-3 } else { 1.0 };
    run.values[index].map(|value| value * scale)
}

/// Requests under way that are at no node.
fn orbit(cell: &Cell, run: &RunResult) -> f64 {
    let stays = &run.metrics.stays;
    let at_nodes = stays.waiting + stays.working;
    cell.measure.average(stays.in_flight.saturating_sub(at_nodes))
}
