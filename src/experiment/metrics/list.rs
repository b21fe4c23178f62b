//! The list of what is measured of each run of a campaign.

use std::borrow::Cow;
use std::ops::Deref;

use super::{ROWS, Row};
use crate::experiment::campaign::Cell;
use crate::experiment::run::RunResult;
use crate::experiment::statistics::verdict::Direction;

/// Which number of a run a metric is, whatever results call it. In the order of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricId {
    /// `amplification`.
    Amplification,
    /// `edge_amplification`.
    EdgeAmplification,
    /// `user_amplification`.
    UserAmplification,
    /// `success_ratio`.
    SuccessRatio,
    /// `unfinished_ratio`.
    UnfinishedRatio,
    /// `goodput_before_per_s`.
    GoodputBeforePerS,
    /// `goodput_during_per_s`.
    GoodputDuringPerS,
    /// `goodput_after_per_s`.
    GoodputAfterPerS,
    /// `goodput_per_s`.
    GoodputPerS,
    /// `latency_mean_ms`.
    LatencyMeanMs,
    /// `latency_p50_ms`.
    LatencyP50Ms,
    /// `latency_p99_ms`.
    LatencyP99Ms,
    /// `latency_p999_ms`.
    LatencyP999Ms,
    /// `last_answer_s`.
    LastAnswerS,
    /// `timeouts_per_request`.
    TimeoutsPerRequest,
    /// `wait_mean_ms`.
    WaitMeanMs,
    /// `wait_p99_ms`.
    WaitP99Ms,
    /// `queued_ratio`.
    QueuedRatio,
    /// `refused_first_ratio`.
    RefusedFirstRatio,
    /// `refused_again_ratio`.
    RefusedAgainRatio,
    /// `waiting_mean`.
    WaitingMean,
    /// `working_mean`.
    WorkingMean,
    /// `in_flight_mean`.
    InFlightMean,
    /// `recovery_s`.
    RecoveryS,
    /// `wasted_work`.
    WastedWork,
    /// `ejections`.
    Ejections,
    /// `panics`.
    Panics,
    /// `oldest_message_s`.
    OldestMessageS,
    /// `dead_letters`.
    DeadLetters,
    /// `unprocessed`.
    Unprocessed,
    /// `stale_read_ratio`.
    StaleReadRatio,
    /// `old_row_ratio`.
    OldRowRatio,
    /// `staleness_p99_ms`.
    StalenessP99Ms,
    /// `updates_lost`.
    UpdatesLost,
    /// `commits_lost`.
    CommitsLost,
    /// `older_read_ratio`.
    OlderReadRatio,
}

impl MetricId {
    /// Its place among the [`Metrics`] of every campaign.
    #[must_use]
    pub fn place(self) -> usize {
        self as usize
    }
}

/// A number of a run that is averaged over seeds.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Which one it is.
    pub id: MetricId,
    /// Its name in results, with its unit.
    pub name: Cow<'static, str>,
    /// What it is.
    pub meaning: Cow<'static, str>,
    /// Which way it is good.
    pub better: Direction,
    /// Whether it is a share, from 0 to 1.
    pub is_share: bool,
    /// How it is measured when a run ends; `None` where there is no such number.
    pub(super) measure: fn(&Cell, &RunResult) -> Option<f64>,
}

/// Every number of a campaign's runs that is averaged over seeds, in the order of the columns.
#[derive(Clone, Debug)]
pub struct Metrics(Vec<Metric>);

impl Metrics {
    /// Those that every run has.
    #[must_use]
    pub fn of_runs() -> Metrics {
        let metric = |row: &Row| Metric {
            id: row.id,
            name: Cow::Borrowed(row.name),
            meaning: Cow::Borrowed(row.meaning),
            better: row.better,
            is_share: row.is_share,
            measure: row.measure,
        };
        Metrics(ROWS.iter().map(metric).collect())
    }

    /// The place of the metric of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.iter().position(|metric| metric.name == name)
    }
}

impl Deref for Metrics {
    type Target = [Metric];

    fn deref(&self) -> &[Metric] {
        &self.0
    }
}

/// Whether the metric of this name is a share, from 0 to 1.
#[must_use]
pub fn is_share(name: &str) -> bool {
    ROWS.iter().any(|row| row.name == name && row.is_share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_stands_at_the_place_of_its_id() {
        for (place, metric) in Metrics::of_runs().iter().enumerate() {
            assert_eq!(metric.id.place(), place, "{}", metric.name);
        }
    }
}
