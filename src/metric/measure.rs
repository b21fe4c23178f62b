//! What of a run is measured: of what is asked, and when.

use super::recovery::RecoveryRule;
use crate::kernel::time::{Span, Time};
use crate::model::program::OperationId;
use crate::system::fact::Asked;

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// The requests that count; `None` counts every request of every user.
    pub operation: Option<OperationId>,
    /// Attempts at this operation are the load; `None` counts the attempts of the users.
    pub load: Option<OperationId>,
    /// The width of a window of the time series.
    pub window: Span,
    /// What counts as recovered.
    pub recovery: RecoveryRule,
    /// When the first fault began and the last one ended.
    pub faults: Option<(Time, Time)>,
    /// Users arrive until then.
    pub arrivals_end: Time,
    /// Requests asked before this time do not count: the system was still filling.
    pub warm_up: Time,
}

impl Measure {
    /// For how long is measured: from the end of the warm-up to the last arrival.
    #[must_use]
    pub fn measured_for(&self) -> Span {
        self.arrivals_end.since(self.warm_up)
    }

    /// An average over the measured time of something that lasted so many nanoseconds in all.
    #[must_use]
    pub fn average(&self, nanoseconds: u128) -> f64 {
        nanoseconds as f64 / self.measured_for().0 as f64
    }

    /// Whether what was asked is of the kind that is measured, whenever it was asked.
    pub(super) fn is_about(&self, asked: Asked) -> bool {
        let is_it = |operation| asked.is_by_a_user() && operation == asked.operation;
        self.operation.is_none_or(is_it)
    }

    /// Whether a request is measured. An attempt counts if, and only if, the request does on whose
    /// behalf it is made: so above and below the line of a ratio there are the same requests.
    pub(super) fn counts(&self, asked: Asked) -> bool {
        asked.is_by_a_user() && asked.at >= self.warm_up && self.is_about(asked)
    }
}
