//! `[sensitivity]`, as it is written.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::experiment::plan::quantity::Quantities;

/// Which of several quantities, whose values are guesses, a number of the runs depends on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SensitivityText {
    /// A number of a run, or something that happens to it: a metric, as in `[compare]`.
    pub outcome: String,
    /// The quantities: paths with ranges, or with values.
    pub over: Quantities,
    /// Whether to screen many quantities by few runs, or to share the variance among few by many.
    #[serde(default)]
    pub method: SensitivityMethod,
    /// The trajectories of a screening, of one run more than there are quantities each.
    #[serde(default = "SensitivityText::trajectories")]
    pub trajectories: u64,
    /// The rows of a Sobol design, of two runs more than there are quantities each.
    #[serde(default = "SensitivityText::rows")]
    pub rows: u64,
    /// The seeds of each design, over which the mean is taken.
    #[serde(default = "SensitivityText::seeds")]
    pub seeds: u64,
}

/// How quantities are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SensitivityMethod {
    /// Elementary effects: which matter at all.
    #[default]
    Morris,
    /// Shares of variance: how much each matters, alone and with others.
    Sobol,
}

impl SensitivityText {
    /// Campolongo and others (2007): 10 are enough to screen.
    fn trajectories() -> u64 {
        10
    }

    fn rows() -> u64 {
        256
    }

    fn seeds() -> u64 {
        3
    }
}
