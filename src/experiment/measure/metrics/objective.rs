//! The numbers of an objective: how good its events were, and what of its budget is gone.

use super::MetricId;
use crate::metric::Account;
use crate::statistics::verdict::Direction;

/// A metric of objectives as it stands in the program.
pub(super) struct ObjectiveRow {
    pub(super) id: MetricId,
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) better: Direction,
    pub(super) is_share: bool,
    pub(super) measure: fn(&Account) -> Option<f64>,
}

impl ObjectiveRow {
    /// The row of a metric that objectives have.
    pub(super) fn of(id: MetricId) -> Option<&'static ObjectiveRow> {
        OBJECTIVE_ROWS.iter().find(|row| row.id == id)
    }
}

/// The metrics of an objective, in the order of the columns.
pub(super) const OBJECTIVE_ROWS: [ObjectiveRow; 7] = [
    ObjectiveRow {
        id: MetricId::GoodRatio,
        name: "good_ratio",
        meaning: "good events or slices of all that were good or bad",
        better: Direction::Higher,
        is_share: true,
        measure: Account::good_ratio,
    },
    ObjectiveRow {
        id: MetricId::BadEvents,
        name: "bad_events",
        meaning: "bad events or slices",
        better: Direction::Lower,
        is_share: false,
        measure: |account| Some(account.bad as f64),
    },
    ObjectiveRow {
        id: MetricId::BudgetConsumed,
        name: "budget_consumed",
        meaning: "share of the error budget of the whole window that the run uses up",
        better: Direction::Lower,
        is_share: false,
        measure: Account::budget_consumed,
    },
    ObjectiveRow {
        id: MetricId::BurnRateMax,
        name: "burn_rate_max",
        meaning: "greatest burn rate over a burn window: the share of bad events, divided by the \
                  share that may be bad",
        better: Direction::Lower,
        is_share: false,
        measure: |account| account.burn_rate_max,
    },
    ObjectiveRow {
        id: MetricId::TimeToExhaustionS,
        name: "time_to_exhaustion_s",
        meaning: "how long a whole error budget lasts at that rate; none where nothing burns",
        better: Direction::Higher,
        is_share: false,
        measure: Account::time_to_exhaustion,
    },
    ObjectiveRow {
        id: MetricId::DegradedRatio,
        name: "degraded_ratio",
        meaning: "answers in time that a degraded fallback served, of all answers that are events",
        better: Direction::Lower,
        is_share: true,
        measure: Account::degraded_ratio,
    },
    ObjectiveRow {
        id: MetricId::UnfinishedRatio,
        name: "unfinished_ratio",
        meaning: "events or slices of which it is not known yet, of all",
        better: Direction::Lower,
        is_share: true,
        measure: |account| {
            let all = account.good + account.bad + account.unfinished;
            (all > 0).then(|| account.unfinished as f64 / all as f64)
        },
    },
];
