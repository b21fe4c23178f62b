//! The documents that an experiment is read from.

use super::patch::{OF_RUNS, is_of_model, patch};
use super::top::TOP;
use super::variant::{Variant, read_set};
use crate::model::document::{Data, Patch, Value, parse_path};
use crate::model::problem::{Problem, shortened};

/// The documents of an experiment and its model, with the patches of the command line.
#[derive(Clone, Debug)]
pub struct Documents {
    /// The experiment.
    pub experiment: Value,
    /// The model.
    pub model: Value,
    /// What is set last, after the patches of arms and levels.
    pub overrides: Vec<Patch>,
}

/// The keys of an experiment that list its cells.
const OF_THE_LIST: [&str; 3] = ["arms", "factors", "points"];

/// The key of a search that names a factor.
const ACROSS: [&str; 2] = ["search", "across"];

impl Documents {
    /// The experiment with the overrides that concern it.
    pub(in crate::experiment) fn patched_experiment(&self) -> Result<Value, Vec<Problem>> {
        let mut experiment = self.experiment.clone();
        let mut model = self.model.clone();
        // Whether the model's patches fit is seen with those of the arms.
        let overrides = self.overrides.iter().filter(|patch| !is_of_model(patch));
        patch(&mut experiment, &mut model, overrides, &TOP)?;
        Ok(experiment)
    }

    /// The experiment and the model as an arm has them, at no level of any factor.
    ///
    /// # Errors
    /// Every patch that does not fit.
    pub fn of_arm(&self, arm: &Variant) -> Result<(Value, Value), Vec<Problem>> {
        let mut problems = Vec::new();
        let patched = self.patched(&arm.set.iter().collect::<Vec<_>>(), &mut problems)?;
        if problems.is_empty() { Ok(patched) } else { Err(problems) }
    }

    /// The experiment and the model with what the experiment sets itself, then these, and last what
    /// the command line does; notes what of the first cannot be read.
    pub(in crate::experiment) fn patched(
        &self,
        sets: &[&Patch],
        problems: &mut Vec<Problem>,
    ) -> Result<(Value, Value), Vec<Problem>> {
        let (mut experiment, mut model) = (self.experiment.clone(), self.model.clone());
        let own = read_set(experiment.find(&["set".to_owned()]), problems);
        patch(&mut experiment, &mut model, own.iter().chain(sets.iter().copied()), &OF_RUNS)?;
        patch(&mut experiment, &mut model, &self.overrides, &TOP)?;
        Ok((experiment, model))
    }

    /// What every cell is read from: without the list of all cells, which would make each of them
    /// cost as much as there are.
    pub(in crate::experiment) fn of_each_cell(&self) -> Documents {
        let mut documents = self.clone();
        documents.overrides.retain(|patch| !is_of_the_list(patch));
        if let Data::Table(fields) = &mut documents.experiment.data {
            fields.retain(|name, _| !OF_THE_LIST.contains(&name.as_str()));
            let search = fields.get_mut("search").map(|search| &mut search.value.data);
            if let Some(Data::Table(search)) = search {
                // It names a factor.
                search.shift_remove("across");
            }
        }
        documents
    }
}

/// Whether a patch is one of the list of cells, or names something in it.
pub(in crate::experiment) fn is_of_the_list(patch: &Patch) -> bool {
    parse_path(&patch.path).is_ok_and(|path| {
        OF_THE_LIST.contains(&path[0].as_str()) || path.starts_with(&ACROSS.map(str::to_owned))
    })
}

/// What is wrong with the name of an experiment.
pub(in crate::experiment) fn wrong_name(name: &str) -> Option<Problem> {
    let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.len() <= 100 && name.chars().all(is_plain) {
        return None;
    }
    let problem = Problem::new(format!("`{}` cannot name an experiment", shortened(name)));
    Some(
        problem.expected("up to 100 letters, digits, `-` and `_`: results are written to out/NAME"),
    )
}
