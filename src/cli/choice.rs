//! Which cells of a campaign a command is about.

use indexmap::IndexSet;

use super::Failure;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::model::problem::Problem;

/// Keeps only the cells of these arms, of these points, or of both; all where none is named.
pub(super) fn keep_cells(
    campaign: &mut Campaign,
    arms: &[String],
    points: &[String],
) -> Result<(), Failure> {
    if let Some(problem) = arms.iter().find_map(|name| campaign.of_label(name)) {
        return Err(problem.into());
    }
    refuse_unknown(campaign, "arm", arms, |cell| &cell.arm)?;
    refuse_unknown(campaign, "point", points, |cell| &cell.point)?;
    let is_kept = |chosen: &[String], name: &String| chosen.is_empty() || chosen.contains(name);
    campaign.cells.retain(|cell| is_kept(arms, &cell.arm) && is_kept(points, &cell.point));
    Ok(())
}

/// The one cell that arm and point choose.
pub(super) fn only_cell(
    campaign: &mut Campaign,
    arm: Option<&String>,
    point: Option<&String>,
) -> Result<(), Failure> {
    keep_cells(campaign, &Vec::from_iter(arm.cloned()), &Vec::from_iter(point.cloned()))?;
    let several = |name: &str, part: fn(&Cell) -> &String| {
        let names = names_of(campaign, part);
        (names.len() > 1).then(|| {
            let names: Vec<&str> = names.into_iter().collect();
            Problem::new(format!("there are several {name}s"))
                .expected(format!("--{name} with one of: {}", names.join(", ")))
        })
    };
    let problem = several("arm", |cell| &cell.arm).or_else(|| several("point", |cell| &cell.point));
    problem.map_or(Ok(()), |problem| Err(problem.into()))
}

fn refuse_unknown(
    campaign: &Campaign,
    what: &str,
    names: &[String],
    part: fn(&Cell) -> &String,
) -> Result<(), Failure> {
    let mut known = names_of(campaign, part);
    let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) else {
        return Ok(());
    };
    known.sort_unstable();
    let known: Vec<&str> = known.into_iter().collect();
    Err(Problem::unknown(what, name, &known).into())
}

/// The names of arms or of points, each once, in the order of the experiment.
fn names_of(campaign: &Campaign, part: fn(&Cell) -> &String) -> IndexSet<&str> {
    campaign.cells.iter().map(|cell| part(cell).as_str()).collect()
}
