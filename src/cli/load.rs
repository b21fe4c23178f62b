//! Reading an experiment, its model, and what they name.

use std::path::{Path, PathBuf};

use annotate_snippets::Level;

use super::{Failure, RunArguments, output};
use crate::experiment::campaign::{Campaign, Documents};
use crate::model::document::{Data, Sources, Value};
use crate::model::problem::Problem;

/// A campaign and the files that it was read from.
pub(super) struct Loaded {
    pub(super) campaign: Campaign,
    pub(super) sources: Sources,
    /// The overrides as they were given.
    pub(super) overrides: Vec<String>,
}

/// Reads everything that a run needs. Nothing is written.
pub(super) fn load(arguments: &RunArguments) -> Result<Loaded, Failure> {
    let mut sources = Sources::default();
    let loaded = read_all(arguments, &mut sources);
    match loaded {
        Ok(campaign) => {
            let overrides = arguments.set.clone();
            Ok(Loaded { campaign, sources, overrides })
        }
        Err(problems) => Err(Failure::Input(render(&problems, &sources))),
    }
}

fn read_all(arguments: &RunArguments, sources: &mut Sources) -> Result<Campaign, Vec<Problem>> {
    let path = &arguments.experiment;
    let experiment = read_document(path, sources)?;
    let mut overrides = Vec::new();
    for (index, text) in arguments.set.iter().enumerate() {
        overrides.push(read_override(index, text, sources).map_err(|problem| vec![problem])?);
    }
    let model_path = model_path(&experiment, &overrides, path)?;
    let model = read_document(&model_path, sources).map_err(|mut problems| {
        if let Some(at) = experiment.find(&["model".to_owned()]).map(|value| value.at) {
            problems.iter_mut().filter(|problem| problem.at.is_none()).for_each(|problem| {
                problem.at = Some(at);
            });
        }
        problems
    })?;
    let folders = [folder(path), folder(&model_path), PathBuf::new()];
    let documents = Documents { experiment, model, overrides };
    let mut campaign = Campaign::new(&documents, &|name| read_beside(&folders, name))?;
    if let Some(seeds) = &arguments.seeds {
        campaign.seeds = seeds.0.clone().collect();
    }
    Ok(campaign)
}

/// `PATH=VALUE` of the command line; its place in errors is the argument itself.
fn read_override(
    index: usize,
    text: &str,
    sources: &mut Sources,
) -> Result<(String, Value), Problem> {
    let (path, value) = text.split_once('=').ok_or_else(|| {
        Problem::new(format!("`--set {text}` has no value"))
            .expected("--set PATH=VALUE, such as --set policy.checkout.timeout=1s")
    })?;
    let source = sources.add(&format!("--set argument {}", index + 1), value.trim());
    Ok((path.trim().to_owned(), Value::parse_argument(value.trim(), source)))
}

/// The model's file: relative to the experiment's, or as the command line says.
fn model_path(
    experiment: &Value,
    overrides: &[(String, Value)],
    path: &Path,
) -> Result<PathBuf, Vec<Problem>> {
    if let Some((_, Value { data: Data::Text(name), .. })) =
        overrides.iter().rev().find(|(path, _)| path == "model")
    {
        return Ok(PathBuf::from(name));
    }
    match experiment.find(&["model".to_owned()]) {
        Some(Value { data: Data::Text(name), .. }) => Ok(folder(path).join(name)),
        Some(value) => Err(vec![
            Problem::new(format!("expected the path of a model, found {}", value.data.describe()))
                .at(value.at),
        ]),
        None => Err(vec![
            Problem::new("`model` is missing")
                .at(experiment.locate(&[]))
                .expected("model = \"../models/checkout.toml\""),
        ]),
    }
}

fn folder(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

fn read_document(path: &Path, sources: &mut Sources) -> Result<Value, Vec<Problem>> {
    let text = read_text(path).map_err(|problem| vec![problem])?;
    let source = sources.add(&path.display().to_string(), &text);
    Value::parse(sources, source)
}

/// The first of these folders that has the file.
fn read_beside(folders: &[PathBuf], name: &str) -> Result<String, Problem> {
    let paths = folders.iter().map(|folder| folder.join(name));
    match paths.clone().find(|path| path.exists()) {
        Some(path) => read_text(&path),
        None => {
            let tried: Vec<String> = paths.map(|path| path.display().to_string()).collect();
            Err(Problem::new(format!("there is no file `{name}`"))
                .expected(format!("one of: {}", tried.join(", "))))
        }
    }
}

/// No file of models, experiments or traces is larger.
const BYTES_MAX: u64 = 1 << 30;

fn read_text(path: &Path) -> Result<String, Problem> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        };
        Problem::new(format!("cannot read `{shown}`: {why}")).expected("the path of a file")
    })?;
    if metadata.is_dir() {
        return Err(Problem::new(format!("`{shown}` is a directory")).expected("a file"));
    }
    if metadata.len() > BYTES_MAX {
        return Err(Problem::new(format!("`{shown}` is larger than 1 GiB")));
    }
    let bytes = std::fs::read(path)
        .map_err(|error| Problem::new(format!("cannot read `{shown}`: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        Problem::new(format!("`{shown}` is not UTF-8 text: byte {byte} is not"))
            .expected("a text file in UTF-8")
    })
}

/// The most problems that are shown at once.
const PROBLEMS_MAX: usize = 20;

fn render(problems: &[Problem], sources: &Sources) -> String {
    let colour = output::colour_error();
    let mut text: Vec<String> = problems
        .iter()
        .take(PROBLEMS_MAX)
        .map(|problem| problem.render(sources, &Level::ERROR, colour))
        .collect();
    if problems.len() > PROBLEMS_MAX {
        text.push(format!("… and {} more errors", problems.len() - PROBLEMS_MAX));
    }
    text.join("\n\n")
}
