//! Which cells of a campaign a command is about.

use super::Failure;
use crate::experiment::campaign::{Campaign, Cell};
use crate::model::problem::Problem;

/// Keeps only the cells of an arm, of a point, or of both.
pub(super) fn keep_cells(
    campaign: &mut Campaign,
    arm: Option<&str>,
    point: Option<&str>,
) -> Result<(), Failure> {
    refuse_unknown(campaign, "arm", arm, |cell| &cell.arm)?;
    refuse_unknown(campaign, "point", point, |cell| &cell.point)?;
    campaign.cells.retain(|cell| {
        arm.is_none_or(|arm| arm == cell.arm) && point.is_none_or(|point| point == cell.point)
    });
    Ok(())
}

/// The one cell that arm and point choose.
pub(super) fn only_cell(
    campaign: &mut Campaign,
    arm: Option<&str>,
    point: Option<&str>,
) -> Result<(), Failure> {
    keep_cells(campaign, arm, point)?;
    let several = |name: &str, part: fn(&Cell) -> &String| {
        let first = part(&campaign.cells[0]);
        let mut names: Vec<&str> = campaign.cells.iter().map(|cell| part(cell).as_str()).collect();
        names.dedup();
        let has_others = campaign.cells.iter().any(|cell| part(cell) != first);
        has_others.then(|| {
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
    name: Option<&str>,
    part: fn(&Cell) -> &String,
) -> Result<(), Failure> {
    let Some(name) = name else { return Ok(()) };
    if campaign.cells.iter().any(|cell| part(cell) == name) {
        return Ok(());
    }
    let mut known: Vec<&str> = campaign.cells.iter().map(|cell| part(cell).as_str()).collect();
    known.sort_unstable();
    known.dedup();
    Err(Problem::unknown(what, name, &known).into())
}
