//! Reading an experiment together with those that it extends.

use std::path::{Path, PathBuf};

use crate::experiment::plan::extends::{named, over};
use crate::model::document::{Sources, Value};
use crate::model::problem::{Problem, shortened};
use crate::model::renamed;

/// The most experiments that one extends, one behind the other.
const DEPTH_MAX: usize = 8;

/// Reads a file that an experiment names as one of the sources: its path, and its name there.
pub(super) type ReadBase<'r> =
    dyn FnMut(&Path, &str, &mut Sources) -> Result<usize, Vec<Problem>> + 'r;

/// An experiment with what it extends, and the sources from which that was read.
pub(super) struct Extended {
    pub(super) experiment: Value,
    /// The nearest one first.
    pub(super) bases: Vec<usize>,
}

/// Reads everything that an experiment extends, and puts the experiment over it. Paths are relative
/// to the file in which they stand.
pub(super) fn extended(
    path: &Path,
    own: Value,
    sources: &mut Sources,
    read: &mut ReadBase<'_>,
) -> Result<Extended, Vec<Problem>> {
    let mut bases = Vec::new();
    let mut files = vec![path.to_path_buf()];
    let mut documents = vec![own];
    while let Some((name, at)) = named(&documents[documents.len() - 1]).map_err(|it| vec![it])? {
        let base = folder(&files[files.len() - 1]).join(name);
        let problem = if files.iter().any(|file| is_same(file, &base)) {
            let name = shortened(name);
            let problem = Problem::new(format!("`{name}` extends the experiment that extends it"));
            Some(problem.expected("an experiment that does not extend this one"))
        } else if files.len() > DEPTH_MAX {
            let problem = Problem::new(format!("more than {DEPTH_MAX} experiments are extended"));
            Some(problem.expected("fewer of them, one behind the other"))
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(vec![problem.at(at)]);
        }
        let placed = |problems: Vec<Problem>| {
            problems.into_iter().map(|problem| problem.at(at)).collect::<Vec<_>>()
        };
        let source = read(&base, name, sources).map_err(placed)?;
        documents.push(renamed::parse(sources, source)?);
        bases.push(source);
        files.push(base);
    }
    let whole = documents.into_iter().rev().reduce(over);
    Ok(Extended { experiment: whole.expect("the experiment itself"), bases })
}

/// The folder of a file.
pub(super) fn folder(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let found = |path: &Path| std::fs::canonicalize(path).ok();
    one == other || found(one).is_some_and(|one| found(other) == Some(one))
}
