//! `[ramp]`: a load that goes up step by step and down again, slowly, in one run.
//!
//! A system with two stable states collapses at another load than the one at which it comes back:
//! hysteresis. Ground truth 4.4.

use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::experiment::plan::cell::Cell;
use crate::experiment::run::cohorts::cohorts;
use crate::experiment::run::result::RunResult;
use crate::kernel::limit::Ending;
use crate::kernel::time::Span;
use crate::model::document::{Data, Field, Location, Patch, Value};
use crate::model::problem::Problem;
use crate::model::quantity::{Rate, Share};
use crate::model::read;

/// A load that goes up step by step, and down again.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RampText {
    /// Whose arrivals it is.
    pub clients: String,
    /// The lowest rate, with which it begins and ends.
    pub from: Rate,
    /// The highest rate.
    pub to: Rate,
    /// How many rates there are, both ends among them.
    pub steps: u32,
    /// How long each rate lasts: at least ten times as long as the system needs to settle.
    pub dwell: Span,
    /// The share of requests below which the system is down.
    #[serde(default = "half")]
    pub level: Share,
}

fn half() -> Share {
    Share(0.5)
}

/// The most rates of a ramp.
const STEPS_MAX: u32 = 1_000;

/// A ramp, as an experiment declares it.
#[derive(Clone, Debug)]
pub struct Ramp {
    /// What was written.
    pub text: RampText,
    /// The rates a second, in their order: up, and down again.
    pub rates: Vec<f64>,
    /// The arrivals, as a profile of the model.
    pub arrivals: Patch,
}

/// What a run did in one step of a ramp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RampStep {
    /// Requests first asked in its second half.
    pub asked: u64,
    /// Those of them that succeeded.
    pub succeeded: u64,
    /// Requests answered `ok` in it, a second.
    pub goodput: f64,
}

/// The rates at which a run collapsed and came back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Edges {
    /// On the way up, the first rate at which it was down; `None` if it never was.
    pub collapse: Option<f64>,
    /// On the way down, the first rate at which it was up again; `None` if it was not down at the
    /// top, or never recovered.
    pub recovery: Option<f64>,
}

impl Ramp {
    /// Reads `[ramp]` of an experiment; `None` if it has none, or a wrong one.
    pub(in crate::experiment) fn read(
        experiment: &Value,
        problems: &mut Vec<Problem>,
    ) -> Option<Ramp> {
        let value = experiment.find(&["ramp".to_owned()])?;
        let text: RampText = read(value).map_err(|problem| problems.push(problem)).ok()?;
        if let Err(problem) = check(&text, experiment) {
            problems.push(problem.located(experiment, &["ramp"]));
            return None;
        }
        let (low, high) = (text.from.per_second, text.to.per_second);
        let last = text.steps - 1;
        let rate = |step: u32| low + (high - low) * f64::from(step) / f64::from(last);
        let rates: Vec<f64> = (0..=last).chain((0..last).rev()).map(rate).collect();
        let at = value.locate(&["clients".to_owned()]);
        let arrivals = Patch {
            path: format!("clients.\"{}\".arrivals", text.clients),
            path_at: at,
            value: profile(&rates, text.dwell, at),
        };
        Some(Ramp { text, rates, arrivals })
    }

    /// How many steps go up; those after them go down.
    #[must_use]
    pub fn up(&self) -> usize {
        self.text.steps as usize
    }

    /// What a run did in each step.
    #[must_use]
    pub fn steps(&self, cell: &Cell, run: &RunResult) -> Vec<RampStep> {
        let each = (self.text.dwell.0 / cell.measure.window.0) as usize;
        let windows = cohorts(cell, &run.metrics);
        let windows = windows.chunks(each);
        let step = |windows: &[crate::metric::Window]| {
            // The last step has fewer windows if nothing happened at its end.
            let settled = &windows[(each / 2).min(windows.len())..];
            let answered: u64 = windows.iter().map(|window| window.answered).sum();
            RampStep {
                asked: settled.iter().map(|window| window.asked).sum(),
                succeeded: settled.iter().map(|window| window.succeeded).sum(),
                goodput: answered as f64 / self.text.dwell.seconds(),
            }
        };
        windows.take(self.rates.len()).map(step).collect()
    }

    /// Where a run collapsed and came back; `None` of a run that a limit ended.
    #[must_use]
    pub fn edges(&self, cell: &Cell, run: &RunResult) -> Option<Edges> {
        if run.ending != Ending::Complete {
            return None;
        }
        let steps = self.steps(cell, run);
        let is_down: Vec<bool> = steps
            .iter()
            .map(|step| (step.succeeded as f64) < self.text.level.0 * step.asked as f64)
            .collect();
        let (up, down) = is_down.split_at(self.up().min(is_down.len()));
        let collapse = up.iter().position(|down| *down).map(|step| self.rates[step]);
        let back = down.iter().position(|down| !down).map(|step| self.rates[up.len() + step]);
        Some(Edges { collapse, recovery: back.filter(|_| up.last() == Some(&true)) })
    }
}

/// What is wrong with a ramp.
fn check(text: &RampText, experiment: &Value) -> Result<(), Problem> {
    if experiment.find(&["search".to_owned()]).is_some() {
        return Err(Problem::new("a ramp is no search").expected("one of both in an experiment"));
    }
    if text.from.per_second >= text.to.per_second || text.from.per_second <= 0.0 {
        return Err(Problem::new(format!("from {} to {} nothing goes up", text.from, text.to))
            .expected(format!("more than {}", text.from))
            .inside("to"));
    }
    if !(2..=STEPS_MAX).contains(&text.steps) {
        return Err(Problem::new(format!("{} is not possible here", text.steps))
            .expected(format!("from 2 to {STEPS_MAX}"))
            .inside("steps"));
    }
    let span = |path: &[&str], unless: Span| {
        let path: Vec<String> = path.iter().map(|&key| key.to_owned()).collect();
        experiment.find(&path).and_then(|value| read::<Span>(value).ok()).unwrap_or(unless)
    };
    let window = span(&["measure", "window"], Span::from_secs(1));
    if text.dwell == Span::ZERO || window == Span::ZERO || !text.dwell.0.is_multiple_of(window.0) {
        return Err(Problem::new(format!("{} cannot be the length of a step", text.dwell))
            .expected(format!("a multiple of {window}, the `window` of `measure`"))
            .inside("dwell"));
    }
    let whole = Span(text.dwell.0.saturating_mul(u64::from(2 * text.steps - 1)));
    match span(&["arrivals"], whole) == whole {
        true => Ok(()),
        false => Err(Problem::new(format!("{} steps take {whole}", 2 * text.steps - 1))
            .expected(format!("arrivals = \"{whole}\", or another `dwell`"))
            .inside("dwell")),
    }
}

/// Arrivals with these rates, one after the other.
fn profile(rates: &[f64], dwell: Span, at: Location) -> Value {
    let value = |data: Data| Value { data, at };
    let field = |text: String| Field { key_at: at, value: value(Data::Text(text)) };
    let step = |(index, rate): (usize, &f64)| {
        let begins = Span(dwell.0.saturating_mul(index as u64));
        let rate = Rate { per_second: *rate };
        let keys = [("at", begins.to_string()), ("rate", rate.to_string())];
        let fields = keys.map(|(key, text)| (key.to_owned(), field(text)));
        value(Data::Table(IndexMap::from(fields)))
    };
    let steps = rates.iter().enumerate().map(step).collect();
    let profile = Field { key_at: at, value: value(Data::List(steps)) };
    value(Data::Table(IndexMap::from([("profile".to_owned(), profile)])))
}
