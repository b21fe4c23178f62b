//! `[published]`: which figures of others an experiment is compared with.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;

use crate::experiment::plan::seeds::Seeds;

/// `[published]`: figures of others that the runs are compared with by `stormglass validate`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PublishedText {
    /// Who published the figures, and where.
    pub source: String,
    /// The CSV file with the figures, relative to the experiment's: a row for each, under
    /// `arm,point,metric,value,standard_error,runs,tolerance,remark`.
    pub figures: String,
    /// What runs with `--quick`; without it, everything under eight seeds.
    pub quick: Option<QuickText>,
}

/// `quick` of `[published]`: a part that takes seconds.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct QuickText {
    /// The seeds; without it, eight.
    pub seeds: Option<Seeds>,
    /// The arms; without it, all.
    pub arms: Option<Vec<String>>,
    /// The points, such as `"load=3 outage=4"`; without it, all.
    pub points: Option<Vec<String>>,
}
