//! What is lost in an experiment that asks for a limit: a factor beside its own.

use super::Limit;
use super::lost::{self, LOST, Lost, NOTHING};
use crate::experiment::plan::language::Experiment;
use crate::experiment::plan::point::Point;
use crate::experiment::plan::variant::{Factor, Variant};
use crate::model::document::{Data, Patch, Value};
use crate::model::problem::Problem;
use crate::model::recording::ReadFile;

impl Experiment {
    /// Adds the factor of what is lost, where it asks for a limit.
    pub(in crate::experiment) fn with_losses(
        mut self,
        document: &Value,
        model: &Value,
        read_file: ReadFile<'_>,
    ) -> Result<Experiment, Vec<Problem>> {
        let Some(limit) = self.explored.limit.clone() else { return Ok(self) };
        let added = limit.add_losses(&mut self, model, read_file);
        added.map_err(|problem| vec![problem.located(document, &["limit"])])?;
        Ok(self)
    }
}

impl Limit {
    /// Adds the factor of what is lost to an experiment with this model.
    ///
    /// # Errors
    /// If something cannot be lost, or there is a factor of this name already.
    fn add_losses(
        &self,
        experiment: &mut Experiment,
        model: &Value,
        read_file: ReadFile<'_>,
    ) -> Result<(), Problem> {
        let losses = lost::losses(&self.text, experiment, model, read_file)?;
        if losses.is_empty() {
            return Ok(());
        }
        if experiment.factors.iter().any(|factor| factor.name == LOST) {
            let problem = Problem::new("the factor of what is lost is called `lost`");
            return Err(problem.expected("another name for your factor, or losses = []"));
        }
        let level = |name: String, label: String| Variant {
            set: vec![Patch {
                path: "limit.lost".to_owned(),
                path_at: self.at,
                value: Value { data: Data::Text(name.clone()), at: self.at },
            }],
            name: name.replace(' ', "-"),
            label,
        };
        let nothing = level(NOTHING.to_owned(), "nothing lost".to_owned());
        let lost = losses.iter().map(|lost| level(lost.to_string(), format!("{lost} lost")));
        let levels: Vec<Variant> = std::iter::once(nothing).chain(lost).collect();
        let with_each = |point: &Point| {
            let longer = |level: usize| point.iter().copied().chain([level]).collect();
            (0..levels.len()).map(longer).collect::<Vec<Point>>()
        };
        experiment.points = experiment.points.iter().flat_map(with_each).collect();
        experiment.factors.push(Factor { name: LOST.to_owned(), levels });
        Ok(())
    }
}

/// Takes away from a model what is lost in an experiment, or has it down for all of its time.
pub(in crate::experiment) fn lose(
    experiment: &mut Experiment,
    model: &mut Value,
    document: &Value,
) -> Result<(), Vec<Problem>> {
    let limit = experiment.explored.limit.as_ref();
    let Some(lost) = limit.and_then(|limit| limit.text.lost.clone()) else { return Ok(()) };
    let placed = |problem: Problem| vec![problem.located(document, &["limit", "lost"])];
    if let Some(lost) = Lost::read(&lost, model).map_err(placed)? {
        lost.take(experiment, model);
    }
    Ok(())
}
