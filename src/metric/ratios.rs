//! What the counts of a run come to: every ratio has the same requests above and below the line.

use super::measure::Measure;
use super::recorder::RunMetrics;
use super::recovery::Recovery;
use crate::kernel::time::{Span, Time};

impl RunMetrics {
    pub(super) fn count_fired(&mut self, fault: u32) {
        let index = fault as usize;
        if self.fired.len() <= index {
            self.fired.resize(index + 1, 0);
        }
        self.fired[index] += 1;
    }

    /// Messages and outbox events whose work was not done: left over, put aside, expired or lost.
    #[must_use]
    pub fn unhandled(&self) -> u64 {
        self.unprocessed + self.dead_letters + self.expired + self.lost_messages
    }

    /// How often the fault of this number fired.
    #[must_use]
    pub fn times_fired(&self, fault: usize) -> u64 {
        self.fired.get(fault).copied().unwrap_or(0)
    }

    /// Attempts of the load for each measured request: its amplification from end to end.
    #[must_use]
    pub fn amplification(&self) -> Option<f64> {
        ratio(self.attempts as f64, self.measured as f64)
    }

    /// Attempts of the load for each of its calls: its amplification at its own edge.
    #[must_use]
    pub fn edge_amplification(&self) -> Option<f64> {
        ratio(self.attempts as f64, self.calls as f64)
    }

    /// Attempts that users' clients made for each measured request.
    #[must_use]
    pub fn user_amplification(&self) -> Option<f64> {
        ratio(self.user_attempts as f64, self.measured as f64)
    }

    /// Attempts of the load that timed out, for each measured request.
    #[must_use]
    pub fn timeouts_per_request(&self) -> Option<f64> {
        ratio(self.timeouts as f64, self.measured as f64)
    }

    /// The share of answered measured requests that were answered `ok`: what has no answer at the
    /// end of the run is neither a success nor a failure.
    #[must_use]
    pub fn success_ratio(&self) -> Option<f64> {
        ratio(self.measured_ok as f64, (self.measured - self.unfinished) as f64)
    }

    /// The share of measured requests without an answer at the end of the run.
    #[must_use]
    pub fn unfinished_ratio(&self) -> Option<f64> {
        ratio(self.unfinished as f64, self.measured as f64)
    }

    /// The share of work on measured requests for which nobody waited any more.
    #[must_use]
    pub fn wasted_work(&self) -> Option<f64> {
        ratio(self.wasted as f64, self.worked as f64)
    }

    /// Requests answered `ok` a second in the whole windows between two times; `None` if there is
    /// no whole window.
    #[must_use]
    pub fn goodput(&self, window: Span, from: Time, until: Time) -> Option<f64> {
        let (first, end) = (from.0.div_ceil(window.0), until.0 / window.0);
        let whole = end.checked_sub(first).filter(|&windows| windows > 0)?;
        // Windows at the end in which nothing happened were never made.
        let windows = self.windows.iter().skip(first as usize).take(whole as usize);
        let answered: u64 = windows.map(|window| window.answered).sum();
        Some(answered as f64 / (whole as f64 * window.seconds()))
    }

    /// Whether and when the run recovered.
    #[must_use]
    pub fn recovery(&self, measure: &Measure) -> Recovery {
        match measure.faults {
            None => Recovery::NoFault,
            Some((began, healed)) => {
                measure.recovery.judge(&self.windows, measure.window, began, healed)
            }
        }
    }
}

/// A quotient, or `None` if there was nothing to divide by.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
