//! The windows of what a run measures, and what chance may have done to when they came back.

use std::borrow::Cow;

use super::result::RunResult;
use crate::experiment::plan::cell::Cell;
use crate::metric::{Recovery, RunMetrics, Window};

/// The windows of what is measured: of replies, or of a milestone in their place.
pub(in crate::experiment) fn cohorts<'m>(
    cell: &Cell,
    metrics: &'m RunMetrics,
) -> Cow<'m, [Window]> {
    let Some(place) = cell.measured else { return Cow::Borrowed(&metrics.windows) };
    let (within, end) = (cell.milestones[place].within, cell.limits.horizon);
    Cow::Owned(metrics.milestones[place].cohorts(within, cell.measure.window, end))
}

/// What chance may have done to when a run recovered: windows of few requests are below the level
/// before at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByChance {
    /// Whether it came back.
    pub came_back: bool,
    /// Whether it did after a time that chance explains.
    pub late: bool,
    /// Whether it did not, though over all of the time after the faults requests fared as before.
    pub never: bool,
}

impl RunResult {
    /// What chance may have done to when it recovered.
    #[must_use]
    pub fn by_chance(&self, cell: &Cell) -> ByChance {
        let is_late = || {
            let (Recovery::After(long), Some(acts)) = (self.recovery, self.faults_act) else {
                return false;
            };
            let windows = cohorts(cell, &self.metrics);
            cell.measure.recovery.is_by_chance(long, &windows, cell.measure.window, acts)
        };
        ByChance {
            came_back: matches!(self.recovery, Recovery::After(_)),
            late: is_late(),
            never: self.recovery == Recovery::Unsteady,
        }
    }
}
