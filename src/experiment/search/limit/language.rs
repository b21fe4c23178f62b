//! `[limit]`, as it is written.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::experiment::search::language::GridScale;
use crate::model::quantity::{Rate, Share};

/// For every arm and point: how much steady load can it take until an objective fails, which node
/// is full first, and what is left when an instance or a zone is lost?
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitText {
    /// Whose arrivals are raised: they come as a Poisson process.
    pub clients: String,
    /// The path of the rate, where it is not that of a Poisson process.
    #[serde(default)]
    pub vary: Option<String>,
    /// The lowest rate.
    pub from: Rate,
    /// The highest rate.
    pub until: Rate,
    /// What every run must have: bounds of metrics as in `[expect]`, such as
    /// `"latency_p99_ms <= 300ms"`, or promises, such as `"one_charge_kept"`. The load is too high
    /// where one of them fails.
    pub objectives: Vec<String>,
    /// In which share of the runs they must hold.
    #[serde(default = "LimitText::holds_in")]
    pub holds_in: Share,
    /// What is lost, each for itself, beside nothing: `"one instance"` (of the busiest service),
    /// `"one NODE"`, `"zone NAME"`. Without it one instance, if a service has more than one, and
    /// each zone, if there is more than one.
    #[serde(default)]
    pub losses: Option<Vec<String>>,
    /// What is lost in a run: set by a level for each of `losses`.
    #[serde(default)]
    pub lost: Option<String>,
    /// Whether the grid has equal ratios or equal differences.
    #[serde(default = "LimitText::scale")]
    pub scale: GridScale,
    /// Into how many steps the grid cuts the range.
    #[serde(default = "LimitText::steps")]
    pub steps: u64,
    /// How many rates are tried first, to see whether failures rise all the way.
    #[serde(default = "LimitText::sweep")]
    pub sweep: u64,
    /// The most seeds of one rate.
    #[serde(default = "LimitText::seeds")]
    pub seeds: u64,
}

impl LimitText {
    /// The load that half of the runs survive: the only level that ten seeds can tell.
    fn holds_in() -> Share {
        Share(0.5)
    }

    fn scale() -> GridScale {
        GridScale::Linear
    }

    fn steps() -> u64 {
        64
    }

    fn sweep() -> u64 {
        5
    }

    fn seeds() -> u64 {
        20
    }
}
