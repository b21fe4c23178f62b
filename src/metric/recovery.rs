//! Recovery: when, after the last fault is gone, requests fare again as they did before the first.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::Window;
use crate::kernel::time::{Span, Time};
use crate::model::quantity::Share;

/// What counts as recovered.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RecoveryRule {
    /// The share of the success ratio before the faults that must be reached again.
    pub band: Share,
    /// For how long it must stay reached, or to the end if that comes first.
    pub hold: Span,
}

impl Default for RecoveryRule {
    fn default() -> RecoveryRule {
        RecoveryRule { band: Share(0.95), hold: Span::from_secs(30) }
    }
}

/// Whether and when a run recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Recovery {
    /// There was nothing to recover from.
    NoFault,
    /// So long after the faults were gone, in whole windows.
    After(Span),
    /// Not before the end of the run: it stayed down.
    Never,
    /// Not before the end of the run, though over all of the time after the faults requests fared
    /// as before, as far as chance lets one see it: small windows are below now and then.
    Unsteady,
    /// Nothing can be said: nothing succeeded in a whole window before the faults, or nobody asked
    /// for anything in one after them.
    Unseen,
}

impl Recovery {
    /// Whether it recovered; `None` where nothing can be said.
    #[must_use]
    pub fn came_back(self) -> Option<bool> {
        match self {
            Recovery::NoFault | Recovery::Unseen => None,
            Recovery::After(_) => Some(true),
            Recovery::Never | Recovery::Unsteady => Some(false),
        }
    }
}

impl RecoveryRule {
    /// Judges a run by its windows of requests, by when they were first asked.
    ///
    /// `began` is when the first fault began and `healed` when the last one ended. The success
    /// ratio of a window is that of the requests first asked in it (cohort success, ground truth
    /// of the metastability protocol), compared with `band` times the ratio of all requests asked
    /// before `began`.
    #[must_use]
    pub fn judge(&self, windows: &[Window], width: Span, began: Time, healed: Time) -> Recovery {
        let index_of = |time: Time| (time.0 / width.0) as usize;
        let before = Cohort::of(&windows[..index_of(began).min(windows.len())]);
        if before.succeeded == 0 {
            return Recovery::Unseen;
        }
        let least = self.band.0 * before.ratio();
        let is_good = |window: &Window| window.succeeded as f64 >= least * window.asked as f64;
        // The first whole window after the faults.
        let first = healed.0.div_ceil(width.0) as usize;
        let after = windows.get(first..).unwrap_or_default();
        let after = &after[..after.iter().rposition(|w| w.asked > 0).map_or(0, |last| last + 1)];
        if after.is_empty() {
            return Recovery::Unseen;
        }
        let hold = self.hold.0.div_ceil(width.0) as usize;
        let recovered = (0..after.len())
            .find(|&start| after[start..after.len().min(start + hold)].iter().all(is_good));
        match recovered {
            Some(start) => Recovery::After(Span((first + start) as u64 * width.0 - healed.0)),
            None if Cohort::of(after).is_below(before, self.band) => Recovery::Never,
            None => Recovery::Unsteady,
        }
    }

    /// Whether chance explains that a run took so `long` to recover: between the last fault and
    /// then some windows were below the level before, and all of them together were not.
    ///
    /// The other arguments are those of [`RecoveryRule::judge`].
    #[must_use]
    pub fn is_by_chance(
        &self,
        long: Span,
        windows: &[Window],
        width: Span,
        (began, healed): (Time, Time),
    ) -> bool {
        let until = |time: Time| &windows[..((time.0 / width.0) as usize).min(windows.len())];
        let first = healed.0.div_ceil(width.0) as usize;
        let late = until(healed + long).get(first..).unwrap_or_default();
        !late.is_empty() && !Cohort::of(late).is_below(Cohort::of(until(began)), self.band)
    }
}

/// All requests that were first asked in some windows.
#[derive(Clone, Copy)]
struct Cohort {
    asked: u64,
    succeeded: u64,
}

/// What a normal number exceeds in 1 of 100 cases.
const CHANCE_Z: f64 = 2.326_347_874_040_841;

impl Cohort {
    fn of(windows: &[Window]) -> Cohort {
        Cohort {
            asked: windows.iter().map(|window| window.asked).sum(),
            succeeded: windows.iter().map(|window| window.succeeded).sum(),
        }
    }

    /// The success ratio; 1 if nobody asked.
    fn ratio(self) -> f64 {
        if self.asked == 0 { 1.0 } else { self.succeeded as f64 / self.asked as f64 }
    }

    /// Whether its success ratio is below `band` times that of another, by more than chance lets
    /// two such shares differ in 1 of 100 cases (the normal approximation).
    fn is_below(self, other: Cohort, band: Share) -> bool {
        let variance = |of: Cohort| of.ratio() * (1.0 - of.ratio()) / of.asked.max(1) as f64;
        let error = (variance(self) + band.0 * band.0 * variance(other)).sqrt();
        self.ratio() < band.0 * other.ratio() - CHANCE_Z * error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(successes: &[u64], began: u64, healed: u64) -> Recovery {
        let windows: Vec<Window> = successes
            .iter()
            .map(|&succeeded| Window { asked: 100, succeeded, ..Window::default() })
            .collect();
        let second = |at: u64| Time(at * 1_000_000_000);
        let rule = RecoveryRule { band: Share(0.95), hold: Span::from_secs(3) };
        rule.judge(&windows, Span::from_secs(1), second(began), second(healed))
    }

    #[test]
    fn recovery_needs_to_last() {
        let seconds = |count| Recovery::After(Span::from_secs(count));
        assert_eq!(judge(&[90, 90, 0, 0, 90, 90, 90], 2, 4), seconds(0));
        // One window of each three is below by chance, and all of them together are not.
        assert_eq!(judge(&[90, 90, 0, 84, 99, 84, 99, 84], 2, 3), Recovery::Unsteady);
        assert_eq!(judge(&[90, 90, 0, 60, 99, 60, 99, 60], 2, 3), Recovery::Never);
        assert_eq!(judge(&[90, 90, 0, 0, 10, 90, 10, 90, 90, 90], 2, 4), seconds(3));
        assert_eq!(judge(&[90, 90, 0, 0, 0, 0, 0, 0], 2, 4), Recovery::Never);
        // A lasting end of the run counts, an empty rest does not.
        assert_eq!(judge(&[90, 90, 0, 0, 10, 90], 2, 4), seconds(1));
    }

    #[test]
    fn without_requests_before_and_after_the_faults_nothing_can_be_said() {
        assert_eq!(judge(&[0, 0, 90, 90], 0, 2), Recovery::Unseen);
        assert_eq!(judge(&[90, 90, 0, 0], 2, 4), Recovery::Unseen);
        assert_eq!(judge(&[90, 90], 2, 4), Recovery::Unseen);
    }

    #[test]
    fn the_band_is_relative_to_the_time_before() {
        assert_eq!(judge(&[50, 50, 0, 48, 48, 48], 2, 3), Recovery::After(Span::ZERO));
        assert_eq!(judge(&[50, 50, 0, 47, 47, 47], 2, 3), Recovery::Unsteady);
        assert_eq!(judge(&[50, 50, 0, 30, 30, 30], 2, 3), Recovery::Never);
    }
}
