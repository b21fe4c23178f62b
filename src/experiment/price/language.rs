//! `[price]` of an experiment.

use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::amount::Amount;
use crate::kernel::time::Span;
use crate::metric::MetricId;
use crate::model::problem::{Problem, shortened};

/// What the things cost that are counted in a run.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceText {
    /// The unit of all amounts, such as `"EUR"`.
    pub currency: String,
    /// Whether prices are assumptions that do not say so themselves.
    #[serde(default)]
    pub assumed: bool,
    /// Each price by a name of its own.
    #[serde(default, rename = "for")]
    pub each: IndexMap<String, PriceOf>,
}

/// One price.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceOf {
    /// What is counted: `"instances of NODE"`, `"time"`, `"time until recovered"`,
    /// `"attempts at NODE.OPERATION"`, `"calls between zones"` or `"regions"`,
    /// `"violations of PROMISE"`, or a whole number of `runs.csv`.
    pub what: String,
    /// What `per` of it costs.
    pub amount: Amount,
    /// Of how many that is the price: of time a length of time, of everything else a whole number,
    /// 1 without it.
    #[serde(default)]
    pub per: Option<Per>,
    /// Whether it is an assumption, and has not been looked up; as `assumed` of `[price]` without
    /// it.
    #[serde(default)]
    pub assumed: Option<bool>,
    /// What tables and pictures call it; its name without it.
    #[serde(default)]
    pub label: Option<String>,
}

/// Of how many an amount is the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged, expecting = "expected a whole number, or a length of time such as \"1h\"")]
pub enum Per {
    /// So many things.
    Count(u64),
    /// So long.
    Time(Span),
}

/// The longest name of a currency.
const CURRENCY_MAX: usize = 12;

/// What is wrong with the names in `[price]`, each with its path inside it.
pub(in crate::experiment) fn check(text: &PriceText) -> Vec<Problem> {
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
