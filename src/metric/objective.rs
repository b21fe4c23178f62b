//! Service level objectives: how large a share of events is to be good over a window of time, and
//! how much of what may be bad a run has used up.
//!
//! The words are those of OpenSLO and of the SRE workbook ("Implementing SLOs", "Alerting on
//! SLOs"). A run is minutes and a window is weeks, so that what a run uses is told as a share of
//! the budget of the whole window.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::Measure;
use super::milestone::{Goal, Milestone, MilestoneWindow, Progress, Wanted};
use super::recorder::RunMetrics;
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::program::{OperationId, Program};
use crate::model::quantity::Share;

/// `[slo.NAME]`: a service level objective.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SloText {
    /// What a good event is: `"answer ok"`, `"answer undegraded"`, which no degraded fallback has
    /// served, `"answer"` for any answer, or the name of a milestone of the experiment.
    pub good: String,
    /// With answers: the operation whose answers are the events, `NODE.OPERATION`; without it, the
    /// `operation` of `[measure]`.
    #[serde(default)]
    pub of: Option<String>,
    /// With answers: the longest latency of a good one; without it, as long as it takes.
    #[serde(default)]
    pub within: Option<Span>,
    /// The share of events that is to be good.
    pub target: Share,
    /// The time over which they are counted.
    pub window: Span,
    /// What is counted: events, or slices of time.
    #[serde(default)]
    pub budgeting_method: BudgetingMethod,
    /// With `timeslices`: how long a slice is, a multiple of the `window` of `[measure]`.
    #[serde(default)]
    pub time_slice_window: Option<Span>,
    /// With `timeslices`: the share of its events that must be good in a good slice.
    #[serde(default)]
    pub time_slice_target: Option<Share>,
    /// Over how long the greatest burn rate is taken; `5min` without it.
    #[serde(default)]
    pub burn_window: Option<Span>,
    /// What tables and pictures call it; its name without it.
    #[serde(default)]
    pub label: Option<String>,
}

/// What the budget of an objective is counted in, by the names of OpenSLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BudgetingMethod {
    /// Bad events of all events.
    #[default]
    Occurrences,
    /// Bad slices of time of all slices.
    Timeslices,
}

/// A service level objective, by the names of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// Its name in results.
    pub name: String,
    /// What tables and pictures call it.
    pub label: String,
    /// Where its events are counted.
    pub events: Events,
    /// The share of events that is to be good.
    pub target: f64,
    /// The time over which they are counted.
    pub window: Span,
    /// The slices whose budget it is; `None` for that of events.
    pub slices: Option<Slices>,
    /// Over how long the greatest burn rate is taken.
    pub burn_window: Span,
}

/// Where the events of an objective are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// Requests on their way to the milestone of this place.
    Milestone(usize),
    /// Answers, at this place of [`RunMetrics::answers`].
    Answers(usize),
}

/// Slices of time that are good or bad as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slices {
    /// How long one is.
    pub width: Span,
    /// The share of its events that must be good.
    pub target: f64,
}

/// The short window of the workbook's first alert, a twelfth of its hour ("Alerting on SLOs",
/// table 5-8: 14.4 times over 1 hour and 5 minutes).
const BURN_WINDOW: Span = Span::from_secs(300);

/// The objectives of an experiment for a program, and the answers that they follow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objectives {
    /// Each of them, in the order of the experiment.
    pub list: Vec<Objective>,
    /// The answers that are followed for them, as if each were a milestone.
    pub answers: Vec<Milestone>,
}

impl Objectives {
    /// Adds the objective of this name, beside these milestones. `measured` is the operation that
    /// is measured and `width` a window of the series.
    ///
    /// # Errors
    /// What does not fit, with its key.
    pub fn add(
        &mut self,
        (name, text): (&str, &SloText),
        milestones: &[Milestone],
        program: &Program,
        (measured, width): (Option<OperationId>, Span),
    ) -> Result<(), Problem> {
        check(text)?;
        let events = match milestones.iter().position(|milestone| milestone.name == text.good) {
            Some(place) => of_milestone(text, place)?,
            None => {
                self.answers.push(answers(name, text, milestones, program, measured)?);
                Events::Answers(self.answers.len() - 1)
            }
        };
        self.list.push(Objective {
            name: name.to_owned(),
            label: text.label.clone().unwrap_or_else(|| name.to_owned()),
            events,
            target: text.target.0,
            window: text.window,
            slices: slices(text, width)?,
            burn_window: text.burn_window.unwrap_or(BURN_WINDOW),
        });
        Ok(())
    }
}

/// What is wrong with the numbers of an objective alone.
fn check(text: &SloText) -> Result<(), Problem> {
    if text.target.0 <= 0.0 || text.target.0 >= 1.0 {
        let problem = Problem::new("an objective leaves a budget, and asks for something");
        return Err(problem.expected("more than 0% and less than 100%").inside("target"));
    }
    for (span, key) in [
        (Some(text.window), "window"),
        (text.within, "within"),
        (text.burn_window, "burn_window"),
        (text.time_slice_window, "time_slice_window"),
    ] {
        if span == Some(Span::ZERO) {
            return Err(Problem::new("this takes no time").expected("more than 0s").inside(key));
        }
    }
    Ok(())
}

/// The events of a milestone, which says itself of what it is and in which time.
fn of_milestone(text: &SloText, place: usize) -> Result<Events, Problem> {
    for (is_given, key) in [(text.of.is_some(), "of"), (text.within.is_some(), "within")] {
        if is_given {
            let problem = Problem::new(format!("`{}` says itself what it is `{key}`", text.good));
            let expected = format!("`{key}` in [milestone.{}], and not here", text.good);
            return Err(problem.expected(expected).inside(key));
        }
    }
    Ok(Events::Milestone(place))
}

/// The answers that are the events of an objective.
fn answers(
    name: &str,
    text: &SloText,
    milestones: &[Milestone],
    program: &Program,
    measured: Option<OperationId>,
) -> Result<Milestone, Problem> {
    let goal = match text.good.trim() {
        "answer ok" => Goal::Answer(Wanted::Ok),
        "answer undegraded" => Goal::Answer(Wanted::Undegraded),
        "answer" => Goal::Answer(Wanted::Any),
        other => {
            let mut known = vec!["answer ok", "answer undegraded", "answer"];
            known.extend(milestones.iter().map(|milestone| milestone.name.as_str()));
            return Err(Problem::unknown("good event", other, &known).inside("good"));
        }
    };
    let of = match &text.of {
        Some(of) => crate::invariant::operation(of, program).map_err(|it| it.inside("of"))?,
        None => measured.ok_or_else(|| {
            Problem::new("it is not said whose answers are the events")
                .expected("`of = \"NODE.OPERATION\"`, or `operation` in [measure]")
        })?,
    };
    Ok(Milestone {
        name: name.to_owned(),
        label: text.label.clone().unwrap_or_else(|| name.to_owned()),
        when: text.good.clone(),
        of,
        within: text.within,
        goal,
    })
}

/// The slices of an objective whose budget is counted in them.
fn slices(text: &SloText, width: Span) -> Result<Option<Slices>, Problem> {
    let given = (text.time_slice_window, text.time_slice_target);
    match (text.budgeting_method, given) {
        (BudgetingMethod::Timeslices, (Some(slice), Some(target))) => {
            if width == Span::ZERO || !slice.0.is_multiple_of(width.0) || slice > text.window {
                let problem = Problem::new(format!("{slice} cannot be the length of a slice"));
                let expected =
                    format!("a multiple of {width}, the `window` of `measure`, up to `window`");
                return Err(problem.expected(expected).inside("time_slice_window"));
            }
            if target.0 <= 0.0 {
                let problem = Problem::new("every slice reaches this target");
                return Err(problem.expected("more than 0%").inside("time_slice_target"));
            }
            Ok(Some(Slices { width: slice, target: target.0 }))
        }
        (BudgetingMethod::Timeslices, _) => {
            let problem = Problem::new("slices have a length, and a share of good events");
            Err(problem.expected("`time_slice_window` and `time_slice_target`"))
        }
        (BudgetingMethod::Occurrences, (None, None)) => Ok(None),
        (BudgetingMethod::Occurrences, _) => {
            let problem = Problem::new("occurrences are not counted in slices");
            Err(problem.expected("`budgeting_method = \"timeslices\"` beside them"))
        }
    }
}

impl Objective {
    /// What became of its events in a run.
    #[must_use]
    pub fn progress<'m>(&self, metrics: &'m RunMetrics) -> Option<&'m Progress> {
        match self.events {
            Events::Milestone(place) => metrics.milestones.get(place),
            Events::Answers(place) => metrics.answers.get(place),
        }
    }

    /// What a run comes to by it.
    #[must_use]
    pub fn account(&self, metrics: &RunMetrics, measure: &Measure) -> Option<Account> {
        let progress = self.progress(metrics)?;
        let width = measure.window.0;
        let (from, until) = (measure.warm_up.0 / width, measure.arrivals_end.0.div_ceil(width));
        let window = |index: u64| progress.windows.get(index as usize).copied().unwrap_or_default();
        let (parts, long): (Vec<Part>, u64) = match self.slices {
            // Who comes back may ask after the last arrival.
            None => {
                let until = until.max(progress.windows.len() as u64);
                ((from..until).map(|index| Part::of_events(window(index))).collect(), width)
            }
            Some(slices) => {
                let windows: Vec<MilestoneWindow> = (from..until).map(window).collect();
                let slice = windows.chunks_exact((slices.width.0 / width) as usize);
                (slice.map(|windows| slices.judge(windows)).collect(), slices.width.0)
            }
        };
        let whole = parts.iter().fold(Part::default(), |sum, part| sum.plus(*part));
        let budgeted = match self.slices {
            Some(slices) => self.window.seconds() / slices.width.seconds(),
            None => {
                let rate = progress.asked as f64 / measure.measured_for().seconds();
                rate * self.window.seconds()
            }
        };
        let together = (self.burn_window.0.div_ceil(long) as usize).clamp(1, parts.len().max(1));
        let worst = parts.windows(together).filter_map(|some| {
            some.iter().fold(Part::default(), |sum, part| sum.plus(*part)).bad_ratio()
        });
        Some(Account {
            good: whole.good,
            bad: whole.bad,
            unfinished: whole.unfinished,
            degraded: progress.degraded,
            answers: progress.reached + progress.failed,
            allowed: budgeted * (1.0 - self.target),
            burn_rate_max: worst.reduce(f64::max).map(|ratio| ratio / (1.0 - self.target)),
            window: self.window,
        })
    }
}

impl Slices {
    /// Whether the windows of one slice are good or bad together; it is unfinished if all that was
    /// asked in it is. A slice in which nothing was asked is good: it fails nobody.
    fn judge(&self, windows: &[MilestoneWindow]) -> Part {
        let events = windows.iter().map(|window| Part::of_events(*window));
        let events = events.fold(Part::default(), Part::plus);
        let valid = events.good + events.bad;
        match valid {
            0 if events.unfinished > 0 => Part { unfinished: 1, ..Part::default() },
            0 => Part { good: 1, ..Part::default() },
            _ if events.good as f64 >= self.target * valid as f64 => {
                Part { good: 1, ..Part::default() }
            }
            _ => Part { bad: 1, ..Part::default() },
        }
    }
}

/// Events or slices of a part of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Part {
    good: u64,
    bad: u64,
    unfinished: u64,
}

impl Part {
    fn of_events(window: MilestoneWindow) -> Part {
        Part { good: window.succeeded, bad: window.failed(), unfinished: window.unfinished }
    }

    fn plus(self, other: Part) -> Part {
        Part {
            good: self.good + other.good,
            bad: self.bad + other.bad,
            unfinished: self.unfinished + other.unfinished,
        }
    }

    fn bad_ratio(self) -> Option<f64> {
        let valid = self.good + self.bad;
        (valid > 0).then(|| self.bad as f64 / valid as f64)
    }
}

/// What a run comes to by an objective. Events are slices where the budget is counted in slices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Account {
    /// Good events.
    pub good: u64,
    /// Bad events.
    pub bad: u64,
    /// Events of which it is not known yet: neither good nor bad.
    pub unfinished: u64,
    /// Answers in time that a fallback has served which serves less than was asked for: good or bad
    /// as the objective says.
    pub degraded: u64,
    /// Of so many answers, and never slices.
    answers: u64,
    /// How many bad events the whole window has room for. Of events it is that share of those that
    /// the window would have at the load of this run: all that were asked from the warm-up to the
    /// last arrival, unfinished ones too, by the length of that time, times the window.
    pub allowed: f64,
    /// The greatest burn rate over a burn window, or over the measured time if that is shorter.
    pub burn_rate_max: Option<f64>,
    window: Span,
}

impl Account {
    /// The share of valid events that were good: the service level indicator.
    #[must_use]
    pub fn good_ratio(&self) -> Option<f64> {
        let valid = self.good + self.bad;
        (valid > 0).then(|| self.good as f64 / valid as f64)
    }

    /// The share of degraded answers.
    #[must_use]
    pub fn degraded_ratio(&self) -> Option<f64> {
        (self.answers > 0).then(|| self.degraded as f64 / self.answers as f64)
    }

    /// The share of the budget of the whole window that so many bad events use up.
    #[must_use]
    pub fn consumed_by(&self, bad: f64) -> Option<f64> {
        (self.allowed > 0.0).then(|| bad / self.allowed)
    }

    /// The share of the budget of the whole window that this run has used up; above 1 if it has
    /// used more than there is.
    #[must_use]
    pub fn budget_consumed(&self) -> Option<f64> {
        self.consumed_by(self.bad as f64)
    }

    /// How long a whole budget lasts at the greatest burn rate, in seconds: the window divided by
    /// the rate (SRE workbook, "Alerting on SLOs", "burn rate"). `None` if nothing burns.
    #[must_use]
    pub fn time_to_exhaustion(&self) -> Option<f64> {
        let rate = self.burn_rate_max.filter(|&rate| rate > 0.0)?;
        Some(self.window.seconds() / rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Time;
    use crate::metric::RecoveryRule;

    fn objective(slices: Option<Slices>, burn: u64) -> Objective {
        Objective {
            name: "orders".to_owned(),
            label: "orders".to_owned(),
            events: Events::Answers(0),
            target: 0.999,
            window: Span::from_secs(30 * 86_400),
            slices,
            burn_window: Span::from_secs(burn),
        }
    }

    /// Ten events a second for 100 s, of which so many are good in each.
    fn account(objective: &Objective, good: impl Fn(u64) -> u64) -> Account {
        let windows = (0..100).map(|second| MilestoneWindow {
            asked: 10,
            succeeded: good(second),
            unfinished: 0,
            reached: 0,
        });
        let progress = Progress { asked: 1000, windows: windows.collect(), ..Progress::default() };
        let metrics = RunMetrics { answers: vec![progress], ..RunMetrics::default() };
        let measure = Measure {
            operation: None,
            load: None,
            window: Span::from_secs(1),
            recovery: RecoveryRule::default(),
            faults: None,
            arrivals_end: Time::ZERO + Span::from_secs(100),
            warm_up: Time::ZERO,
        };
        objective.account(&metrics, &measure).expect("it is counted")
    }

    #[test]
    fn an_outage_uses_its_share_of_the_window_and_burns_by_its_share_of_the_budget() {
        // 43.2 minutes of an outage are the whole budget of 99.9% over 30 days.
        let account = account(&objective(None, 10), |at| if at < 20 { 0 } else { 10 });
        let share = account.budget_consumed().expect("there is a budget");
        assert!((share - 20.0 / (43.2 * 60.0)).abs() < 1e-12, "{share}");
        assert_eq!((account.good, account.bad), (800, 200));
        let burn = account.burn_rate_max.expect("something burns");
        assert!((burn - 1000.0).abs() < 1e-9, "all of it, for ten seconds: {burn}");
        let lasts = account.time_to_exhaustion().expect("it ends");
        assert!((lasts - 2592.0).abs() < 1e-6, "{lasts}");
    }

    #[test]
    fn consumed_is_the_burn_rate_times_the_time_over_the_window() {
        // The workbook: 2% of a budget of 30 days in an hour at 14.4 times.
        let account = account(&objective(None, 100), |at| if at < 50 { 9 } else { 10 });
        let burn = account.burn_rate_max.expect("something burns");
        let share = account.budget_consumed().expect("there is a budget");
        assert!((share - burn * 100.0 / (30.0 * 86_400.0)).abs() < 1e-15, "{share} {burn}");
        let alert: f64 = 14.4 * 3600.0 / (30.0 * 86_400.0);
        assert!((alert - 0.02).abs() < 1e-12);
    }

    #[test]
    fn slices_are_bad_as_a_whole_however_few_their_events() {
        let slices = Slices { width: Span::from_secs(10), target: 0.95 };
        let weak = account(&objective(Some(slices), 10), |at| if at == 5 { 5 } else { 10 });
        assert_eq!((weak.good, weak.bad), (10, 0), "95 of 100 are enough");
        let down = account(&objective(Some(slices), 10), |at| if at == 5 { 4 } else { 10 });
        assert_eq!((down.good, down.bad), (9, 1));
        let share = down.budget_consumed().expect("there is a budget");
        assert!((share - 1.0 / 259.2).abs() < 1e-12, "of 259.2 slices that may be bad: {share}");
    }

    #[test]
    fn unfinished_is_neither_good_nor_bad() {
        let slices = Slices { width: Span::from_secs(1), target: 0.5 };
        let window = |asked, succeeded, unfinished| MilestoneWindow {
            asked,
            succeeded,
            unfinished,
            reached: 0,
        };
        let judge = |window| {
            let Part { good, bad, unfinished } = slices.judge(&[window]);
            [good, bad, unfinished]
        };
        assert_eq!(judge(window(4, 0, 4)), [0, 0, 1]);
        assert_eq!(judge(window(4, 1, 2)), [1, 0, 0], "of two that are known");
        assert_eq!(judge(window(4, 0, 3)), [0, 1, 0]);
        assert_eq!(judge(window(0, 0, 0)), [1, 0, 0], "nobody was failed");
    }
}
