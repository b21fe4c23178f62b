//! `[theory]`: which law a model follows, and where the law's parameters stand in the model.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::law::Law;
use super::parameters::{Parameter, Parameters};
use super::{Quantity, Theory};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::document::{Data, Value, parse_path};
use crate::model::problem::Problem;
use crate::model::quantity::{Rate, Share};
use crate::model::read;

/// The closed form that an experiment's model follows: `stormglass validate` tells what theory says
/// beside what the runs show.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TheoryText {
    /// The law.
    pub law: Law,
    /// Parameters that are read from the model: paths, such as `"service.server.workers"`, after
    /// words such as `rate of` or `cv2 of`, in products and sums.
    #[serde(default)]
    pub from: IndexMap<String, String>,
    /// Parameters that the model does not have.
    #[serde(default)]
    pub with: IndexMap<String, Given>,
    /// The quantities that are compared; without it, all that a run shows.
    #[serde(default)]
    pub quantities: Option<Vec<String>>,
    /// For how long users arrive in a quick run.
    #[serde(default)]
    pub quick: Option<Span>,
}

/// A parameter as it is given: a number or a word.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(untagged, expecting = "expected a number or a word")]
pub enum Given {
    /// A number.
    Number(f64),
    /// A word.
    Word(String),
}

impl TheoryText {
    /// What theory says of this model and experiment.
    ///
    /// # Errors
    /// If a parameter is not in the model or is no number, or the law lacks one, or does not know a
    /// quantity.
    pub fn of(&self, model: &Value, experiment: &Value) -> Result<Theory, Problem> {
        let documents = [model, experiment];
        let mut parameters = Parameters::default();
        for (name, expression) in &self.from {
            let parameter = parameter(documents, expression)
                .map_err(|problem| problem.inside(name.clone()).inside("from"))?;
            parameters.0.insert(name.clone(), parameter);
        }
        for (name, given) in &self.with {
            let parameter = match given {
                Given::Number(number) => Parameter::Number(*number),
                Given::Word(word) => Parameter::Word(word.clone()),
            };
            parameters.0.insert(name.clone(), parameter);
        }
        let says = self.law.says(&parameters).map_err(|problem| self.placed(problem))?;
        let quantities = self.compared(says)?;
        Ok(Theory { law: self.law, parameters, quantities })
    }

    /// A problem of a law, at the parameter that it is about.
    fn placed(&self, problem: Problem) -> Problem {
        let is_read = problem.inside.first().is_some_and(|name| self.from.contains_key(name));
        match problem.inside.is_empty() {
            true => problem,
            false => problem.inside(if is_read { "from" } else { "with" }),
        }
    }

    /// What is compared of what the law says.
    fn compared(&self, says: Vec<Quantity>) -> Result<Vec<Quantity>, Problem> {
        let names: Vec<&str> = says.iter().map(|quantity| quantity.name.as_str()).collect();
        let asked = self.quantities.iter().flatten();
        if let Some(unknown) = asked.clone().find(|asked| !names.contains(&asked.as_str())) {
            return Err(Problem::unknown("quantity", unknown, &names).inside("quantities"));
        }
        let is_asked = |quantity: &Quantity| match &self.quantities {
            Some(asked) => asked.contains(&quantity.name),
            None => true,
        };
        Ok(says.into_iter().filter(|one| one.measured.is_some() && is_asked(one)).collect())
    }
}

/// A sum of products of values of the model; or the word that a path leads to.
pub(super) fn parameter(documents: [&Value; 2], expression: &str) -> Result<Parameter, Problem> {
    if let Ok(path) = parse_path(expression)
        && let Some(Value { data: Data::Text(word), .. }) = find(documents, &path)
        && !word.is_empty()
        && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    {
        return Ok(Parameter::Word(word.clone()));
    }
    let mut sum = 0.0;
    for term in expression.split(" + ") {
        let mut product = 1.0;
        for factor in term.split(" * ") {
            product *= number(documents, factor.trim())?;
        }
        sum += product;
    }
    Ok(Parameter::Number(sum))
}

/// The value at a path of the model, or else of the experiment, whose faults may be parameters.
fn find<'d>(documents: [&'d Value; 2], path: &[String]) -> Option<&'d Value> {
    documents.iter().find_map(|document| document.find(path))
}

fn number(documents: [&Value; 2], factor: &str) -> Result<f64, Problem> {
    if let Ok(number) = factor.parse() {
        return Ok(number);
    }
    let (words, path) = factor.rsplit_once(' ').unwrap_or(("", factor));
    let Some(value) = find(documents, &parse_path(path)?) else {
        return Err(Problem::new(format!("the model has no `{path}`"))
            .expected("a path of the model, such as `service.server.workers`"));
    };
    if words.is_empty() { plain(value) } else { of_distribution(&read(value)?, words) }
}

/// A number, rate, share or length of time.
fn plain(value: &Value) -> Result<f64, Problem> {
    match &value.data {
        Data::Integer(number) => Ok(*number as f64),
        Data::Float(number) => Ok(*number),
        Data::Text(text) if text.contains('/') => read::<Rate>(value).map(|rate| rate.per_second),
        Data::Text(text) if text.ends_with('%') => read::<Share>(value).map(|share| share.0),
        Data::Text(text) => read::<Span>(value).map(Span::seconds).map_err(|_| {
            let message = format!("`{text}` is no number, rate, share or length of time");
            let expected = "words such as `mean of` or `rate of` before the path of a distribution";
            Problem::new(message).expected(expected)
        }),
        other => Err(Problem::new(format!("{} is no parameter of a law", other.describe()))
            .expected("a number, a rate, a share or a length of time")
            .at(value.at)),
    }
}

/// What some words say of a distribution: `mean of`, `rate of part 1 of`.
fn of_distribution(distribution: &Distribution, words: &str) -> Result<f64, Problem> {
    let unknown = || {
        Problem::new(format!("`{words}` says nothing about this distribution")).expected(
            "`mean of`, `rate of`, `cv2 of`, `median of`, `sigma of`, `stages of`, or `mean of` \
             or `share of` `part 0 of` a mixture",
        )
    };
    if let Some((first, part)) = words.split_once(" part ") {
        let Distribution::Mixture(parts) = distribution else { return Err(unknown()) };
        let index = part.strip_suffix(" of").and_then(|index| index.parse::<usize>().ok());
        let part = index.and_then(|index| parts.get(index)).ok_or_else(unknown)?;
        return match first {
            "share of" => Ok(part.share),
            first => of_distribution(&part.distribution, first),
        };
    }
    let mean = || distribution.mean().map(Span::seconds).ok_or_else(unknown);
    match (words, distribution) {
        ("mean of", _) => mean(),
        ("rate of", _) => mean().map(|mean| 1.0 / mean),
        ("median of", Distribution::Lognormal { median, .. }) => Ok(median.seconds()),
        ("sigma of", Distribution::Lognormal { sigma, .. }) => Ok(*sigma),
        ("log median of", Distribution::Lognormal { median, .. }) => {
            Ok(libm::log(median.seconds()))
        }
        ("stages of", Distribution::Erlang { stages, .. }) => Ok(f64::from(*stages)),
        ("cv2 of", Distribution::Lognormal { sigma, .. }) => Ok(libm::expm1(sigma * sigma)),
        ("cv2 of", Distribution::Erlang { stages, .. }) => Ok(1.0 / f64::from(*stages)),
        ("cv2 of", Distribution::Exponential { .. }) => Ok(1.0),
        ("cv2 of", Distribution::Constant(_)) => Ok(0.0),
        _ => Err(unknown()),
    }
}
