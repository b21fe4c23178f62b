//! What became of requests on their way to a milestone.

use serde::{Deserialize, Serialize};

use crate::kernel::time::{Span, Time};
use crate::metric::counts::Window;
use crate::metric::histogram::{Histogram, is_enough};
use crate::metric::measure::Measure;
use crate::metric::recovery::Recovery;

/// What became of measured requests on their way to a milestone. Each is reached, failed or
/// unfinished.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Progress {
    /// Requests that are followed.
    pub asked: u64,
    /// Those that reached it in time.
    pub reached: u64,
    /// Those that did not: they reached it too late, or their time was up, or nothing was under way
    /// for them any more when the run ended.
    pub failed: u64,
    /// Of those that failed, the ones that reached it too late.
    pub late: u64,
    /// Those that were answered `ok` in time, but by a fallback that serves less; reached or failed
    /// all the same. None where requests are not followed to their answers.
    pub degraded: u64,
    /// Those for which something was still under way when the run ended, and whose time was not up.
    pub unfinished: u64,
    /// How long it took from the user's first attempt on, of all that reached it, late ones too.
    pub latency: Histogram,
    /// The sum of these times, in nanoseconds.
    pub latency_total: u128,
    /// How old the unfinished ones were when the run ended, those whose time was up too.
    pub unfinished_age: Histogram,
    /// The sum of these ages, in nanoseconds.
    pub unfinished_age_total: u128,
    /// By window, from the start of the run.
    pub windows: Vec<MilestoneWindow>,
    /// Whether and when requests fared again as before the faults.
    pub recovery: Recovery,
}

/// What happened in one window of time on the way to a milestone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct MilestoneWindow {
    /// Requests first asked in it.
    pub asked: u64,
    /// Those of them that reached the milestone in time.
    pub succeeded: u64,
    /// Those of them that were unfinished when the run ended.
    pub unfinished: u64,
    /// Requests that reached it in time in this window, whenever they were asked; none before the
    /// warm-up ends.
    pub reached: u64,
}

impl MilestoneWindow {
    /// Requests first asked in it that did not reach the milestone in time, and will not.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.asked - self.succeeded - self.unfinished
    }
}

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It reached the milestone then.
    Reached(Time),
    /// It did not, and nothing is under way for it.
    Failed,
    /// It has not, and something is under way for it at the end of the run.
    Unfinished,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress {
            asked: 0,
            reached: 0,
            failed: 0,
            late: 0,
            degraded: 0,
            unfinished: 0,
            latency: Histogram::default(),
            latency_total: 0,
            unfinished_age: Histogram::default(),
            unfinished_age_total: 0,
            windows: Vec::new(),
            recovery: Recovery::NoFault,
        }
    }
}

impl Progress {
    /// Counts a request that was first asked at a time. Of one asked before the warm-up only that
    /// it reaches the milestone afterwards counts, where goodput does: it is no measured request.
    pub(super) fn count_since(
        &mut self,
        warm_up: Time,
        asked: Time,
        fate: Fate,
        (within, width): (Option<Span>, Span),
        end: Time,
    ) {
        if asked >= warm_up {
            return self.count(asked, fate, (within, width), end);
        }
        if let Fate::Reached(at) = fate
            && at >= warm_up
            && within.is_none_or(|within| at.since(asked) <= within)
        {
            self.window(at, width).reached += 1;
        }
    }

    /// Counts a request that was first asked at a time. `end` is when the run ended.
    pub(super) fn count(
        &mut self,
        asked: Time,
        fate: Fate,
        (within, width): (Option<Span>, Span),
        end: Time,
    ) {
        self.asked += 1;
        self.window(asked, width).asked += 1;
        let in_time = |span: Span| within.is_none_or(|within| span <= within);
        match fate {
            Fate::Reached(at) => {
                let took = at.since(asked);
                self.latency.record(took);
                self.latency_total += u128::from(took.0);
                if in_time(took) {
                    self.reached += 1;
                    self.window(asked, width).succeeded += 1;
                    self.window(at, width).reached += 1;
                } else {
                    self.failed += 1;
                    self.late += 1;
                }
            }
            Fate::Unfinished => {
                let age = end.since(asked);
                self.unfinished_age.record(age);
                self.unfinished_age_total += u128::from(age.0);
                if in_time(age) {
                    self.unfinished += 1;
                    self.window(asked, width).unfinished += 1;
                } else {
                    self.failed += 1;
                }
            }
            Fate::Failed => self.failed += 1,
        }
    }

    fn window(&mut self, at: Time, width: Span) -> &mut MilestoneWindow {
        let index = (at.0 / width.0) as usize;
        if self.windows.len() <= index {
            self.windows.resize(index + 1, MilestoneWindow::default());
        }
        &mut self.windows[index]
    }

    /// Of the requests of which it is known, the share that reached it in time.
    #[must_use]
    pub fn success_ratio(&self) -> Option<f64> {
        let known = self.reached + self.failed;
        (known > 0).then(|| self.reached as f64 / known as f64)
    }

    /// The mean time that it took those that reached it, in seconds. `None` where any is
    /// unfinished: those that are done with are the fast ones, and how long the others will take
    /// nobody knows.
    #[must_use]
    pub fn mean_latency(&self) -> Option<f64> {
        let total = self.latency.total();
        let is_whole = self.unfinished_age.total() == 0;
        (total > 0 && is_whole).then(|| self.latency_total as f64 / 1e9 / total as f64)
    }

    /// What that mean is at the least, in seconds, if the unfinished ones ended at once.
    #[must_use]
    pub fn mean_at_least(&self) -> Option<f64> {
        let followed = self.followed();
        let total = self.latency_total + self.unfinished_age_total;
        (followed > 0).then(|| total as f64 / 1e9 / followed as f64)
    }

    /// The time by which a share `p` of those that reach it have it.
    ///
    /// Unfinished ones take longer than they are old, which the product-limit estimator takes into
    /// account (Kaplan and Meier: "Nonparametric estimation from incomplete observations", Journal
    /// of the American Statistical Association 53, 1958). `None` where it cannot be told because
    /// more are unfinished than take longer: in a queue that grows these are not like the others.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<Span> {
        self.spread_quantile(p).map(|span| self.latency.seen(span))
    }

    /// The same as if the times of a bucket lay evenly in all of it, whatever was seen.
    #[must_use]
    pub fn spread_quantile(&self, p: f64) -> Option<Span> {
        let unfinished = self.unfinished_age.total();
        let all = self.latency.total() + unfinished;
        if unfinished as f64 > (1.0 - p) * all as f64 {
            return None;
        }
        self.latency.quantile_beside(&self.unfinished_age, p)
    }

    /// The same, if it can be estimated: `None` if fewer than 10 requests lie beyond it on a side.
    #[must_use]
    pub fn estimate(&self, p: f64) -> Option<Span> {
        self.quantile(p).filter(|_| is_enough(self.followed(), p))
    }

    /// What that time is at the least, however long the unfinished ones still take; `None` where it
    /// cannot be estimated.
    #[must_use]
    pub fn quantile_at_least(&self, p: f64) -> Option<Span> {
        let mut both = self.latency.clone();
        both.add(&self.unfinished_age);
        both.estimate(p)
    }

    /// The requests that a percentile of the time is of: those that reached it and those that are
    /// unfinished.
    #[must_use]
    pub fn followed(&self) -> u64 {
        self.latency.total() + self.unfinished_age.total()
    }

    /// The times of several runs together, and of nothing else.
    #[must_use]
    pub fn times_of<'a>(runs: impl IntoIterator<Item = &'a Progress>) -> Progress {
        let mut all = Progress::default();
        for own in runs {
            all.latency.add(&own.latency);
            all.unfinished_age.add(&own.unfinished_age);
        }
        all
    }

    /// Of the requests of which it is known, how many had reached it within this time, and of how
    /// many: an unfinished one that is younger tells nothing.
    #[must_use]
    pub fn within(&self, span: Span) -> (f64, f64) {
        let longer = |times: &Histogram| {
            times.share_above(span).map_or(0.0, |share| share * times.total() as f64)
        };
        let (reached, late) = (self.latency.total() as f64, longer(&self.latency));
        (reached - late, reached + longer(&self.unfinished_age))
    }

    /// The time below which this share of all times lie: interpolated between ranks or, beside
    /// unfinished ones, as [`Progress::quantile`].
    #[must_use]
    pub fn at_share(&self, share: f64) -> Option<Span> {
        match self.unfinished_age.total() {
            0 => self.latency.at_share(share),
            _ => self.quantile(share),
        }
    }

    /// Requests that reached it in time a second, in the whole windows between two times; `None` if
    /// there is no whole window.
    #[must_use]
    pub fn goodput(&self, width: Span, from: Time, until: Time) -> Option<f64> {
        let (first, end) = (from.0.div_ceil(width.0), until.0 / width.0);
        let whole = end.checked_sub(first).filter(|&windows| windows > 0)?;
        let windows = self.windows.iter().skip(first as usize).take(whole as usize);
        let reached: u64 = windows.map(|window| window.reached).sum();
        Some(reached as f64 / (whole as f64 * width.seconds()))
    }

    /// The windows of which it can be said how their requests fared, as those of replies: who is
    /// unfinished has not succeeded, and who still has time at the end is not judged.
    #[must_use]
    pub fn cohorts(&self, within: Option<Span>, width: Span, end: Time) -> Vec<Window> {
        let judged_until =
            within.map_or(Time::NEVER, |within| Time(end.0.saturating_sub(within.0)));
        let judged = (judged_until.0 / width.0) as usize;
        let cohort = |window: &MilestoneWindow| Window {
            asked: window.asked,
            succeeded: window.succeeded,
            answered: window.reached,
            attempts: 0,
        };
        self.windows.iter().take(judged).map(cohort).collect()
    }

    /// Whether and when requests fared again as before the faults.
    pub(super) fn recovery(&self, within: Option<Span>, measure: &Measure, end: Time) -> Recovery {
        let Some((began, healed)) = measure.faults else { return Recovery::NoFault };
        let cohorts = self.cohorts(within, measure.window, end);
        measure.recovery.judge(&cohorts, measure.window, began, healed)
    }

    /// Takes no more memory than percentiles over all runs need.
    pub fn make_compact(&mut self) {
        self.latency.make_compact();
        self.unfinished_age.make_compact();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Span = Span::from_secs(1);

    fn at(second: u64) -> Time {
        Time::ZERO + Span::from_secs(second)
    }

    fn count(fates: &[(u64, Fate)], within: Option<u64>) -> Progress {
        let mut progress = Progress::default();
        for &(asked, fate) in fates {
            progress.count(at(asked), fate, (within.map(Span::from_secs), SECOND), at(100));
        }
        progress
    }

    fn parts(progress: &Progress) -> [u64; 4] {
        [progress.asked, progress.reached, progress.failed, progress.unfinished]
    }

    #[test]
    fn unfinished_is_neither_success_nor_failure() {
        let fates = [
            (1, Fate::Reached(at(31))),
            (2, Fate::Failed),
            (3, Fate::Unfinished),
            (95, Fate::Unfinished),
        ];
        let for_ever = count(&fates, None);
        assert_eq!((parts(&for_ever), for_ever.success_ratio()), ([4, 1, 1, 2], Some(0.5)));
        let promised = count(&fates, Some(30));
        assert_eq!((parts(&promised), promised.late), ([4, 1, 2, 1], 0), "30 s are still in time");
        let sooner = count(&fates, Some(29));
        assert_eq!((parts(&sooner), sooner.late), ([4, 0, 3, 1], 1));
        assert_eq!(sooner.latency.total(), 1, "who is late has it all the same");
        assert_eq!(count(&[(3, Fate::Unfinished)], None).success_ratio(), None);
    }

    #[test]
    fn a_window_has_who_asked_in_it_and_who_reached_in_it() {
        let progress = count(&[(1, Fate::Reached(at(4))), (1, Fate::Unfinished)], None);
        let window = |index: usize| progress.windows[index];
        assert_eq!(
            window(1),
            MilestoneWindow { asked: 2, succeeded: 1, unfinished: 1, reached: 0 }
        );
        assert_eq!((window(4).reached, progress.windows.len()), (1, 5));
        assert_eq!(progress.goodput(SECOND, at(0), at(10)), Some(0.1));
    }

    #[test]
    fn a_percentile_knows_that_unfinished_ones_take_longer_than_they_are_old() {
        // Ten that took 1 to 10 s, and some that are unfinished after 5.5 s.
        let of = |unfinished: usize, p: f64| {
            let mut progress = Progress::default();
            for took in 1..=10 {
                progress.count(at(1), Fate::Reached(at(1 + took)), (None, SECOND), at(100));
            }
            for _ in 0..unfinished {
                let end = at(1) + Span::from_millis(5_500);
                progress.count(at(1), Fate::Unfinished, (None, SECOND), end);
            }
            assert_eq!(progress.estimate(p), None, "of fewer than 20");
            progress.quantile(p).map(|span| (span.seconds() * 2.0).round() / 2.0)
        };
        assert_eq!(of(0, 0.75), Some(8.0));
        // 10 of 15 are left after 5 s, and a fifth of the share goes with each of the last five.
        assert_eq!(of(5, 0.45), Some(6.0), "2/3 less 2/15 is less than 0.55");
        assert_eq!(of(5, 0.55), Some(7.0), "2/3 less 4/15 is less than 0.45");
        assert_eq!(of(5, 0.75), None, "a third is unfinished, and a quarter takes longer");
        let fates = [(1, Fate::Reached(at(3))), (1, Fate::Unfinished)];
        let least = |of: usize| {
            let least = count(&fates.repeat(of), None).quantile_at_least(0.75);
            least.map(|span| span.seconds().round())
        };
        assert_eq!((least(20), least(19)), (Some(99.0), None), "it is as old as that");
    }

    #[test]
    fn a_mean_is_of_all_or_none() {
        let done = [(1, Fate::Reached(at(3))), (1, Fate::Reached(at(5))), (1, Fate::Failed)];
        let whole = count(&done, None);
        assert_eq!((whole.mean_latency(), whole.mean_at_least()), (Some(3.0), Some(3.0)));
        let open = [&done[..], &[(94, Fate::Unfinished)]].concat();
        for within in [None, Some(5)] {
            let open = count(&open, within);
            assert_eq!((open.mean_latency(), open.mean_at_least()), (None, Some(4.0)));
        }
        assert_eq!(count(&[(1, Fate::Failed)], None).mean_at_least(), None);
    }

    #[test]
    fn who_still_has_time_at_the_end_is_not_judged() {
        let fates: Vec<(u64, Fate)> = (0..100).map(|second| (second, Fate::Unfinished)).collect();
        let progress = count(&fates, Some(30));
        assert_eq!(progress.cohorts(Some(Span::from_secs(30)), SECOND, at(100)).len(), 70);
        assert_eq!(progress.cohorts(None, SECOND, at(100)).len(), 100);
    }
}
