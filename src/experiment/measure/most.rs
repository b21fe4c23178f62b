//! The most that a number of a run can be, where the length of the run says it.

use super::metrics::Metric;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Span;
use crate::metric::MetricId;

/// The most that a time can be in these runs of a cell, in the unit of the metric: a recovery takes
/// no longer than users come after the last fault, and nothing longer than the run. `None` of what
/// is no time.
pub(in crate::experiment) fn most<'a>(
    metric: &Metric,
    cell: &Cell,
    runs: impl Iterator<Item = &'a RunResult>,
) -> Option<f64> {
    let horizon = cell.limits.horizon.seconds();
    match metric.id {
        MetricId::RecoveryS => {
            let end = cell.measure.arrivals_end;
            let left = runs.filter_map(|run| Some(end.since(run.faults_act?.1.min(end))));
            left.max().map(Span::seconds)
        }
        MetricId::LastAnswerS
        | MetricId::OldestMessageS
        | MetricId::WorseForS
        | MetricId::SpreadS => Some(horizon),
        MetricId::LatencyMeanMs
        | MetricId::LatencyP50Ms
        | MetricId::LatencyP99Ms
        | MetricId::LatencyP999Ms
        | MetricId::WaitMeanMs
        | MetricId::WaitP99Ms
        | MetricId::StalenessP99Ms => Some(horizon * 1e3),
        _ => None,
    }
}
