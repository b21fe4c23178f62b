//! `[limit]`: how much steady load can a system take, what is full first, and what is left when an
//! instance or a zone is lost?
//!
//! A limit is a search (`experiment::search`) over the rate of arrivals for the share of runs in
//! which an objective fails, with a factor `lost` beside those of the experiment. Losing one of N
//! equal instances leaves (N - 1) / N of what they could take: to lose one without a change takes
//! N / (N - 1) of the need (static stability).

pub mod busy;
pub mod found;
pub mod language;
mod lost;

use super::amount::Amount;
use super::language::SearchText;
use super::outcome::NOT;
use super::{Search, Sought};
use crate::experiment::plan::language::{Experiment, Factor, Variant};
use crate::experiment::plan::point;
use crate::model::document::{Data, Location, Patch, Value};
use crate::model::problem::Problem;
use crate::model::quantity::Share;
use crate::model::read;
use crate::model::recording::ReadFile;
use language::LimitText;
use lost::Lost;

/// The factor of what is lost.
pub const LOST: &str = "lost";

/// Its level at which nothing is.
pub const NOTHING: &str = "nothing";

/// A limit, as an experiment declares it.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What was written.
    pub text: LimitText,
    /// Where it stands.
    at: Location,
}

impl Limit {
    /// Reads `[limit]` of an experiment, and the search that it is; `None` if it has none, or a
    /// wrong one.
    pub(in crate::experiment) fn read(
        experiment: &Value,
        problems: &mut Vec<Problem>,
    ) -> Option<(Limit, Option<Search>)> {
        let value = experiment.find(&["limit".to_owned()])?;
        let text: LimitText = read(value).map_err(|problem| problems.push(problem)).ok()?;
        if let Some(problem) = wrong(&text) {
            problems.push(problem.located(experiment, &["limit"]));
            return None;
        }
        let limit = Limit { text, at: value.at };
        let vary_at = value.locate(&["clients".to_owned()]);
        let sought = Sought {
            section: "limit",
            objectives: limit.text.objectives.clone(),
            value: match limit.text.vary {
                Some(_) => |amount, at| Value { data: amount.data(), at },
                None => poisson,
            },
        };
        let search = Search::new(experiment, limit.as_search(), vary_at, sought, problems);
        Some((limit, search))
    }

    /// The path of what is varied.
    fn vary(&self) -> String {
        let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let arrivals = || match &self.text.clients {
            plain if plain.chars().all(is_plain) => format!("clients.{plain}.arrivals"),
            name => format!("clients.\"{name}\".arrivals"),
        };
        self.text.vary.clone().unwrap_or_else(arrivals)
    }

    /// The search for the load at which the objectives fail in too many runs.
    fn as_search(&self) -> SearchText {
        let text = &self.text;
        SearchText {
            vary: self.vary(),
            label: Some(format!("arrivals per second of {}", text.clients)),
            from: Amount::Rate(text.from),
            until: Amount::Rate(text.until),
            scale: text.scale,
            steps: text.steps,
            sweep: text.sweep,
            outcome: format!("{NOT}{}", text.objectives.join(" and ")),
            seeds: text.seeds,
            levels: vec![Share(1.0 - text.holds_in.0)],
            across: None,
            mean_field: None,
            lines: indexmap::IndexMap::new(),
        }
    }

    /// Adds the factor of what is lost to an experiment with this model.
    ///
    /// # Errors
    /// If something cannot be lost, or there is a factor of this name already.
    pub(in crate::experiment) fn add_losses(
        &self,
        experiment: &mut Experiment,
        model: &Value,
        read_file: ReadFile<'_>,
    ) -> Result<(), Problem> {
        let losses = lost::losses(&self.text, experiment, model, read_file)?;
        if losses.is_empty() {
            return Ok(());
        }
        if experiment.factors.iter().any(|factor| factor.name == LOST) {
            let problem = Problem::new("the factor of what is lost is called `lost`");
            return Err(problem.expected("another name for your factor, or losses = []"));
        }
        let level = |name: String, label: String| Variant {
            set: vec![Patch {
                path: "limit.lost".to_owned(),
                path_at: self.at,
                value: Value { data: Data::Text(name.clone()), at: self.at },
            }],
            name: name.replace(' ', "-"),
            label,
        };
        let nothing = level(NOTHING.to_owned(), "nothing lost".to_owned());
        let lost = losses.iter().map(|lost| level(lost.to_string(), format!("{lost} lost")));
        let levels: Vec<Variant> = std::iter::once(nothing).chain(lost).collect();
        let with_each = |point: &point::Point| {
            let longer = |level: usize| point.iter().copied().chain([level]).collect();
            (0..levels.len()).map(longer).collect::<Vec<point::Point>>()
        };
        experiment.points = experiment.points.iter().flat_map(with_each).collect();
        experiment.factors.push(Factor { name: LOST.to_owned(), levels });
        Ok(())
    }
}

/// Takes away from a model what is lost in an experiment, or has it down for all of its time.
pub(in crate::experiment) fn lose(
    experiment: &mut Experiment,
    model: &mut Value,
    document: &Value,
) -> Result<(), Vec<Problem>> {
    let limit = experiment.explored.limit.as_ref();
    let Some(lost) = limit.and_then(|limit| limit.text.lost.clone()) else { return Ok(()) };
    let placed = |problem: Problem| vec![problem.located(document, &["limit", "lost"])];
    if let Some(lost) = Lost::read(&lost, model).map_err(placed)? {
        lost.take(experiment, model);
    }
    Ok(())
}

/// What is wrong with a limit beside what is wrong with its search.
fn wrong(text: &LimitText) -> Option<Problem> {
    if text.objectives.is_empty() {
        let problem = Problem::new("nothing is asked of the runs, so no load is too much");
        return Some(
            problem.expected("a bound such as \"latency_p99_ms <= 300ms\"").inside("objectives"),
        );
    }
    if !(text.holds_in.0 > 0.0 && text.holds_in.0 < 1.0) {
        let problem = Problem::new("no number of runs tells a share of 0% or 100%");
        return Some(problem.expected("more than 0% and less than 100%").inside("holds_in"));
    }
    None
}

/// Arrivals as a Poisson process.
fn poisson(rate: Amount, at: Location) -> Value {
    let rate = Value { data: rate.data(), at };
    let field = crate::model::document::Field { key_at: at, value: rate };
    let fields = indexmap::IndexMap::from([("poisson".to_owned(), field)]);
    Value { data: Data::Table(fields), at }
}
