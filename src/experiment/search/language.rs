//! `[search]`, as it is written.

use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::amount::Amount;
use crate::model::quantity::Share;
use crate::theory::MeanFieldText;

/// For every arm and point: at which value of one quantity does a share of the runs collapse?
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SearchText {
    /// The path of what is varied, of the model or the experiment, such as `"faults.0.for"`.
    pub vary: String,
    /// What pictures and tables call it; its path without it.
    #[serde(default)]
    pub label: Option<String>,
    /// The least value.
    pub from: Amount,
    /// The largest value.
    pub until: Amount,
    /// Whether the grid has equal ratios or equal differences.
    #[serde(default)]
    pub scale: GridScale,
    /// Into how many steps the grid cuts the range.
    #[serde(default = "SearchText::steps")]
    pub steps: u64,
    /// How many values are tried first, to see whether the share rises all the way.
    #[serde(default = "SearchText::sweep")]
    pub sweep: u64,
    /// What happens to a run or not: `"metastable"`, `"never_recovered"`, `"NAME.never_recovered"`
    /// of a milestone, or `"NAME_violated"`.
    #[serde(default = "SearchText::outcome")]
    pub outcome: String,
    /// The most seeds of one value.
    #[serde(default = "SearchText::seeds")]
    pub seeds: u64,
    /// The shares whose values are looked for.
    #[serde(default = "SearchText::levels")]
    pub levels: Vec<Share>,
    /// The factor across the picture; without it, the first one whose levels are numbers.
    #[serde(default)]
    pub across: Option<String>,
    /// Where the mean field of a queue with retries has its boundaries, across the picture.
    #[serde(default)]
    pub mean_field: Option<MeanFieldText>,
    /// Further lines across the picture: names, and values of the factor across.
    #[serde(default)]
    pub lines: IndexMap<String, f64>,
}

/// How the values of a grid follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GridScale {
    /// Equal ratios.
    #[default]
    Log,
    /// Equal differences.
    Linear,
}

impl SearchText {
    fn steps() -> u64 {
        64
    }

    fn sweep() -> u64 {
        13
    }

    fn outcome() -> String {
        "metastable".to_owned()
    }

    /// Ground truth 4.4.
    fn seeds() -> u64 {
        200
    }

    /// Ground truth 4.4: D05, D50, D95.
    fn levels() -> Vec<Share> {
        [0.05, 0.5, 0.95].map(Share).to_vec()
    }
}
