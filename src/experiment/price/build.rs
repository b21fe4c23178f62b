//! The prices of an experiment, read into those of a cell.

use super::language::Per;
use super::{Counted, Price, Prices};
use crate::experiment::plan::language::Experiment;
use crate::model::document::Value;
use crate::model::problem::Problem;
use crate::model::program::Program;

/// The prices for a program; notes what is wrong.
pub(in crate::experiment) fn compiled(
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
