//! `[attribution]` of an experiment.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[attribution]`: each run is repeated without each of its causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AttributionText {
    /// Whether runs of up to six causes have Shapley values as well, from a run for each set of
    /// their causes.
    pub shapley: bool,
}
