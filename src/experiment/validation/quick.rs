//! The quick part of a comparison with published figures.

use super::language::PublishedText;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::model::problem::Problem;

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
