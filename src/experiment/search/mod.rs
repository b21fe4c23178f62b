//! `[search]`: at which value of one quantity does something happen in a share of the runs?
//!
//! A search is a campaign with one factor more, whose levels are the values of a grid, and which
//! runs only those of its cells and seeds that decide anything. The same seeds run at every value
//! and in every arm. Ground truth 4.4.

pub mod amount;
pub mod choose;
mod expected;
pub mod found;
pub mod grid;
pub mod language;
pub mod limit;
pub mod outcome;
pub mod rare;
pub mod searching;
pub mod sensitivity;
pub mod track;
pub(super) mod wrong;

use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::patch::meets;
use crate::experiment::plan::variant::{Factor, Variant};
use crate::experiment::run::result::RunResult;
use crate::model::document::{Location, Patch, Value};
use crate::model::problem::Problem;
use crate::model::quantity::Share;
use crate::model::read;
use amount::Amount;
use grid::Grid;
use language::{GridScale, SearchText};
use outcome::Outcome;
use track::Rule;

/// The fewest seeds of a value that say anything of a share.
const SEEDS_MIN: u64 = 10;
/// The most seeds of a value.
const SEEDS_MAX: u64 = 100_000;
/// The most steps of a grid.
const STEPS_MAX: u64 = 1024;

/// A search, as an experiment declares it.
#[derive(Clone, Debug)]
pub struct Search {
    /// What was written.
    pub text: SearchText,
    /// The values.
    pub grid: Grid,
    /// What is varied, as a factor: a level for each value.
    pub factor: Factor,
    /// The section that declares it.
    pub section: &'static str,
    /// What every run must have, if it is looked for where one of them fails.
    pub objectives: Vec<String>,
}

/// What a section looks for, beside the keys of a search.
pub(super) struct Sought {
    /// The section.
    pub(super) section: &'static str,
    /// What must hold; nothing if the outcome is looked for.
    pub(super) objectives: Vec<String>,
    /// The value that is set for an amount.
    pub(super) value: fn(Amount, Location) -> Value,
}

impl Search {
    /// Reads `[search]` of an experiment; `None` if it has none, or a wrong one.
    pub(super) fn read(experiment: &Value, problems: &mut Vec<Problem>) -> Option<Search> {
        let value = experiment.find(&["search".to_owned()])?;
        let text: SearchText = read(value).map_err(|problem| problems.push(problem)).ok()?;
        let vary_at = value.locate(&["vary".to_owned()]);
        let sought = Sought {
            section: "search",
            objectives: Vec::new(),
            value: |amount, at| Value { data: amount.data(), at },
        };
        Search::new(experiment, text, vary_at, sought, problems)
    }

    /// A search that a section of an experiment declares; `None` if it is wrong.
    pub(super) fn new(
        experiment: &Value,
        text: SearchText,
        vary_at: Location,
        sought: Sought,
        problems: &mut Vec<Problem>,
    ) -> Option<Search> {
        let Sought { section, objectives, value } = sought;
        let wrong = check(&text);
        if !wrong.is_empty() {
            problems.extend(wrong.into_iter().map(|one| one.located(experiment, &[section])));
            return None;
        }
        let place = |key: &str| experiment.locate(&[section.to_owned(), key.to_owned()]);
        let grid = Grid::new(text.from, text.until, text.scale, text.steps);
        let last = grid.len() - 1;
        let level = |(number, amount): (usize, &Amount)| Variant {
            name: amount.to_string(),
            label: amount.to_string(),
            set: vec![Patch {
                path: text.vary.clone(),
                path_at: vary_at,
                value: value(*amount, place(if number == last { "until" } else { "from" })),
            }],
        };
        let levels = grid.values.iter().enumerate().map(level).collect();
        let factor = Factor { name: text.vary.clone(), levels };
        Some(Search { factor, grid, text, section, objectives })
    }

    /// Whether these overrides and so many seeds leave anything to search for.
    ///
    /// # Errors
    /// If an override wins over the values that are tried, or a share would be of too few runs.
    pub fn check(&self, overrides: &[Patch], seeds: usize) -> Result<(), Problem> {
        if let Some(patch) = overrides.iter().find(|patch| meets(&patch.path, &self.text.vary)) {
            let problem = Problem::new(format!("the search varies `{}` itself", self.text.vary));
            let section = self.section;
            let expected = format!(
                "no value for it, or an experiment without [{section}]; its range is set by \
                 {section}.from and {section}.until"
            );
            return Err(problem.expected(expected).at(patch.path_at));
        }
        if (seeds as u64) < SEEDS_MIN {
            let problem = Problem::new(format!("too few seeds to tell a share of runs: {seeds}"));
            return Err(problem.expected(format!("at least {SEEDS_MIN}, such as --seeds 1..101")));
        }
        Ok(())
    }

    /// The levels that so many seeds cannot tell from a share of 0% or 100%, as warnings.
    #[must_use]
    pub fn too_few(&self, seeds: u64) -> Vec<Problem> {
        let rule = self.rule(seeds);
        let warning = |level: &f64| {
            let (needed, end) = (rule.seeds_to_tell(*level), if *level > 0.5 { 100 } else { 0 });
            (seeds < needed).then(|| {
                let level = amount::Amount::Share(Share(*level));
                Problem::new(format!(
                    "{seeds} seeds are too few to tell {end}% from {level}, which stays open or \
                     unclear"
                ))
                .expected(format!("at least {needed} seeds"))
            })
        };
        rule.levels.iter().filter_map(warning).collect()
    }

    fn rule(&self, seeds: u64) -> Rule {
        Rule {
            grid: self.grid.clone(),
            sweep: self.text.sweep,
            seeds,
            levels: self.text.levels.iter().map(|level| level.0).collect(),
        }
    }

    /// What is looked for, of what runs of this cell can have.
    ///
    /// # Errors
    /// If there is nothing of this name.
    pub fn outcome(&self, cell: &Cell) -> Result<LookedFor, Problem> {
        if self.objectives.is_empty() {
            let outcome = Outcome::read(&self.text.outcome, cell);
            return outcome.map(LookedFor::Happens).map_err(|problem| problem.inside("outcome"));
        }
        let numbered = self.objectives.iter().enumerate();
        let objectives = numbered.map(|(index, text)| {
            let placed = |problem: Problem| problem.inside(index.to_string()).inside("objectives");
            Outcome::read(text, cell).map_err(placed)
        });
        objectives.collect::<Result<_, _>>().map(LookedFor::Fails)
    }
}

/// What is looked for in runs.
#[derive(Clone, Debug, PartialEq)]
pub enum LookedFor {
    /// That it happens.
    Happens(Outcome),
    /// That one of them is not met.
    Fails(Vec<Outcome>),
}

impl LookedFor {
    /// Whether it is so in a run; `None` where nothing can be said.
    #[must_use]
    pub fn is_so(&self, run: &RunResult) -> Option<bool> {
        match self {
            LookedFor::Happens(outcome) => outcome.happened(run),
            LookedFor::Fails(objectives) => Some(!objectives.iter().all(|one| one.is_met(run))),
        }
    }
}

/// What is wrong with a search for itself.
fn check(text: &SearchText) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |key: &str, problem: Problem| problems.push(problem.inside(key.to_owned()));
    let (from, until) = (text.from.number(), text.until.number());
    if !text.from.is_like(text.until) {
        wrong(
            "until",
            Problem::new(format!("from {} to {} is no range", text.from, text.until))
                .expected("two amounts in units of one kind"),
        );
    } else if from >= until {
        wrong(
            "until",
            Problem::new(format!("from {} to {} there is nothing", text.from, text.until))
                .expected(format!("more than {}", text.from)),
        );
    }
    if text.scale == GridScale::Log && from <= 0.0 {
        let problem = Problem::new("no ratio leads away from 0");
        wrong("from", problem.expected("more than 0, or scale = \"linear\""));
    }
    let mut whole = |key: &str, value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            let problem = Problem::new(format!("{value} is not possible here"));
            problems.push(problem.expected(format!("from {least} to {most}")).inside(key));
        }
    };
    whole("steps", text.steps, 1, STEPS_MAX);
    whole("sweep", text.sweep, 2, STEPS_MAX + 1);
    whole("seeds", text.seeds, SEEDS_MIN, SEEDS_MAX);
    let rises = text.levels.windows(2).all(|pair| pair[0] < pair[1]);
    let between = text.levels.iter().all(|level| level.0 > 0.0 && level.0 < 1.0);
    if text.levels.is_empty() || !rises || !between {
        let problem = Problem::new("these are no levels of a share");
        let expected = "shares above 0% and below 100%, ascending, such as [\"5%\", \"50%\"]";
        problems.push(problem.expected(expected).inside("levels"));
    }
    problems
}

#[cfg(test)]
mod tests;
