//! What a run shows of the numbers that closed forms give.

use crate::experiment::measure::metrics::is_share as is_share_metric;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Span;
use crate::theory::Observable;

/// Whether an observable is the share of something, from 0 to 1.
pub(super) fn is_share(observable: Observable) -> bool {
    match observable {
        Observable::Metric(name) => is_share_metric(name),
        Observable::LessThanOne(_)
        | Observable::LatencyAbove(_)
        | Observable::Found(_)
        | Observable::Violations => true,
        _ => false,
    }
}

/// The number of an observable in this run; `None` where there is none.
pub(super) fn value(observable: Observable, cell: &Cell, run: &RunResult) -> Option<f64> {
    let metrics = &run.metrics;
    let stays = &metrics.stays;
    let requests = metrics.measured as f64;
    // Effects are counted from the start of the run, and so are all requests.
    let all = metrics.requests as f64;
    let for_each = |count: u64| (all > 0.0).then(|| count as f64 / all);
    match observable {
        Observable::Metric(name) => metric(name, cell, run),
        Observable::LessThanOne(name) => metric(name, cell, run).map(|value| 1.0 - value),
        Observable::MoreThanOne(name) => metric(name, cell, run).map(|value| value - 1.0),
        Observable::Latency(p) => metrics.latency.quantile(p).map(Span::seconds),
        Observable::LatencyVariance => metrics.latency.variance(),
        Observable::LatencyDeviation => metrics.latency.variance().map(f64::sqrt),
        Observable::LatencyAbove(seconds) => {
            metrics.latency.share_above(Span::from_secs_f64(seconds))
        }
        Observable::Wait(p) => stays.wait_quantile(p).map(Span::seconds),
        Observable::WaitVariance => stays.wait.variance(),
        Observable::Found(least) => {
            stays.found.share_above(Span(u64::from(least.saturating_sub(1))))
        }
        Observable::Present => Some(cell.measure.average(stays.waiting + stays.working)),
        Observable::Begun => {
            let begun = (0..2).map(|again| stays.arrived[again] - stays.refused[again]);
            Some(begun.sum::<u64>() as f64 / cell.measure.measured_for().seconds())
        }
        Observable::Orbit => Some(orbit(cell, run)),
        Observable::OrbitTime => {
            let time = orbit(cell, run) * cell.measure.measured_for().seconds();
            (requests > 0.0).then(|| time / requests)
        }
        Observable::AttemptsVariance => {
            // They are recorded as if each were a nanosecond.
            metrics.attempts_each.variance().map(|variance| variance * 1e18)
        }
        Observable::Effects => for_each(metrics.effects),
        Observable::FurtherEffects => for_each(metrics.effects - run.invariants.first()?.exposure),
        Observable::Violations => for_each(run.invariants.first()?.violations),
        Observable::OldRows(reads) => {
            metric("stale_row_ratio", cell, run).map(|share| share * reads)
        }
        Observable::Published => {
            let events = metrics.outboxed as f64;
            (events > 0.0).then(|| metrics.relayed as f64 / events)
        }
        Observable::LoadRate => {
            Some(metrics.load_attempts as f64 / cell.measure.measured_for().seconds())
        }
        Observable::Denied => {
            let calls: u64 = metrics.edges.iter().map(|edge| edge.calls).sum();
            let denied: u64 = metrics.edges.iter().map(|edge| edge.denied).sum();
            (calls > 0).then(|| denied as f64 / calls as f64)
        }
    }
}

fn metric(name: &str, cell: &Cell, run: &RunResult) -> Option<f64> {
    let index = cell.metrics.find(name)?;
    run.values[index].map(|value| value * cell.metrics[index].unit.to_base())
}

/// Requests under way that are at no node.
fn orbit(cell: &Cell, run: &RunResult) -> f64 {
    let stays = &run.metrics.stays;
    let at_nodes = stays.waiting + stays.working;
    cell.measure.average(stays.in_flight.saturating_sub(at_nodes))
}
