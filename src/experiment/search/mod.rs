//! `[search]`: at which value of one quantity does a share of the runs collapse?
//!
//! A search is a campaign with one factor more, whose levels are the values of a grid, and which
//! runs only those of its cells and seeds that decide anything. The same seeds run at every value
//! and in every arm. Ground truth 4.4.

pub mod amount;
mod expected;
pub mod found;
pub mod grid;
pub mod language;
pub mod track;
pub(super) mod wrong;

use super::campaign::{Campaign, Cell};
use super::comparison::{Measured, Source, unknown};
use super::language::{Factor, Variant};
use super::metastability::Label;
use super::patch::meets;
use super::run::RunResult;
use crate::model::document::{Patch, Value};
use crate::model::problem::Problem;
use crate::model::quantity::Share;
use crate::model::read;
use grid::Grid;
use language::{GridScale, SearchText};
use track::{Rule, Track};

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
}

impl Search {
    /// Reads `[search]` of an experiment; `None` if it has none, or a wrong one.
    pub(super) fn read(experiment: &Value, problems: &mut Vec<Problem>) -> Option<Search> {
        let value = experiment.find(&["search".to_owned()])?;
        for (key, problem) in unasked(experiment) {
            problems.push(problem.located(experiment, &[key]));
        }
        let text: SearchText = read(value).map_err(|problem| problems.push(problem)).ok()?;
        let wrong = check(&text);
        if !wrong.is_empty() {
            problems.extend(wrong.into_iter().map(|one| one.located(experiment, &["search"])));
            return None;
        }
        let place = |key: &str| value.locate(&[key.to_owned()]);
        let grid = Grid::new(text.from, text.until, text.scale, text.steps);
        let last = grid.len() - 1;
        let level = |(number, amount): (usize, &amount::Amount)| Variant {
            name: amount.to_string(),
            label: amount.to_string(),
            set: vec![Patch {
                path: text.vary.clone(),
                path_at: place("vary"),
                value: Value {
                    data: amount.data(),
                    at: place(if number == last { "until" } else { "from" }),
                },
            }],
        };
        let levels = grid.values.iter().enumerate().map(level).collect();
        Some(Search { factor: Factor { name: text.vary.clone(), levels }, grid, text })
    }

    /// Whether these overrides and so many seeds leave anything to search for.
    ///
    /// # Errors
    /// If an override wins over the values that are tried, or a share would be of too few runs.
    pub fn check(&self, overrides: &[Patch], seeds: usize) -> Result<(), Problem> {
        if let Some(patch) = overrides.iter().find(|patch| meets(&patch.path, &self.text.vary)) {
            let problem = Problem::new(format!("the search varies `{}` itself", self.text.vary));
            let expected = "no value for it, or an experiment without [search]; its range is set \
                            by search.from and search.until";
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

    /// The outcome, of those that runs of this cell can have.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn outcome(&self, cell: &Cell) -> Result<Measured, Problem> {
        let name = self.text.outcome.as_str();
        let events = Measured::all(cell).into_iter().filter(Measured::is_event);
        let events: Vec<Measured> = events.collect();
        if let Some(event) = events.iter().find(|event| event.name == name) {
            return Ok(event.clone());
        }
        let problem = match name {
            "metastable" => Problem::new("no run is labelled, so none is metastable")
                .expected("[metastability] beside it, or another `outcome`"),
            "never_recovered" => Problem::new("nothing goes wrong, so every run has recovered")
                .expected("[[faults]] beside it, or another `outcome`"),
            _ => unknown("outcome", name, &events),
        };
        Err(problem.inside("outcome"))
    }
}

/// What a search leaves aside: it compares no arms, and judges no single run.
fn unasked(experiment: &Value) -> Vec<(&'static str, Problem)> {
    let parts = [
        ("compare", "a search compares no arms"),
        ("expect", "a search checks no runs"),
        ("attribution", "a search looks for no causes"),
    ];
    let there =
        parts.into_iter().filter(|(key, _)| experiment.find(&[(*key).to_owned()]).is_some());
    let refused = |(key, what): (&'static str, &str)| {
        let expected = format!("[{key}] in an experiment of its own, without [search]");
        (key, Problem::new(what).expected(expected))
    };
    there.map(refused).collect()
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

/// A search on its way: what came of the runs so far.
#[derive(Clone, Debug)]
pub struct Searching {
    /// What is looked for.
    pub rule: Rule,
    /// A track for each point and arm: every arm at the first point, then at the second.
    pub tracks: Vec<Track>,
    outcome: Measured,
    arms: usize,
}

impl Searching {
    /// The beginning of a campaign's search; `None` if it declares none.
    ///
    /// # Panics
    /// If no run has the outcome: a campaign has refused that.
    #[must_use]
    pub fn new(campaign: &Campaign) -> Option<Searching> {
        let search = campaign.experiment.search.as_ref()?;
        let rule = search.rule(campaign.seeds.len() as u64);
        let arms = campaign.experiment.arms.len();
        let tracks = vec![Track::default(); campaign.cells.len() / rule.grid.len()];
        let outcome = search.outcome(&campaign.cells[0]);
        let outcome = outcome.unwrap_or_else(|problem| panic!("{problem}"));
        Some(Searching { rule, tracks, outcome, arms })
    }

    /// The numbers of the runs that decide what comes next, ascending; none if all is found.
    #[must_use]
    pub fn next(&self, campaign: &Campaign) -> Vec<usize> {
        let mut numbers = Vec::new();
        for (index, track) in self.tracks.iter().enumerate() {
            for (place, seeds) in track.next(&self.rule) {
                let first = self.cell(index, place) * campaign.seeds.len();
                let done = track.probes.get(&place).map_or(0, |probe| probe.outcomes.len());
                numbers.extend((done..seeds as usize).map(|seed| first + seed));
            }
        }
        numbers.sort_unstable();
        numbers
    }

    /// Takes the results of the runs that were asked for, in the order of their numbers.
    pub fn take(&mut self, results: &[RunResult]) {
        for run in results {
            let (index, place) = self.track_and_place(run.cell);
            let outcome = self.happened(run);
            let probes = &mut self.tracks[index].probes;
            probes.entry(place).or_default().outcomes.push(outcome);
        }
    }

    /// The cell of a track at a place of the grid.
    #[must_use]
    pub fn cell(&self, track: usize, place: usize) -> usize {
        let (point, arm) = (track / self.arms, track % self.arms);
        (point * self.rule.grid.len() + place) * self.arms + arm
    }

    fn track_and_place(&self, cell: usize) -> (usize, usize) {
        let (group, arm) = (cell / self.arms, cell % self.arms);
        let (point, place) = (group / self.rule.grid.len(), group % self.rule.grid.len());
        (point * self.arms + arm, place)
    }

    /// Whether it happened in a run. A run that is not healthy without its fault says nothing about
    /// what the fault does.
    fn happened(&self, run: &RunResult) -> Option<bool> {
        if self.outcome.source == Source::Metastable && run.label == Some(Label::Overload) {
            return None;
        }
        self.outcome.value(run).map(|value| value > 0.5)
    }
}

#[cfg(test)]
mod tests;
