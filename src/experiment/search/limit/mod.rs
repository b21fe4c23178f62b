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
pub(in crate::experiment) mod lose;
pub mod lost;

use super::amount::Amount;
use super::language::SearchText;
use super::outcome::NOT;
use super::{Search, Sought};
use crate::model::document::{Data, Location, Value};
use crate::model::problem::Problem;
use crate::model::quantity::Share;
use crate::model::read;
use language::LimitText;

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
