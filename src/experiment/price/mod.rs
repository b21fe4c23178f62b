//! What a run costs: prices of what is counted in it, in the unit that the experiment names.
//!
//! A cost is computed in whole millionths of the unit, so that it is exact for every amount that
//! can be written, and rounded once for each part. Who does less pays less: what is lost costs
//! nothing unless it has a price.

mod amount;
mod counted;
pub mod language;

use crate::experiment::measure::metrics::{Metric, Of};
use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::language::Experiment;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Span;
use crate::metric::MetricId;
use crate::model::document::Value;
use crate::model::problem::{Problem, shortened};
use crate::model::program::Program;
pub use amount::Amount;
pub use counted::Counted;
use language::{Per, PriceText};

/// The prices of an experiment for a program.
#[derive(Clone, Debug)]
pub struct Prices {
    /// The unit of all of them.
    pub currency: String,
    /// Each of them, in the order of the experiment.
    pub list: Vec<Price>,
}

/// What one of the things costs that are counted in a run.
#[derive(Clone, Debug)]
pub struct Price {
    /// Its name in results: `cost.NAME`.
    pub name: String,
    /// What tables and pictures call it.
    pub label: String,
    /// What is counted, as the experiment says it.
    pub what: String,
    /// What is counted.
    pub counted: Counted,
    /// What so many of them cost.
    pub amount: Amount,
    /// So many of them: a number of things, or of nanoseconds.
    pub per: u64,
    /// Whether nobody has looked it up.
    pub is_assumed: bool,
}

impl Prices {
    /// What a run costs in all; `None` where a part of it cannot be told.
    #[must_use]
    pub fn total(&self, cell: &Cell, run: &RunResult) -> Option<f64> {
        let parts = self.list.iter().map(|price| price.millionths(cell, run));
        Some(Amount::in_units(parts.sum::<Option<i128>>()?))
    }

    /// What a run costs of the price at this place; `None` where it cannot be told.
    #[must_use]
    pub fn part(&self, place: usize, cell: &Cell, run: &RunResult) -> Option<f64> {
        self.list.get(place)?.millionths(cell, run).map(Amount::in_units)
    }

    /// What tables call a metric of these; `None` of others.
    #[must_use]
    pub fn called(&self, metric: &Metric) -> Option<String> {
        match (metric.id, metric.of) {
            (MetricId::Cost, Of::Price(place)) => {
                Some(format!("{}, {}", self.list.get(place)?.label, self.currency))
            }
            (MetricId::Cost, _) => Some(format!("{}, {}", metric.name, self.currency)),
            _ => None,
        }
    }

    /// The labels of the prices that nobody has looked up.
    #[must_use]
    pub fn assumed(&self) -> Vec<&str> {
        self.list.iter().filter(|it| it.is_assumed).map(|it| it.label.as_str()).collect()
    }
}

impl Price {
    fn millionths(&self, cell: &Cell, run: &RunResult) -> Option<i128> {
        Some(self.amount.times(self.counted.in_run(cell, run)?, self.per))
    }

    /// "0.08 for 1h of instances of api", as the experiment says it.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.counted.is_time(), self.per) {
            (true, per) => {
                format!("{} for {} of {}", self.amount, Span(per), self.what)
            }
            (false, 1) => format!("{} each for {}", self.amount, self.what),
            (false, per) => format!("{} for {per} of {}", self.amount, self.what),
        }
    }
}

/// The longest name of a currency.
const CURRENCY_MAX: usize = 12;

/// What is wrong with the names in `[price]`, each with its path inside it.
pub(super) fn check(text: &PriceText) -> Vec<Problem> {
    let mut problems = Vec::new();
    let currency = text.currency.trim();
    if currency.is_empty() || currency.chars().count() > CURRENCY_MAX {
        let problem = Problem::new(format!("`{}` cannot name a currency", shortened(currency)));
        let expected = format!("a word of up to {CURRENCY_MAX} letters, such as \"EUR\"");
        problems.push(problem.expected(expected).inside("currency"));
    }
    if text.each.is_empty() {
        let problem = Problem::new("nothing has a price").expected("[price.for.NAME] for each");
        problems.push(problem);
    }
    let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    for name in text.each.keys() {
        let is_name = !name.is_empty() && name.len() <= 100 && name.chars().all(is_plain);
        if !is_name || MetricId::named(name).is_some_and(|id| id != MetricId::Cost) {
            let problem = Problem::new(format!("`{}` cannot name a price", shortened(name)));
            let expected = "up to 100 letters, digits, `-` and `_`, and no metric: a column is \
                            cost.NAME";
            problems.push(problem.expected(expected).inside(name.as_str()).inside("for"));
        }
    }
    problems
}

/// The prices for a program; notes what is wrong.
pub(super) fn compiled(
    experiment: &Experiment,
    program: &Program,
    (document, problems): (&Value, &mut Vec<Problem>),
) -> Option<Prices> {
    let text = experiment.price.as_ref()?;
    let mut list = Vec::new();
    for (name, of) in &text.each {
        let found = Counted::find(&of.what, experiment, program)
            .map_err(|wrong| wrong.inside("what"))
            .and_then(|counted| Ok((per(of.per, &counted)?, counted)));
        match found {
            Ok((per, counted)) => list.push(Price {
                name: name.clone(),
                label: of.label.clone().unwrap_or_else(|| name.replace('_', " ")),
                what: of.what.clone(),
                counted,
                amount: of.amount,
                per,
                is_assumed: of.assumed.unwrap_or(text.assumed),
            }),
            Err(problem) => problems.push(problem.located(document, &["price", "for", name])),
        }
    }
    Some(Prices { currency: text.currency.trim().to_owned(), list })
}

/// Of how many an amount is the price.
fn per(per: Option<Per>, counted: &Counted) -> Result<u64, Problem> {
    match (counted.is_time(), per) {
        (true, Some(Per::Time(span))) if span.0 > 0 => Ok(span.0),
        (false, None) => Ok(1),
        (false, Some(Per::Count(count))) if count > 0 => Ok(count),
        (true, None) => Err(Problem::new("it is not said for how long that is the price")
            .expected("`per`, a length of time such as \"1h\"")),
        (true, Some(_)) => Err(Problem::new("a price of time is for a length of time")
            .expected("such as \"1h\", and more than 0s")
            .inside("per")),
        (false, Some(_)) => Err(Problem::new("a price of a count is for a number of things")
            .expected("a whole number of at least 1, such as 1000")
            .inside("per")),
    }
}
