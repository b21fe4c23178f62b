//! Reading an experiment, its model, and what they name.

use std::cell::RefCell;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use annotate_snippets::Level;
use indexmap::IndexMap;

use super::extends::{Extended, extended, folder};
use super::imports::imported;
use super::reach::Reach;
use super::{Failure, ShowArguments, output, write};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::documents::Documents;
use crate::experiment::plan::patch::set_known;
use crate::experiment::plan::seeds::Seeds;
use crate::experiment::validation::figures::FigureOfCell;
use crate::model::document::{Data, Location, Patch, Sources, Value, parse_path};
use crate::model::problem::Problem;
use crate::model::recording::with_recordings;
use crate::model::show::complete;
use crate::model::{compile, renamed};
use crate::report::outputs::Inputs;

/// A campaign and the files that it was read from.
pub(super) struct Loaded {
    pub(super) campaign: Campaign,
    /// Name and text of the experiment, the model, what the experiment extends, and every file that
    /// the model names.
    pub(super) files: Vec<(String, String)>,
    /// How many of these are documents: the others are what the model names.
    pub(super) documents_read: usize,
    /// What the campaign was compiled from.
    pub(super) documents: Documents,
    /// The overrides as they were given.
    pub(super) overrides: Vec<String>,
    /// What others published about it.
    pub(super) figures: Vec<FigureOfCell>,
    /// The model's file with every default filled in; `None` if it is no model without what the
    /// experiment sets.
    pub(super) complete_model: Option<String>,
}

impl Loaded {
    /// What it was read from, for the files of results.
    pub(super) fn inputs(&self) -> Inputs<'_> {
        Inputs {
            files: &self.files,
            overrides: &self.overrides,
            complete_model: self.complete_model.as_deref(),
        }
    }

    /// Name and text of every file that the model names.
    pub(super) fn named(&self) -> &[(String, String)] {
        &self.files[self.documents_read..]
    }

    /// Writes what the model names beside it, where it names something of its own folder.
    pub(super) fn write_named(&self, folder: &Path) -> Result<(), Failure> {
        let is_inside = |part| matches!(part, Component::Normal(_));
        for (name, text) in self.named() {
            if Path::new(name).components().all(is_inside) {
                write::write_file(&folder.join(name), text.as_bytes())?;
            }
        }
        Ok(())
    }
}

/// What to read, and what the command line changes in it.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) experiment: &'a Path,
    pub(super) seeds: Option<&'a Seeds>,
    pub(super) set: &'a [String],
    /// Folders into which paths in files may lead beside those of the project.
    pub(super) allowed: &'a [PathBuf],
    /// Whether warnings are kept back.
    pub(super) quiet: bool,
}

/// Reads an experiment with its model and what they name. Nothing is written.
pub(super) fn load_input(arguments: Input<'_>) -> Result<Loaded, Failure> {
    load_noting(arguments, &mut Vec::new())
}

/// The same, and notes the paths of what was read, also where something is wrong.
pub(super) fn load_noting(
    arguments: Input<'_>,
    paths: &mut Vec<PathBuf>,
) -> Result<Loaded, Failure> {
    let mut sources = Sources::default();
    let named = RefCell::new(IndexMap::new());
    let path = arguments.experiment;
    let read = is_no_folder(path)
        .map_err(|problem| vec![problem])
        .and_then(|()| read_document(path, &mut sources))
        .and_then(|experiment| read_all(arguments, experiment, (&mut sources, &named), &|_| {}));
    loaded(arguments, (sources, read), named.into_inner(), paths)
}

/// Reads an experiment of which the text is known, as if it stood where the command is given.
pub(super) fn load_text(text: &str, arguments: Input<'_>) -> Result<Loaded, Failure> {
    let mut sources = Sources::default();
    let named = RefCell::new(IndexMap::new());
    let name = arguments.experiment.display().to_string();
    let source = sources.add(&name, text);
    let read = renamed::parse(&mut sources, source)
        .and_then(|experiment| read_all(arguments, experiment, (&mut sources, &named), &|_| {}));
    loaded(arguments, (sources, read), named.into_inner(), &mut Vec::new())
}

fn loaded(
    arguments: Input<'_>,
    (sources, read): (Sources, Result<ReadAll, Vec<Problem>>),
    named: IndexMap<String, Read>,
    paths: &mut Vec<PathBuf>,
) -> Result<Loaded, Failure> {
    let files = sources.iter().filter(|(name, _)| *name != ARGUMENT);
    paths.extend(files.map(|(name, _)| PathBuf::from(name)));
    paths.extend(named.values().map(|file| file.path.clone()));
    match read {
        Ok(ReadAll { campaign, documents: read, figures, bases, complete_model }) => {
            if !arguments.quiet && !campaign.warnings.is_empty() {
                output::error(&render(&campaign.warnings, &sources, &Level::WARNING));
            }
            let overrides = arguments.set.to_vec();
            // No run depends on what was published about it.
            let of_runs = |name: &str| {
                let published = campaign.experiment.published.as_ref();
                name != ARGUMENT && published.is_none_or(|own| !name.ends_with(&own.figures))
            };
            let all = || sources.iter().enumerate().filter(|(_, (name, _))| of_runs(name));
            let own = all().filter(|(source, _)| !bases.contains(source));
            let bases = all().filter(|(source, _)| bases.contains(source));
            let documents = own.chain(bases).map(|(_, it)| (it.0.to_owned(), it.1.to_owned()));
            let mut files: Vec<(String, String)> = documents.collect();
            let documents_read = files.len();
            files.extend(named.into_iter().map(|(name, file)| (name, file.text)));
            let documents = read;
            Ok(Loaded {
                campaign,
                files,
                documents_read,
                documents,
                overrides,
                figures,
                complete_model,
            })
        }
        Err(problems) => Err(Failure::Input(render(&problems, &sources, &Level::ERROR))),
    }
}

/// Reads a model, and checks that it can run, for its complete text.
pub(super) fn load_model(arguments: &ShowArguments) -> Result<toml::Table, Failure> {
    let mut sources = Sources::default();
    let read = read_model(arguments, &mut sources);
    let warnings = sources.take_warnings();
    if !warnings.is_empty() {
        output::error(&render(&warnings, &sources, &Level::WARNING));
    }
    read.map_err(|problems| Failure::Input(render(&problems, &sources, &Level::ERROR)))
}

fn read_model(
    arguments: &ShowArguments,
    sources: &mut Sources,
) -> Result<toml::Table, Vec<Problem>> {
    let path = &arguments.model;
    let mut document = read_document(path, sources)?;
    let mut overrides = Vec::new();
    for text in &arguments.set {
        let set = read_override(text, sources).and_then(|patch| {
            overrides.push(patch.clone());
            let path = parse_path(&patch.path).map_err(|problem| problem.at(patch.path_at))?;
            set_known(&mut document, &path, patch.value)
                .map_err(|problem| problem.at(patch.path_at))
        });
        set.map_err(|problem| vec![problem])?;
    }
    let folders = [folder(path), PathBuf::new()];
    let reach = Reach::new(path, &arguments.allow_outside, &overrides);
    let read_file = |name: &str| read_beside(&folders, name, &reach).map(|file| file.text);
    compile(&document, &read_file)?;
    let filled = with_recordings(&document, &read_file).map_err(|problem| vec![problem])?;
    complete(&filled)
}

/// What errors call an argument of the command line.
const ARGUMENT: &str = "--set";

/// A file that the model names.
pub(super) struct Read {
    path: PathBuf,
    pub(super) text: String,
}

/// What is changed in an experiment before it is looked at.
pub(super) type Amend<'a> = dyn Fn(&mut Value) + 'a;

/// Reads a campaign of an experiment that is amended before, together with what others have read.
pub(super) fn read_amended(
    arguments: Input<'_>,
    sources: &mut Sources,
    named: &RefCell<IndexMap<String, Read>>,
    amend: &Amend<'_>,
) -> Result<Campaign, Vec<Problem>> {
    let path = arguments.experiment;
    is_no_folder(path).map_err(|problem| vec![problem])?;
    let experiment = read_document(path, sources)?;
    read_all(arguments, experiment, (sources, named), amend).map(|read| read.campaign)
}

/// What was read for a run.
struct ReadAll {
    campaign: Campaign,
    documents: Documents,
    figures: Vec<FigureOfCell>,
    /// The sources that the experiment extends.
    bases: Vec<usize>,
    /// See [`Loaded::complete_model`].
    complete_model: Option<String>,
}

/// Reads everything; files that the model names are noted in `named`, and read once.
fn read_all(
    arguments: Input<'_>,
    experiment: Value,
    (sources, named): (&mut Sources, &RefCell<IndexMap<String, Read>>),
    amend: &Amend<'_>,
) -> Result<ReadAll, Vec<Problem>> {
    let path = arguments.experiment;
    let mut overrides = Vec::new();
    for text in arguments.set {
        overrides.push(read_override(text, sources).map_err(|problem| vec![problem])?);
    }
    let reach = Reach::new(path, arguments.allowed, &overrides);
    let mut read_base =
        |path: &Path, name: &str, sources: &mut Sources| read_named(path, name, &reach, sources);
    let Extended { mut experiment, bases } = extended(path, experiment, sources, &mut read_base)?;
    let figures_at = experiment.locate(&["published", "figures"].map(str::to_owned));
    let (model_path, named_at) = model_path(&experiment, &overrides, sources)?;
    let model = read_named(&model_path, &model_path.to_string_lossy(), &reach, sources);
    let model = model.and_then(|source| renamed::parse(sources, source)).map_err(|problems| {
        problems.into_iter().map(|problem| problem.at(named_at)).collect::<Vec<_>>()
    })?;
    let told = imported(&mut experiment, &model, sources, &mut read_base)?;
    amend(&mut experiment);
    let of_bases = bases.iter().map(|&base| folder(Path::new(sources.name(base))));
    let folders: Vec<PathBuf> = std::iter::once(folder(path))
        .chain(of_bases)
        .chain([folder(&model_path), PathBuf::new()])
        .collect();
    let documents = Documents { experiment, model, overrides };
    let mut campaign = Campaign::new(&documents, &|name| {
        if let Some(file) = named.borrow().get(name) {
            return Ok(file.text.clone());
        }
        let file = read_beside(&folders, name, &reach)?;
        let text = file.text.clone();
        named.borrow_mut().insert(name.to_owned(), file);
        Ok(text)
    })?;
    campaign.warnings.extend(told);
    campaign.warnings.extend(sources.take_warnings());
    if let Some(seeds) = arguments.seeds {
        campaign.set_seeds(seeds).map_err(|problem| vec![problem])?;
    }
    if let Some(search) = &campaign.experiment.search {
        let checked = search.check(&documents.overrides, campaign.seeds.len());
        checked.map_err(|problem| vec![problem])?;
        let at = documents.experiment.locate(&[search.section, "seeds"].map(str::to_owned));
        let placed = |warning: Problem| match arguments.seeds {
            Some(_) => warning,
            None => warning.at(at),
        };
        let too_few = search.too_few(campaign.seeds.len() as u64);
        campaign.warnings.extend(too_few.into_iter().map(placed));
    }
    let figures = match &campaign.experiment.published {
        Some(published) => {
            let name = &published.figures;
            let beside = folder(Path::new(sources.name(figures_at.source)));
            let source = read_named(&beside.join(name), name, &reach, sources)
                .map_err(|wrong| wrong.into_iter().map(|p| p.at(figures_at)).collect::<Vec<_>>())?;
            FigureOfCell::read_all(sources.text(source), source, &campaign)?
        }
        None => Vec::new(),
    };
    let complete_model = complete(&documents.model).ok();
    let complete_model = complete_model.and_then(|table| toml::to_string(&table).ok());
    Ok(ReadAll { campaign, documents, figures, bases, complete_model })
}

/// `PATH=VALUE` of the command line; its place in errors is the argument itself.
pub(super) fn read_override(text: &str, sources: &mut Sources) -> Result<Patch, Problem> {
    let source = sources.add(ARGUMENT, text);
    let Some((path, value)) = text.split_once('=') else {
        return Err(Problem::new("this argument sets nothing")
            .at(Location { source, start: 0, end: text.len() })
            .expected("PATH=VALUE, such as policy.checkout.timeout=1s"));
    };
    let start = path.len() + 1 + (value.len() - value.trim_start().len());
    let path_at = Location { source, start: 0, end: path.len() };
    let mut value = Value::parse_argument(sources, source, start);
    if let Some(problem) = value.hidden_characters().into_iter().next() {
        return Err(problem);
    }
    let (path, warnings) = renamed::patched(path.trim(), path_at, &mut value);
    sources.warn(warnings);
    Ok(Patch { path, path_at, value })
}

/// The model's file, relative to the one that names it, or as the command line says; and where it
/// is named.
fn model_path(
    experiment: &Value,
    overrides: &[Patch],
    sources: &Sources,
) -> Result<(PathBuf, Location), Vec<Problem>> {
    let patch = overrides.iter().rev().find(|patch| patch.path == "model");
    let (value, folder) = match patch {
        Some(patch) => (Some(&patch.value), PathBuf::new()),
        None => {
            let value = experiment.find(&["model".to_owned()]);
            let source = value.map_or(experiment.at, |value| value.at).source;
            (value, folder(Path::new(sources.name(source))))
        }
    };
    let expected = "the path of a model, such as \"../models/checkout.toml\"";
    match value {
        Some(Value { data: Data::Text(name), at }) => Ok((folder.join(name), *at)),
        Some(value) => Err(vec![
            Problem::new(format!("expected the path of a model, found {}", value.data.describe()))
                .at(value.at)
                .expected(expected),
        ]),
        None => {
            let at = experiment.locate(&[]);
            let at = Location { end: at.start, ..at };
            if experiment.find(&["clients".to_owned()]).is_some() {
                let problem = Problem::new("this file is a model, not an experiment").at(at);
                return Err(vec![problem.expected("a file that names its `model`")]);
            }
            Err(vec![Problem::new("`model` is missing").at(at).expected(expected)])
        }
    }
}

fn read_document(path: &Path, sources: &mut Sources) -> Result<Value, Vec<Problem>> {
    let source = read_text(path, sources)?;
    renamed::parse(sources, source)
}

/// What an experiment is called in a folder of its own.
const IN_A_FOLDER: &str = "experiment.toml";

/// That an experiment is not named by its folder.
fn is_no_folder(path: &Path) -> Result<(), Problem> {
    let inside = path.join(IN_A_FOLDER);
    if path.is_dir() && inside.is_file() {
        let problem = Problem::new(format!("`{}` is a directory", path.display()));
        return Err(problem.expected(format!("the experiment in it, `{}`", inside.display())));
    }
    Ok(())
}

/// Reads a file that another one names as one of the sources.
fn read_named(
    path: &Path,
    name: &str,
    reach: &Reach,
    sources: &mut Sources,
) -> Result<usize, Vec<Problem>> {
    let may_read = reach.check(path, name).and_then(|()| is_plain(path));
    may_read.map_err(|problem| vec![problem])?;
    read_text(path, sources)
}

/// Reads a file as one of the sources.
pub(super) fn read_text(path: &Path, sources: &mut Sources) -> Result<usize, Vec<Problem>> {
    let bytes = read_bytes(path).map_err(|problem| vec![problem])?;
    let shown = path.display().to_string();
    match decode(bytes, &shown) {
        Ok(text) => Ok(sources.add(&shown, &text)),
        Err(Undecoded { problem, readable, valid }) => {
            let source = sources.add(&shown, &readable);
            let end = (valid + char::REPLACEMENT_CHARACTER.len_utf8()).min(readable.len());
            Err(vec![problem.at(Location { source, start: valid, end })])
        }
    }
}

/// The first of these folders that has the file.
fn read_beside(folders: &[PathBuf], name: &str, reach: &Reach) -> Result<Read, Problem> {
    let paths = folders.iter().map(|folder| folder.join(name));
    match paths.clone().find(|path| path.exists()) {
        Some(path) => {
            reach.check(&path, name)?;
            is_plain(&path)?;
            let text = decode(read_bytes(&path)?, name).map_err(|undecoded| *undecoded.problem)?;
            Ok(Read { path, text })
        }
        None => {
            let mut tried: Vec<String> =
                paths.map(|path| format!("`{}`", path.display())).collect();
            tried.dedup();
            Err(Problem::new(format!("there is no file `{name}`"))
                .expected(format!("a file at {}", tried.join(" or "))))
        }
    }
}

/// No file of models, experiments or traces is larger.
const BYTES_MAX: u64 = 1 << 30;
/// Windows writes this in front of UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// That a path that a file names is one of a file: a pipe may never end, nor may a device.
fn is_plain(path: &Path) -> Result<(), Problem> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() && !found.is_dir() => {
            let shown = path.display();
            Err(Problem::new(format!("`{shown}` is a pipe or a device")).expected("a file"))
        }
        _ => Ok(()),
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Problem> {
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
    let mut bytes = Vec::new();
    // Not by its length: that of a pipe or a device is 0.
    std::fs::File::open(path)
        .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| Problem::new(format!("cannot read `{shown}`: {error}")))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Problem::new(format!("`{shown}` is larger than 1 GiB")));
    }
    Ok(bytes)
}

/// A file that is no text.
struct Undecoded {
    /// What is wrong with it.
    problem: Box<Problem>,
    /// Its text, as far as it can be read.
    readable: String,
    /// Where the rest begins.
    valid: usize,
}

/// The text of a file.
fn decode(bytes: Vec<u8>, shown: &str) -> Result<String, Undecoded> {
    let is_utf_16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    match String::from_utf8(bytes) {
        Ok(text) => match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => Ok(rest.to_owned()),
            None => Ok(text),
        },
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let hint = if is_utf_16 { "; this is UTF-16" } else { "" };
            let problem = Problem::new(format!("`{shown}` is not a text in UTF-8{hint}"));
            let readable = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let problem = Box::new(problem.expected("a text file in UTF-8"));
            Err(Undecoded { problem, readable, valid })
        }
    }
}

/// The most problems that are shown at once.
const PROBLEMS_MAX: usize = 20;

/// The problems as they are shown.
pub(super) fn render(problems: &[Problem], sources: &Sources, level: &Level<'_>) -> String {
    let colour = output::colour_error();
    let mut text: Vec<String> = problems
        .iter()
        .take(PROBLEMS_MAX)
        .map(|problem| problem.render(sources, level, colour))
        .collect();
    if problems.len() > PROBLEMS_MAX {
        text.push(format!("… and {} more", problems.len() - PROBLEMS_MAX));
    }
    text.join("\n\n")
}
