//! `stormglass new`: a model, an experiment and a workflow to begin with.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::template::{Template, Texts};
use super::{Failure, output, write};
use crate::report::command::quoted;

/// What `new` is told.
#[derive(Debug, clap::Args)]
pub(super) struct NewArguments {
    /// The folder, which is made if it is not there.
    folder: PathBuf,
    /// What to begin with.
    #[arg(long, value_enum, default_value_t = Template::Shop)]
    template: Template,
}

/// The workflow of GitHub Actions, with a word for the version and one for the arm.
const WORKFLOW: &str = include_str!("templates/workflow.yml");

/// Writes the files of a template and says what to type next. What is there already is not touched.
pub(super) fn new(arguments: &NewArguments) -> Result<(), Failure> {
    let NewArguments { folder, template } = arguments;
    let Texts { model, experiment, arm } = template.texts();
    let workflow = WORKFLOW.replace("VERSION", env!("CARGO_PKG_VERSION")).replace("ARM", arm);
    let files = [
        ("model.toml", model),
        ("experiment.toml", experiment),
        (".github/workflows/stormglass.yml", &workflow),
    ];
    let files = files.map(|(name, text)| (folder.join(name), text));
    let there = files.iter().map(|(path, _)| path);
    let there: Vec<&PathBuf> = there.filter(|path| path.symlink_metadata().is_ok()).collect();
    if let Some(first) = there.first() {
        return Err(Failure::Input(format!(
            "error: `{}` is there already: nothing is written\n\
             help: choose another folder, or move it away",
            first.display()
        )));
    }
    for (path, text) in &files {
        write_new(path, text).map_err(|error| write::failure(path, &error))?;
        output::print(&format!("wrote {}\n", path.display()))?;
    }
    if let Some(root) = checkout_above(folder) {
        output::print(&format!(
            "GitHub runs workflows of the root of a repository: move .github to {}\n",
            root.display()
        ))?;
    }
    let experiment = quoted(&files[1].0.display().to_string());
    output::print(&format!(
        "\nNext:\n  \
         stormglass run {experiment}\n  \
         stormglass check {experiment} --arm {arm}\n  \
         stormglass plan {experiment}\n"
    ))
}

/// Writes a file that is not there, and the folders above it.
fn write_new(path: &Path, text: &str) -> Result<(), std::io::Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// The checkout in which a folder lies, if it is not itself one.
fn checkout_above(folder: &Path) -> Option<PathBuf> {
    let folder = std::fs::canonicalize(folder).ok()?;
    let mut folders = folder.ancestors();
    let found = folders.find(|folder| folder.join(".git").exists())?;
    (found != folder).then(|| found.to_path_buf())
}
