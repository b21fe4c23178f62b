//! `[choose]`, as it is written.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::experiment::plan::quantity::Quantities;
use crate::model::quantity::Share;
use crate::statistics::CONFIDENCE;
use crate::statistics::verdict::Direction;

/// Which of several designs is best: an objective, constraints, and how sure the choice is to be.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChooseText {
    /// The number of a run whose mean is to be the best: a metric, as in `[compare]`.
    pub objective: String,
    /// Which way it is good, where it is not the usual one.
    #[serde(default)]
    pub better: Option<Direction>,
    /// The difference of two means that does not matter, in the unit of the objective: whoever is
    /// behind by less may be chosen.
    pub indifference: f64,
    /// What must hold: bounds of means as in `[expect]`, such as `"amplification <= 1.2"`, or
    /// promises, such as `"one_charge_kept"`, which no run may break.
    #[serde(default)]
    pub constraints: Vec<String>,
    /// How far from a bound, as a share of it, a mean may be on either side and be told wrong.
    #[serde(default = "ChooseText::tolerance")]
    pub tolerance: Share,
    /// What is varied beside the arms: paths with values, or with ranges.
    #[serde(default)]
    pub over: Quantities,
    /// So many designs of a Latin hypercube over the ranges; without it, all values are crossed.
    #[serde(default)]
    pub designs: Option<u64>,
    /// With which probability the choice is right.
    #[serde(default = "ChooseText::confidence")]
    pub confidence: Share,
    /// The seeds of each design at first.
    #[serde(default = "ChooseText::first")]
    pub first: u64,
    /// The most seeds of a design.
    #[serde(default = "ChooseText::seeds")]
    pub seeds: u64,
    /// So many runs are spent, where they tell most (OCBA), instead of as many as the guarantee
    /// takes (KN).
    #[serde(default)]
    pub budget: Option<u64>,
}

impl ChooseText {
    /// A twentieth of a bound.
    fn tolerance() -> Share {
        Share(0.05)
    }

    fn confidence() -> Share {
        Share(CONFIDENCE)
    }

    /// Kim and Nelson (2001) use 10: fewer make the region wide, more are wasted on the worst.
    fn first() -> u64 {
        10
    }

    fn seeds() -> u64 {
        1_000
    }
}
