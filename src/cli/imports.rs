//! Reading the configurations that arms of an experiment import.

use std::path::Path;

use super::extends::{ReadBase, folder};
use crate::experiment::plan::imports::{named, set};
use crate::import;
use crate::model::document::{Sources, Value};
use crate::model::problem::Problem;

/// Puts what arms import into what they set; says what one must know of it. Paths are relative to
/// the file in which they stand.
pub(super) fn imported(
    experiment: &mut Value,
    model: &Value,
    sources: &mut Sources,
    read: &mut ReadBase<'_>,
) -> Result<Vec<Problem>, Vec<Problem>> {
    let (mut warnings, mut problems) = (Vec::new(), Vec::new());
    let mut known: Vec<(std::path::PathBuf, usize)> = Vec::new();
    for imports in named(experiment)? {
        let path = folder(Path::new(sources.name(imports.at.source))).join(&imports.file);
        let placed = |wrong: Vec<Problem>| -> Vec<Problem> {
            wrong.into_iter().map(|problem| problem.at(imports.at)).collect()
        };
        let source = match known.iter().find(|(file, _)| *file == path) {
            Some((_, source)) => *source,
            None => {
                let source = read(&path, &imports.file, sources).map_err(placed)?;
                known.push((path, source));
                source
            }
        };
        let read = import::read(sources, source, imports.format);
        match read.and_then(|import| set(experiment, model, &imports, &import)) {
            Ok(more) => warnings.extend(more),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() { Ok(warnings) } else { Err(problems) }
}
