//! Metastability: whether a system that was healthy without its trigger stays down after it.
//!
//! The operational definition is that of the ground truth, sections 4.1 and 4.2. What is judged is
//! cohort success: of the requests first asked in a window, the share that succeeded in the end.
//! A run is metastable if a control under the same seed, without any fault, is healthy over the
//! whole horizon, and the run itself does not come back within the horizon after its last fault.
//! Metastability is a statement about a finite horizon, so the horizon is part of every result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::{Span, Time};
use crate::metric::{RunMetrics, Window};
use crate::model::problem::Problem;
use crate::model::quantity::{Rate, Share};

/// `[metastability]`: each run is repeated without its faults, and labelled.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
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
        if !text.drain_factor.is_finite() || text.drain_factor <= 0.0 {
            return Err(Problem::new(format!("{} is no factor", text.drain_factor))
                .expected("a number above 0, such as 3")
                .inside("drain_factor"));
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
        run: &RunMetrics,
        control: &RunMetrics,
        measured: Span,
        (began, healed): (Time, Time),
    ) -> Label {
        let end = Time(healed.0 + self.horizon.0 + self.window.0 * self.cohorts as u64);
        let healthy = self.cohorts_of(&control.windows, measured);
        if !self.is_healthy(&healthy, end) {
            return Label::Overload;
        }
        let cohorts = self.cohorts_of(&run.windows, measured);
        match self.comes_back(&cohorts, healed) {
            None => Label::Metastable,
            Some(after) => {
                let drain = self.drain_time(&healthy, end, healed.since(began));
                match after.seconds() > self.drain_factor * drain.max(self.window.seconds()) {
                    true => Label::SlowRecovery,
                    false => Label::Recovers,
                }
            }
        }
    }

    /// The windows that were measured, put together to cohorts: asked and succeeded.
    fn cohorts_of(&self, windows: &[Window], measured: Span) -> Vec<(u64, u64)> {
        let together = (self.window.0 / measured.0) as usize;
        let sum = |part: &[Window]| {
            (part.iter().map(|w| w.asked).sum(), part.iter().map(|w| w.succeeded).sum())
        };
        windows.chunks(together).map(sum).collect()
    }

    fn succeeds(&self, (asked, succeeded): (u64, u64)) -> bool {
        succeeded as f64 >= self.level * asked as f64
    }

    /// Whether every stretch of cohorts as long as a recovery, up to `end`, succeeds as a whole. A
    /// single cohort may fall below the level by chance where few ask.
    fn is_healthy(&self, cohorts: &[(u64, u64)], end: Time) -> bool {
        let whole = (end.0 / self.window.0) as usize;
        let judged = &cohorts[..whole.min(cohorts.len())];
        let sum = |part: &[(u64, u64)]| {
            part.iter().fold((0, 0), |(asked, ok), (a, b)| (asked + a, ok + b))
        };
        judged.windows(self.cohorts.min(judged.len()).max(1)).all(|part| self.succeeds(sum(part)))
    }

    /// The first time within the horizon after which all cohorts succeed for long enough.
    fn comes_back(&self, cohorts: &[(u64, u64)], healed: Time) -> Option<Span> {
        let first = healed.0.div_ceil(self.window.0);
        let starts = (first..).take_while(|at| at * self.window.0 <= healed.0 + self.horizon.0);
        let mut starts = starts.filter(|&at| {
            let after = cohorts.get(at as usize..).unwrap_or_default();
            after.len() >= self.cohorts
                && after[..self.cohorts].iter().all(|cohort| self.succeeds(*cohort))
        });
        starts.next().map(|at| Span(at * self.window.0 - healed.0))
    }

    /// How long a fluid queue that has filled for the time of the fault takes to drain, in seconds:
    /// load x time / (capacity - load), ground truth 4.2.
    fn drain_time(&self, control: &[(u64, u64)], end: Time, filled: Span) -> f64 {
        let asked: u64 = control.iter().map(|(asked, _)| asked).sum();
        let load = asked as f64 / end.seconds();
        match self.capacity {
            None => filled.seconds(),
            Some(capacity) if capacity > load => load * filled.seconds() / (capacity - load),
            Some(_) => f64::INFINITY,
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

    fn metrics(succeeded: &[u64]) -> RunMetrics {
        let windows = succeeded.iter().map(|&succeeded| Window {
            asked: 100,
            succeeded,
            ..Window::default()
        });
        RunMetrics { windows: windows.collect(), ..RunMetrics::default() }
    }

    /// Ten good seconds, two of the fault, `down` bad ones, and good ones to the end.
    fn label(down: usize, control: u64) -> Label {
        let mut succeeded = vec![100; 10];
        succeeded.extend([0, 0]);
        succeeded.resize(12 + down, 10);
        succeeded.resize(60, 98);
        let second = |at: u64| Time(at * 1_000_000_000);
        let control = metrics(&[control; 60]);
        RULE.label(&metrics(&succeeded), &control, Span::from_secs(1), (second(10), second(12)))
    }

    #[test]
    fn each_run_has_its_label() {
        assert_eq!(label(0, 100), Label::Recovers);
        assert_eq!(label(6, 100), Label::Recovers, "three drain times of two seconds");
        assert_eq!(label(7, 100), Label::SlowRecovery);
        assert_eq!(label(20, 100), Label::SlowRecovery, "the last second of the horizon");
        assert_eq!(label(21, 100), Label::Metastable);
        assert_eq!(label(0, 94), Label::Overload);
        assert_eq!(label(30, 94), Label::Overload, "what is down anyway is not metastable");
    }

    #[test]
    fn one_bad_window_of_the_control_is_chance_and_three_are_not() {
        let mut windows = vec![100; 30];
        windows[5] = 90;
        let judge = |windows: &[u64]| {
            let cohorts = RULE.cohorts_of(&metrics(windows).windows, Span::from_secs(1));
            RULE.is_healthy(&cohorts, Time(30_000_000_000))
        };
        assert!(judge(&windows));
        (windows[6], windows[7]) = (90, 90);
        assert!(!judge(&windows));
    }

    #[test]
    fn a_fuller_system_may_take_longer_to_drain() {
        let cohorts = [(100, 100); 10];
        let drain = |capacity: Option<f64>| {
            let rule = MetastabilityRule { capacity, ..RULE };
            rule.drain_time(&cohorts, Time(10_000_000_000), Span::from_secs(2))
        };
        assert_eq!(drain(None), 2.0);
        assert_eq!(drain(Some(200.0)), 2.0);
        assert_eq!(drain(Some(110.0)), 20.0);
        assert_eq!(drain(Some(90.0)), f64::INFINITY);
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
        assert!(rule(long, 100).is_err());
        let odd = MetastabilityText { window: Span(1_500_000_000), ..usual };
        assert!(rule(odd, 100).is_err());
        let none = MetastabilityRule::new(&usual, Span::from_secs(1), None, second(100));
        assert!(none.is_err());
    }
}
