//! Which cells of a campaign a command is about.

use indexmap::IndexSet;

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
    name: Option<&str>,
    part: fn(&Cell) -> &String,
) -> Result<(), Failure> {
    let Some(name) = name else { return Ok(()) };
    let mut known = names_of(campaign, part);
    if known.contains(name) {
        return Ok(());
    }
    known.sort_unstable();
    let known: Vec<&str> = known.into_iter().collect();
    Err(Problem::unknown(what, name, &known).into())
}

/// The names of arms or of points, each once, in the order of the experiment.
fn names_of(campaign: &Campaign, part: fn(&Cell) -> &String) -> IndexSet<&str> {
    campaign.cells.iter().map(|cell| part(cell).as_str()).collect()
}
