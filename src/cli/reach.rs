//! How far the paths in files lead: whoever runs an experiment of somebody else's should not read
//! any file of the machine for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::model::document::{Data, Patch, Value};
use crate::model::problem::Problem;

/// The folders into which the paths in an experiment and its model may lead.
pub(super) struct Reach {
    roots: Vec<PathBuf>,
    /// Paths that the command line names: whoever gives one knows where it leads.
    given: BTreeSet<String>,
}

impl Reach {
    /// The reach of a file: its project, the folder in which the command was given if the file
    /// lies in it, and the folders that are `allowed` beside these. The project is the nearest
    /// folder above the file that has a `.git`, else the one above the file's own.
    pub(super) fn new(file: &Path, allowed: &[PathBuf], overrides: &[Patch]) -> Reach {
        let Ok(file) = std::fs::canonicalize(file) else {
            return Reach { roots: Vec::new(), given: given(overrides) };
        };
        let folders = || file.ancestors().skip(1);
        let checkout = folders().find(|folder| folder.join(".git").exists());
        let project = checkout.or_else(|| folders().nth(1).or(folders().next()));
        let here = std::fs::canonicalize(".").ok().filter(|folder| file.starts_with(folder));
        let allowed = allowed.iter().filter_map(|folder| std::fs::canonicalize(folder).ok());
        let roots = project.map(Path::to_path_buf).into_iter().chain(here).chain(allowed);
        Reach { roots: roots.collect(), given: given(overrides) }
    }

    /// That a file may be read that a file names `name`.
    ///
    /// # Errors
    /// If it lies outside. Links are followed first.
    pub(super) fn check(&self, path: &Path, name: &str) -> Result<(), Problem> {
        // What is not there is told by whoever reads it.
        let Ok(found) = std::fs::canonicalize(path) else { return Ok(()) };
        if self.given.contains(name) || self.roots.iter().any(|root| found.starts_with(root)) {
            return Ok(());
        }
        let root = self.roots.first().map_or(Path::new("."), PathBuf::as_path);
        let name = path.display();
        Err(Problem::new(format!("`{name}` lies outside of `{}`", root.display()))
            .expected("a file inside, or --allow-outside with the folder in which it lies"))
    }
}

/// Every text that the command line sets.
fn given(overrides: &[Patch]) -> BTreeSet<String> {
    let mut given = BTreeSet::new();
    let mut rest: Vec<&Value> = overrides.iter().map(|patch| &patch.value).collect();
    while let Some(value) = rest.pop() {
        match &value.data {
            Data::Text(text) => _ = given.insert(text.clone()),
            Data::Table(fields) => rest.extend(fields.values().map(|field| &field.value)),
            Data::List(values) => rest.extend(values),
            _ => {}
        }
    }
    given
}
