//! `[published]`: which figures of others an experiment is compared with.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;

use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::language::Seeds;
use crate::model::problem::Problem;

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

impl PublishedText {
    /// Whether a cell runs with `--quick`.
    #[must_use]
    pub fn is_quick(&self, cell: &Cell) -> bool {
        let names = |list: &Option<Vec<String>>, name: &String| {
            list.as_ref().is_none_or(|names| names.contains(name))
        };
        self.quick
            .as_ref()
            .is_none_or(|quick| names(&quick.arms, &cell.arm) && names(&quick.points, &cell.point))
    }

    /// Checks that the arms and points of the quick part are there.
    pub(in crate::experiment) fn check(&self, campaign: &Campaign) -> Result<(), Problem> {
        let Some(quick) = &self.quick else { return Ok(()) };
        for (key, kind, asked) in [("arms", "arm", &quick.arms), ("points", "point", &quick.points)]
        {
            let known = match kind {
                "arm" => campaign.arms(),
                _ => campaign.points(),
            };
            for (index, name) in asked.iter().flatten().enumerate() {
                if !known.contains(&name.as_str()) {
                    let problem = Problem::unknown(kind, name, &known);
                    return Err(problem.inside(index.to_string()).inside(key).inside("quick"));
                }
            }
        }
        Ok(())
    }
}
