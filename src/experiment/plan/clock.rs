//! Times of the day: `starts_at` of an experiment, and when faults begin.

use std::borrow::Cow;

use crate::kernel::time::Span;
use crate::model::document::{Data, Location, Value};
use crate::model::problem::Problem;
use crate::model::quantity::TimeOfDay;

/// The experiment with every moment that is a time of the day as the time since its beginning.
pub(in crate::experiment) fn since_the_start<'d>(
    experiment: &'d Value,
    problems: &mut Vec<Problem>,
) -> Cow<'d, Value> {
    let moments = moments(experiment);
    if moments.is_empty() {
        return Cow::Borrowed(experiment);
    }
    let starts_at = experiment.find(&["starts_at".to_owned()]);
    let start = starts_at.and_then(|value| match &value.data {
        Data::Text(text) => TimeOfDay::parse(text),
        _ => None,
    });
    let mut timed = experiment.clone();
    for (path, moment, at) in moments {
        let since = start.map_or(Span::ZERO, |start| moment.since(start));
        if starts_at.is_none() {
            let message = "the experiment does not say at which time of the day it begins";
            let expected = "the time since the beginning, such as \"90s\", or `starts_at` beside \
                            `arrivals`, such as \"12:00\"";
            problems.push(Problem::new(message).at(at).expected(expected));
        }
        let value = Value { data: Data::Text(since.to_string()), at };
        timed.set(&path, value).expect("it was found there");
    }
    Cow::Owned(timed)
}

/// Everything in an experiment that is written as a time of the day: its path, and where.
fn moments(experiment: &Value) -> Vec<(Vec<String>, TimeOfDay, Location)> {
    let faults = match experiment.find(&["faults".to_owned()]).map(|faults| &faults.data) {
        Some(Data::List(faults)) => faults.len(),
        _ => 0,
    };
    let faults = (0..faults).map(|index| vec!["faults".to_owned(), index.to_string(), "at".into()]);
    let drawn = ["from", "until"].map(|key| vec!["random_faults".to_owned(), key.to_owned()]);
    let moment = |path: Vec<String>| {
        let value = experiment.find(&path)?;
        let Data::Text(text) = &value.data else { return None };
        Some((path, TimeOfDay::parse(text)?, value.at))
    };
    faults.chain(drawn).filter_map(moment).collect()
}
