//! The file of `stormglass budget`: kinds of incident with frequencies, and whose budget they
//! spend.

use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::experiment::plan::documents::wrong_name;
use crate::experiment::plan::seeds::Seeds;
#[cfg(test)]
use crate::fault::FaultText;
use crate::model::document::Value;
use crate::model::hidden::in_line;
use crate::model::problem::{Problem, shortened};
use crate::model::quantity::Share;
use crate::model::read;

/// Kinds of incident, how often each comes, and what is asked of them.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "Stormglass budget"))]
#[serde(deny_unknown_fields)]
pub struct BudgetText {
    /// Its name: results are written to `out/NAME`.
    pub name: String,
    /// What its picture is called; its name without it.
    #[serde(default)]
    pub title: Option<String>,
    /// What it answers.
    #[serde(default)]
    pub question: String,
    /// The experiment with the arms, the objectives and the prices, relative to this file. Its own
    /// faults are left out.
    pub experiment: String,
    /// The objective whose budget is spent; the only one of the experiment without it.
    #[serde(default)]
    pub objective: Option<String>,
    /// The seeds of each incident, in each arm; those of the experiment without it.
    #[serde(default)]
    pub seeds: Option<Seeds>,
    /// How many windows of the objective are drawn.
    #[serde(default = "windows")]
    pub windows: u32,
    /// The seed of the calendar.
    #[serde(default = "calendar_seed")]
    pub calendar_seed: u64,
    /// What happens when a budget is spent; nothing without it.
    #[serde(default)]
    pub policy: Option<PolicyText>,
    /// The kinds of incident by their names.
    pub incident: IndexMap<String, IncidentText>,
}

fn windows() -> u32 {
    10_000
}

fn calendar_seed() -> u64 {
    1
}

/// A kind of incident.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IncidentText {
    /// What tables and pictures call it; its name without it.
    #[serde(default)]
    pub label: Option<String>,
    /// How many of them come in 30 days, on average.
    pub per_month: f64,
    /// What goes wrong, as `faults` of an experiment: the experiment of the file with these.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<Vec<FaultText>>"))]
    pub faults: Option<IgnoredAny>,
    /// Another experiment in place of `faults`, with its own faults, and with the same arms and the
    /// same objective.
    #[serde(default)]
    pub experiment: Option<String>,
    /// Whether a change of the team's own brings it: such do not come while changes are frozen.
    #[serde(default)]
    pub change: bool,
}

/// `[policy]`: an error budget policy over a rolling window as long as the objective's. The
/// defaults are those of the example policy of the SRE workbook (appendix B).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PolicyText {
    /// Changes are frozen while more than this share of the budget is gone.
    pub freeze_above: Share,
    /// One incident that takes more than this share needs a post-mortem.
    pub post_mortem_above: Share,
}

impl Default for PolicyText {
    fn default() -> PolicyText {
        PolicyText { freeze_above: Share(1.0), post_mortem_above: Share(0.2) }
    }
}

/// The most windows, and the most incidents of one kind in 30 days: they are drawn one by one.
const WINDOWS_MAX: u32 = 1_000_000;
const PER_MONTH_MAX: f64 = 300.0;

impl BudgetText {
    /// Reads a file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(document: &Value) -> Result<BudgetText, Vec<Problem>> {
        let text: BudgetText = read(document).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let mut note = |path: &[&str], problem: Problem| {
            problems.push(problem.located(document, path));
        };
        if let Some(problem) = wrong_name(&text.name) {
            note(&["name"], problem);
        }
        let lines = [("title", text.title.as_deref()), ("question", Some(text.question.as_str()))];
        for (key, line) in lines {
            if let Some(problem) = line.and_then(in_line) {
                note(&[key], problem);
            }
        }
        if text.windows == 0 || text.windows > WINDOWS_MAX {
            let problem = Problem::new(format!("{} windows cannot be drawn", text.windows));
            note(&["windows"], problem.expected(format!("from 1 to {WINDOWS_MAX}")));
        }
        if text.incident.is_empty() {
            let problem = Problem::new("nothing ever happens");
            note(&["incident"], problem.expected("[incident.NAME] for each kind of incident"));
        }
        for (name, own) in &text.incident {
            for (key, problem) in own.wrong() {
                note(&["incident", name, key], problem);
            }
        }
        if problems.is_empty() { Ok(text) } else { Err(problems) }
    }

    /// What pictures and tables call it.
    #[must_use]
    pub fn called(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }
}

impl IncidentText {
    /// What is wrong with it, each with its key.
    fn wrong(&self) -> Vec<(&'static str, Problem)> {
        let mut problems = Vec::new();
        if !(self.per_month > 0.0 && self.per_month <= PER_MONTH_MAX) {
            let problem = Problem::new(format!("{} in 30 days cannot be drawn", self.per_month));
            let expected = format!("more than 0, and at most {PER_MONTH_MAX}");
            problems.push(("per_month", problem.expected(expected)));
        }
        if self.faults.is_some() == self.experiment.is_some() {
            let problem = Problem::new("an incident is what goes wrong, or an experiment");
            problems.push(("faults", problem.expected("either `faults` or `experiment`")));
        }
        if let Some(label) = &self.label {
            let is_empty = label.trim().is_empty();
            let problem = is_empty.then(|| Problem::new(format!("`{}`", shortened(label))));
            let problem = problem.map(|problem| problem.expected("a word or more"));
            problems.extend(problem.or_else(|| in_line(label)).map(|wrong| ("label", wrong)));
        }
        problems
    }
}
