//! Metastability: whether a system that was healthy without its trigger stays down after it.
//!
//! The operational definition is that of the ground truth, sections 4.1 and 4.2. What is judged is
//! cohort success: of the requests first asked in a window, the share that succeeded in the end.
//! A run is metastable if a control under the same seed, without any fault, is healthy over the
//! whole horizon, and the run itself does not come back within the horizon after its last fault.
//! Metastability is a statement about a finite horizon, so the horizon is part of every result.
//!
//! Two things that the definition leaves open are settled so that chance flags no healthy run. A
//! cohort is below the level only if it has more failures than chance explains at the level: of ten
//! requests, one failure is less than 95% and says nothing. And a control is healthy unless it is
//! down for as long as a recovery has to last, because a queue without any retry has bursts in
//! which a cohort fails and which end by themselves; a control that would not count as come back
//! if it were the run is not healthy either.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::{Span, Time};
use crate::metric::Window;
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::quantity::{Rate, Share};
use crate::statistics::distribution::binomial_cdf;

/// `[metastability]`: each run is repeated without its faults, and labelled.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct MetastabilityText {
    /// The width of a cohort: a multiple of the window that is measured.
    pub window: Span,
    /// The share of a cohort that must succeed.
    pub level: Share,
    /// For how long cohorts must succeed.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// How long after the last fault a run may come back; without it, as long as arrivals allow.
    pub horizon: Option<Span>,
    /// What the system can serve, for the time that it needs to drain; without it, twice the load.
    pub capacity: Option<Rate>,
    /// A run that needs more than so many drain times recovers slowly.
    pub drain_factor: f64,
}

impl Default for MetastabilityText {
    /// Ground truth 4.1 and 4.2: cohorts of 10 s, 0.95 for 30 s, three drain times.
    fn default() -> MetastabilityText {
        MetastabilityText {
            window: Span::from_secs(10),
            level: Share(0.95),
            lasts: Span::from_secs(30),
            horizon: None,
            capacity: None,
            drain_factor: 3.0,
        }
    }
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Label {
    /// Healthy without the trigger, and down to the horizon after it.
    Metastable,
    /// It came back, but later than draining explains.
    SlowRecovery,
    /// It is not healthy without the trigger either.
    Overload,
    /// It came back in the time that draining takes.
    Recovers,
}

impl Label {
    /// Every label, in the order of the results.
    pub const ALL: [Label; 4] =
        [Label::Metastable, Label::SlowRecovery, Label::Overload, Label::Recovers];

    /// The word for tables and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Label::Metastable => "metastable",
            Label::SlowRecovery => "slow recovery",
            Label::Overload => "overload",
            Label::Recovers => "recovers",
        }
    }
}

/// A cohort is below the level if it would have so many failures in fewer than 1 of 100 cases where
/// each request succeeds with the level as its probability.
const CHANCE: f64 = 0.01;

/// A horizon should be so many drain times, ground truth 4.2.
const DRAIN_TIMES: u64 = 10;

/// A label, and what it takes to judge its horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// What became of the run.
    pub label: Label,
    /// How long a fluid queue takes to drain that has filled for the time of the faults; `None`
    /// without capacity to spare.
    pub drain: Option<Span>,
}

/// How runs of one cell are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetastabilityRule {
    /// The width of a cohort.
    pub window: Span,
    /// The share of a cohort that must succeed.
    pub level: f64,
    /// For how many cohorts.
    pub cohorts: usize,
    /// How long after the last fault a run may come back.
    pub horizon: Span,
    /// What the system can serve, a second; `None` for twice its load.
    pub capacity: Option<f64>,
    /// A run that needs more than so many drain times recovers slowly.
    pub drain_factor: f64,
}

/// The rule of an experiment that is judged by windows of this width, from when faults act until
/// nobody is judged any more; notes what does not fit.
pub(in crate::experiment) fn compiled(
    text: Option<&MetastabilityText>,
    (window, acts, until): (Span, Option<(Time, Time)>, Time),
    (document, problems): (&Value, &mut Vec<Problem>),
) -> Option<MetastabilityRule> {
    let rule = MetastabilityRule::new(text?, window, acts, until);
    rule.map_err(|wrong| problems.push(wrong.located(document, &["metastability"]))).ok()
}

impl MetastabilityRule {
    /// Checks `[metastability]` against what is measured and when faults act.
    ///
    /// # Errors
    /// What does not fit, with its key.
    pub fn new(
        text: &MetastabilityText,
        measured: Span,
        acts: Option<(Time, Time)>,
        arrivals_end: Time,
    ) -> Result<MetastabilityRule, Problem> {
        if text.window == Span::ZERO || !text.window.0.is_multiple_of(measured.0) {
            return Err(Problem::new(format!("{} cannot be the width of a cohort", text.window))
                .expected(format!("a multiple of {measured}, the `window` of `measure`"))
                .inside("window"));
        }
        if text.level.0 == 0.0 {
            return Err(Problem::new("every run reaches this level")
                .expected("more than 0%")
                .inside("level"));
        }
        if text.lasts == Span::ZERO {
            return Err(Problem::new("a recovery has to last")
                .expected("more than 0s")
                .inside("for"));
        }
        if text.drain_factor <= 0.0 {
            return Err(Problem::new(format!("{} is no factor", text.drain_factor))
                .expected("a number above 0, such as 3")
                .inside("drain_factor"));
        }
        if text.capacity.is_some_and(|capacity| capacity.per_second <= 0.0) {
            return Err(Problem::new("what serves nothing never drains")
                .expected("more than 0/s, or no `capacity` for twice the load")
                .inside("capacity"));
        }
        let Some((_, healed)) = acts else {
            return Err(Problem::new("nothing goes wrong, so nothing can be metastable")
                .expected("[[faults]] or [random_faults] beside it"));
        };
        let cohorts = text.lasts.0.div_ceil(text.window.0);
        let first = healed.0.div_ceil(text.window.0) * text.window.0;
        let room = arrivals_end.0.checked_sub(first + cohorts * text.window.0);
        let most = room.filter(|room| *room >= text.horizon.map_or(1, |asked| asked.0));
        let Some(most) = most else {
            let needed =
                Span(first + cohorts * text.window.0 + text.horizon.unwrap_or(text.window).0);
            return Err(Problem::new("users do not arrive for long enough to see a recovery")
                .expected(format!("`arrivals` of at least {needed}, or a shorter `horizon`"))
                .inside("horizon"));
        };
        Ok(MetastabilityRule {
            window: text.window,
            level: text.level.0,
            cohorts: cohorts as usize,
            horizon: text.horizon.unwrap_or(Span(most)),
            capacity: text.capacity.map(|rate| rate.per_second),
            drain_factor: text.drain_factor,
        })
    }

    /// Labels a run by its own cohorts and those of its control, which had the same seed and no
    /// fault. `measured` is the width of the windows that were measured.
    #[must_use]
    pub fn label(
        &self,
        run: &[Window],
        control: &[Window],
        measured: Span,
        (began, healed): (Time, Time),
    ) -> Labelled {
        let end = Time(healed.0 + self.horizon.0 + self.window.0 * self.cohorts as u64);
        let healthy = self.cohorts_of(control, measured);
        let drain = self.drain_time(&healthy, end, healed.since(began));
        let cohorts = self.cohorts_of(run, measured);
        let label = match self.comes_back(&cohorts, healed) {
            _ if !self.is_healthy(&healthy, healed, end) => Label::Overload,
            None => Label::Metastable,
            Some(after) if drain.is_some_and(|drain| self.is_slow(after, drain)) => {
                Label::SlowRecovery
            }
            Some(_) => Label::Recovers,
        };
        Labelled { label, drain }
    }

    /// Whether the horizon is long enough for a run that takes this time to drain.
    #[must_use]
    pub fn sees(&self, drain: Span) -> bool {
        self.horizon.0 / DRAIN_TIMES >= drain.0
    }

    fn is_slow(&self, after: Span, drain: Span) -> bool {
        after.seconds() > self.drain_factor * drain.max(self.window).seconds()
    }

    /// The windows that were measured, put together to cohorts: asked and succeeded.
    fn cohorts_of(&self, windows: &[Window], measured: Span) -> Vec<(u64, u64)> {
        let together = (self.window.0 / measured.0) as usize;
        let sum = |part: &[Window]| {
            (part.iter().map(|w| w.asked).sum(), part.iter().map(|w| w.succeeded).sum())
        };
        windows.chunks(together).map(sum).collect()
    }

    /// The whole cohorts that end by then.
    fn up_to<'c>(&self, end: Time, cohorts: &'c [(u64, u64)]) -> &'c [(u64, u64)] {
        &cohorts[..((end.0 / self.window.0) as usize).min(cohorts.len())]
    }

    /// Whether a cohort reaches the level, as far as chance lets one see it.
    fn succeeds(&self, (asked, succeeded): (u64, u64)) -> bool {
        if succeeded as f64 >= self.level * asked as f64 {
            return true;
        }
        let chance = binomial_cdf(succeeded, asked, self.level).unwrap_or(0.0);
        succeeded > 0 && chance >= CHANCE
    }

    /// Whether a control is never down up to `end` for as long as a recovery has to last, and would
    /// itself count as come back.
    fn is_healthy(&self, control: &[(u64, u64)], healed: Time, end: Time) -> bool {
        let judged = self.up_to(end, control);
        let is_down = |part: &[(u64, u64)]| part.iter().all(|cohort| !self.succeeds(*cohort));
        !judged.windows(self.cohorts).any(is_down) && self.comes_back(control, healed).is_some()
    }

    /// The first time within the horizon after which all cohorts succeed for long enough, each and
    /// all together: what chance may hide in small cohorts it does not hide in their sum.
    fn comes_back(&self, cohorts: &[(u64, u64)], healed: Time) -> Option<Span> {
        let first = healed.0.div_ceil(self.window.0);
        let starts = (first..).take_while(|at| at * self.window.0 <= healed.0 + self.horizon.0);
        let mut starts = starts.filter(|&at| {
            let after = cohorts.get(at as usize..).unwrap_or_default();
            let Some(stretch) = after.get(..self.cohorts) else { return false };
            let all = stretch.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            stretch.iter().all(|cohort| self.succeeds(*cohort)) && self.succeeds(all)
        });
        starts.next().map(|at| Span(at * self.window.0 - healed.0))
    }

    /// How long a fluid queue that has filled for the time of the fault takes to drain:
    /// load x time / (capacity - load), ground truth 4.2. The load is that up to `end`.
    fn drain_time(&self, control: &[(u64, u64)], end: Time, filled: Span) -> Option<Span> {
        let judged = self.up_to(end, control);
        let asked: u64 = judged.iter().map(|(asked, _)| asked).sum();
        let load = asked as f64 / (self.window.seconds() * judged.len().max(1) as f64);
        match self.capacity {
            None => Some(filled),
            Some(capacity) if capacity > load => {
                Some(Span((load * filled.0 as f64 / (capacity - load)) as u64))
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: MetastabilityRule = MetastabilityRule {
        window: Span::from_secs(1),
        level: 0.95,
        cohorts: 3,
        horizon: Span::from_secs(20),
        capacity: None,
        drain_factor: 3.0,
    };

    fn windows_of(succeeded: &[u64]) -> Vec<Window> {
        let windows = succeeded.iter().map(|&succeeded| Window {
            asked: 100,
            succeeded,
            ..Window::default()
        });
        windows.collect()
    }

    /// Ten good seconds, two of the fault, `down` bad ones, and good ones to the end.
    fn label(down: usize, control: u64) -> Label {
        let mut succeeded = vec![100; 10];
        succeeded.extend([0, 0]);
        succeeded.resize(12 + down, 10);
        succeeded.resize(60, 98);
        let second = |at: u64| Time(at * 1_000_000_000);
        let control = windows_of(&[control; 60]);
        RULE.label(&windows_of(&succeeded), &control, Span::from_secs(1), (second(10), second(12)))
            .label
    }

    #[test]
    fn a_control_is_judged_until_the_last_recovery_would_have_lasted() {
        let second = |at: u64| Time(at * 1_000_000_000);
        let label = |down: std::ops::Range<usize>| {
            let mut control = vec![100; 60];
            control[down].fill(0);
            let (run, control) = (windows_of(&[100; 60]), windows_of(&control));
            RULE.label(&run, &control, Span::from_secs(1), (second(10), second(12))).label
        };
        assert_eq!(label(32..35), Label::Overload, "20 s of horizon and 3 s that it has to last");
        assert_eq!(label(33..36), Label::Recovers);
    }

    #[test]
    fn each_run_has_its_label() {
        assert_eq!(label(0, 100), Label::Recovers);
        assert_eq!(label(6, 100), Label::Recovers, "three drain times of two seconds");
        assert_eq!(label(7, 100), Label::SlowRecovery);
        assert_eq!(label(20, 100), Label::SlowRecovery, "the last second of the horizon");
        assert_eq!(label(21, 100), Label::Metastable);
        assert_eq!(label(0, 80), Label::Overload);
        assert_eq!(label(30, 80), Label::Overload, "what is down anyway is not metastable");
    }

    #[test]
    fn a_burst_of_the_control_is_healthy_and_being_down_is_not() {
        let mut windows = vec![100; 60];
        let judge = |windows: &[u64]| {
            let cohorts = RULE.cohorts_of(&windows_of(windows), Span::from_secs(1));
            RULE.is_healthy(&cohorts, Time(12_000_000_000), Time(35_000_000_000))
        };
        (windows[5], windows[6]) = (40, 40);
        assert!(judge(&windows), "two seconds are shorter than a recovery");
        windows[7] = 40;
        assert!(!judge(&windows));
        windows[7] = 100;
        windows[35..].fill(0);
        assert!(judge(&windows), "what comes after the end is not judged");
        let restless: Vec<u64> = (0..60).map(|at| if at % 3 == 0 { 40 } else { 100 }).collect();
        assert!(!judge(&restless), "it would not count as come back");
    }

    #[test]
    fn a_small_cohort_is_below_the_level_only_beyond_chance() {
        for (asked, most) in [(0, 0), (1, 0), (2, 1), (10, 3), (30, 5), (100, 11), (10_000, 551)] {
            assert!(RULE.succeeds((asked, asked - most)), "{most} failures of {asked}");
            if asked > 0 {
                assert!(!RULE.succeeds((asked, asked - most - 1)), "{} of {asked}", most + 1);
            }
        }
        let all = MetastabilityRule { level: 1.0, ..RULE };
        assert!(all.succeeds((10, 10)) && !all.succeeds((10, 9)));
    }

    #[test]
    fn steady_failures_of_small_cohorts_are_seen_in_their_sum() {
        let windows: Vec<u64> = vec![91; 60];
        let cohorts = RULE.cohorts_of(&windows_of(&windows), Span::from_secs(1));
        assert!(RULE.succeeds(cohorts[20]), "9 failures of 100 are chance");
        assert_eq!(RULE.comes_back(&cohorts, Time(12_000_000_000)), None, "27 of 300 are not");
    }

    #[test]
    fn a_fuller_system_may_take_longer_to_drain() {
        let cohorts = [(100, 100); 10];
        let drain = |capacity: Option<f64>| {
            let rule = MetastabilityRule { capacity, ..RULE };
            rule.drain_time(&cohorts, Time(10_000_000_000), Span::from_secs(2))
        };
        assert_eq!(drain(None), Some(Span::from_secs(2)));
        assert_eq!(drain(Some(200.0)), Some(Span::from_secs(2)));
        assert_eq!(drain(Some(110.0)), Some(Span::from_secs(20)));
        assert_eq!(drain(Some(90.0)), None);
        assert_eq!(drain(Some(100.0)), None, "what just serves its load never drains");
        let longer = [(100, 100); 70];
        let rule = MetastabilityRule { capacity: Some(110.0), ..RULE };
        let drain = rule.drain_time(&longer, Time(10_000_000_000), Span::from_secs(2));
        assert_eq!(drain, Some(Span::from_secs(20)), "what comes later is not of that load");
        assert!(RULE.sees(Span::from_secs(2)) && !RULE.sees(Span::from_secs(3)));
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        let second = |at: u64| Time(at * 1_000_000_000);
        let acts = Some((second(10), second(12)));
        let rule = |text: MetastabilityText, until: u64| {
            MetastabilityRule::new(&text, Span::from_secs(1), acts, second(until))
        };
        let usual = MetastabilityText::default();
        assert_eq!(rule(usual, 100).unwrap().horizon, Span::from_secs(50));
        assert!(rule(usual, 50).is_err(), "no time is left to come back in");
        let long = MetastabilityText { horizon: Some(Span::from_secs(51)), ..usual };
        let wrong = rule(long, 100).unwrap_err().to_string();
        assert!(wrong.contains(&Span::from_secs(101).to_string()), "{wrong}");
        let just = MetastabilityText { horizon: Some(Span::from_secs(50)), ..usual };
        assert!(rule(just, 100).is_ok());
        assert!(rule(MetastabilityText { drain_factor: 0.0, ..usual }, 100).is_err());
        let odd = MetastabilityText { window: Span(1_500_000_000), ..usual };
        assert!(rule(odd, 100).is_err());
        let none = MetastabilityRule::new(&usual, Span::from_secs(1), None, second(100));
        assert!(none.is_err());
    }
}
