//! The numbers of a milestone. Those that replies have too carry the same names.

use super::{MetricId, around_the_faults};
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::RunResult;
use crate::kernel::time::Span;
use crate::metric::{Progress, Recovery};
use crate::statistics::verdict::Direction;

/// A metric of milestones as it stands in the program.
pub(super) struct MilestoneRow {
    pub(super) id: MetricId,
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) better: Direction,
    pub(super) is_share: bool,
    pub(super) measure: fn(&Cell, &RunResult, &Progress) -> Option<f64>,
}

impl MilestoneRow {
    /// The row of a metric that milestones have.
    pub(super) fn of(id: MetricId) -> Option<&'static MilestoneRow> {
        MILESTONE_ROWS.iter().find(|row| row.id == id)
    }
}

/// The metrics of a milestone, in the order of the columns.
pub(super) const MILESTONE_ROWS: [MilestoneRow; 12] = [
    MilestoneRow {
        id: MetricId::SuccessRatio,
        name: "success_ratio",
        meaning: "measured requests that reached the milestone in time, of all that did or failed",
        better: Direction::Higher,
        is_share: true,
        measure: |_, _, progress| progress.success_ratio(),
    },
    MilestoneRow {
        id: MetricId::GoodputBeforePerS,
        name: "goodput_before_per_s",
        meaning: "milestones reached in time a second before the first fault",
        better: Direction::Higher,
        is_share: false,
        measure: |cell, run, progress| {
            let [(from, until), ..] = around_the_faults(cell, run)?;
            progress.goodput(cell.measure.window, from, until)
        },
    },
    MilestoneRow {
        id: MetricId::GoodputDuringPerS,
        name: "goodput_during_per_s",
        meaning: "milestones reached in time a second from the first fault to the end of the last",
        better: Direction::Higher,
        is_share: false,
        measure: |cell, run, progress| {
            let [_, (from, until), _] = around_the_faults(cell, run)?;
            progress.goodput(cell.measure.window, from, until)
        },
    },
    MilestoneRow {
        id: MetricId::GoodputAfterPerS,
        name: "goodput_after_per_s",
        meaning: "milestones reached in time a second from the end of the last fault to the last \
                  arrival",
        better: Direction::Higher,
        is_share: false,
        measure: |cell, run, progress| {
            let [.., (from, until)] = around_the_faults(cell, run)?;
            progress.goodput(cell.measure.window, from, until)
        },
    },
    MilestoneRow {
        id: MetricId::GoodputPerS,
        name: "goodput_per_s",
        meaning: "milestones reached in time a second, from the warm-up to the last arrival, \
                  whenever they were asked for",
        better: Direction::Higher,
        is_share: false,
        measure: |cell, _, progress| {
            let measure = &cell.measure;
            progress.goodput(measure.window, measure.warm_up, measure.arrivals_end)
        },
    },
    MilestoneRow {
        id: MetricId::LatencyMeanMs,
        name: "latency_mean_ms",
        meaning: "mean time from a request's first attempt to the milestone; none where any is \
                  unfinished",
        better: Direction::Lower,
        is_share: false,
        measure: |_, _, progress| progress.mean_latency().map(|seconds| seconds * 1e3),
    },
    MilestoneRow {
        id: MetricId::LatencyP50Ms,
        name: "latency_p50_ms",
        meaning: "median time from a request's first attempt to the milestone",
        better: Direction::Lower,
        is_share: false,
        measure: |_, _, progress| progress.estimate(0.5).map(Span::millis),
    },
    MilestoneRow {
        id: MetricId::LatencyP99Ms,
        name: "latency_p99_ms",
        meaning: "99th percentile of the time to the milestone",
        better: Direction::Lower,
        is_share: false,
        measure: |_, _, progress| progress.estimate(0.99).map(Span::millis),
    },
    MilestoneRow {
        id: MetricId::LatencyP999Ms,
        name: "latency_p999_ms",
        meaning: "99.9th percentile of the time to the milestone",
        better: Direction::Lower,
        is_share: false,
        measure: |_, _, progress| progress.estimate(0.999).map(Span::millis),
    },
    MilestoneRow {
        id: MetricId::RecoveryS,
        name: "recovery_s",
        meaning: "time from the end of the last fault until requests reach the milestone as before \
                  and stay so; only of the runs that recovered",
        better: Direction::Lower,
        is_share: false,
        measure: |_, _, progress| match progress.recovery {
            Recovery::After(span) => Some(span.seconds()),
            Recovery::NoFault | Recovery::Never | Recovery::Unsteady | Recovery::Unseen => None,
        },
    },
    MilestoneRow {
        id: MetricId::Unfinished,
        name: "unfinished",
        meaning: "measured requests on their way to the milestone when the run ended",
        better: Direction::Lower,
        is_share: false,
        measure: |_, _, progress| Some(progress.unfinished as f64),
    },
    MilestoneRow {
        id: MetricId::UnfinishedRatio,
        name: "unfinished_ratio",
        meaning: "these, of all measured requests",
        better: Direction::Lower,
        is_share: true,
        measure: |_, _, progress| {
            (progress.asked > 0).then(|| progress.unfinished as f64 / progress.asked as f64)
        },
    },
];
