//! Published figures of a campaign: each row's arm, point and metric have to be there.

use super::source::What;
use crate::experiment::plan::campaign::Campaign;
use crate::model::document::Location;
use crate::model::problem::Problem;
use crate::published::{Figure, Row, rows};

/// A published figure, and what of a campaign it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureOfCell {
    /// The position of the cell in its campaign.
    pub cell: usize,
    /// What of a run it is.
    pub what: What,
    /// What was published.
    pub figure: Figure,
}

impl FigureOfCell {
    /// Reads a CSV file of figures of this campaign; `source` is its number among the files that
    /// were read.
    ///
    /// # Errors
    /// Everything that is wrong in it, with its place.
    pub fn read_all(
        text: &str,
        source: usize,
        campaign: &Campaign,
    ) -> Result<Vec<FigureOfCell>, Vec<Problem>> {
        let (mut figures, mut problems) = (Vec::new(), Vec::new());
        for row in rows(text, source).map_err(|problem| vec![problem])? {
            match row.and_then(|row| find(&row, campaign)) {
                Ok(figure) => figures.extend(figure),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() && figures.is_empty() {
            let problem = Problem::new("there is no figure in this file");
            let problem = problem.at(Location { source, start: 0, end: 0 });
            problems.push(problem.expected("a row for each figure below the names of the columns"));
        }
        if problems.is_empty() { Ok(figures) } else { Err(problems) }
    }
}

/// The figure of a row; none if it is of an arm or a point that the command line has left out.
fn find(row: &Row, campaign: &Campaign) -> Result<Option<FigureOfCell>, Problem> {
    let Row { arm, point, metric, .. } = row;
    let cells = &campaign.cells;
    let cell = cells.iter().position(|cell| cell.arm == arm.text && cell.point == point.text);
    let arms = campaign.arms();
    if campaign.chosen.is_part && cell.is_none() {
        return Ok(None);
    }
    if !arms.contains(&arm.text.as_str()) {
        return Err(Problem::unknown("arm", &arm.text, &arms).at(arm.at));
    }
    let Some(cell) = cell else {
        return Err(Problem::unknown("point", &point.text, &campaign.points()).at(point.at));
    };
    let (what, statistic) =
        What::read(&metric.text, &cells[cell]).map_err(|problem| problem.at(metric.at))?;
    let figure = row.figure(what.name.clone(), statistic, what.is_share())?;
    Ok(Some(FigureOfCell { cell, what, figure }))
}
