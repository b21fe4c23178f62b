//! `stormglass diff`: two versions of a configuration, by their policies and by what runs show.

use std::path::{Path, PathBuf};

use super::extends::folder;
use super::import::parse_format;
use super::load::{read_text, render};
use super::{
    Failure, InputArguments, RunArguments, output, parse_seeds, parse_workers, run, write,
};
use crate::experiment::plan::seeds::Seeds;
use crate::import::{self, Format, Import};
use crate::model::document::{Sources, Value};
use crate::report::policies::differences;

/// What `diff` is told.
#[derive(Debug, clap::Args)]
pub(super) struct DiffArguments {
    /// The configuration as it is, in any format that `import` reads.
    old: PathBuf,
    /// The configuration as it would be.
    new: PathBuf,
    /// The experiment, or the model, in which both run; without it, policies alone are compared.
    #[arg(long = "in", value_name = "FILE")]
    within: Option<PathBuf>,
    /// The arm of the experiment on which both are laid; its model as it is without it.
    #[arg(long, value_name = "NAME", requires = "within")]
    arm: Option<String>,
    /// Which policy of the configurations takes the place of which one of the model, such as
    /// checkout=orders; by name without it. Can be given more than once.
    #[arg(long, value_name = "MODEL=NAME", value_parser = parse_policy)]
    policy: Vec<(String, String)>,
    /// The format of both, if it cannot be recognised.
    #[arg(long, value_name = "NAME", value_parser = parse_format)]
    format: Option<Format>,
    /// The seeds under which both run, from A up to, but without, B.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds)]
    seeds: Option<Seeds>,
    /// Write results to this folder, and the experiment that gives them beside it.
    #[arg(long, value_name = "DIR", default_value = "out/diff")]
    out: PathBuf,
    /// How many runs at once; all cores by default. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = parse_workers)]
    workers: Option<u16>,
    /// Set any value of the model or the experiment. Can be given more than once.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
}

/// Tells what differs between two configurations, and runs a model with each under equal seeds.
pub(super) fn diff(arguments: &DiffArguments) -> Result<(), Failure> {
    let old = read(&arguments.old, arguments.format)?;
    let new = read(&arguments.new, arguments.format)?;
    output::print(&differences(&old, &new))?;
    let Some(within) = &arguments.within else { return Ok(()) };
    let text = experiment(arguments, within)?;
    let name = arguments.out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let path = folder(&arguments.out).join(format!("{name}.toml"));
    write::write_file(&path, text.as_bytes())?;
    let failed = |error: std::io::Error| {
        Failure::Machine(format!("error: cannot write `{}`: {error}", path.display()))
    };
    let beside = [&arguments.old, &arguments.new, within];
    let run = RunArguments {
        input: InputArguments {
            experiment: path.clone(),
            seeds: arguments.seeds.clone(),
            arm: vec!["old".to_owned(), "new".to_owned()],
            point: Vec::new(),
            workers: arguments.workers,
            set: arguments.set.clone(),
            allow_outside: beside.into_iter().flat_map(|file| reach(file)).collect(),
        },
        out: Some(arguments.out.clone()),
        json: false,
        quiet: false,
        full: false,
    };
    run::run(&run)?;
    let same = same_runs(&arguments.out).map_err(failed)?;
    output::print(&format!("{same}the experiment of both: {}\n", path.display()))?;
    Ok(())
}

/// In how many pairs of runs nothing differs at all.
fn same_runs(folder: &Path) -> Result<String, std::io::Error> {
    let runs = std::fs::read_to_string(folder.join("runs.csv"))?;
    // The name of the arm is first in a row: what follows is the same where nothing differs.
    let of = |arm: &str| -> Vec<&str> {
        let rows = runs.lines().filter_map(|row| row.split_once(','));
        rows.filter(|(name, _)| *name == arm).map(|(_, rest)| rest).collect()
    };
    let (old, new) = (of("old"), of("new"));
    let same = old.iter().zip(&new).filter(|(old, new)| old == new).count();
    let said = if same == old.len() { ": every difference is exactly 0" } else { "" };
    Ok(format!("{same} of {} pairs of runs are the same, event by event{said}\n", old.len()))
}

/// The folder of a file, and the one above: what an experiment names lies there.
fn reach(file: &Path) -> Vec<PathBuf> {
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    file.ancestors().skip(1).take(2).map(Path::to_path_buf).collect()
}

fn read(path: &Path, format: Option<Format>) -> Result<Import, Failure> {
    let mut sources = Sources::default();
    let import =
        read_text(path, &mut sources).and_then(|source| import::read(&sources, source, format));
    import.map_err(|problems| {
        Failure::Input(render(&problems, &sources, &annotate_snippets::Level::ERROR))
    })
}

/// The experiment that has both as arms: over the one that is given, or of the model.
fn experiment(arguments: &DiffArguments, within: &Path) -> Result<String, Failure> {
    let mut sources = Sources::default();
    let document = read_text(within, &mut sources)
        .and_then(|source| Value::parse(&sources, source))
        .map_err(|problems| {
            Failure::Input(render(&problems, &sources, &annotate_snippets::Level::ERROR))
        })?;
    let mut table = toml::Table::new();
    let path = |path: &Path| {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        toml::Value::String(path.display().to_string())
    };
    table.insert("name".to_owned(), "diff".into());
    if document.find(&["clients".to_owned()]).is_some() {
        table.insert("model".to_owned(), path(within));
        table.insert("arrivals".to_owned(), ARRIVALS.into());
        table.insert("seeds".to_owned(), SEEDS.into());
    } else {
        table.insert("extends".to_owned(), path(within));
    }
    let mut arms = toml::Table::new();
    for (name, file) in [("old", &arguments.old), ("new", &arguments.new)] {
        let mut import = toml::Table::new();
        import.insert("file".to_owned(), path(file));
        if let Some(format) = arguments.format {
            import.insert("format".to_owned(), format.name().into());
        }
        if !arguments.policy.is_empty() {
            let named = arguments.policy.iter();
            let named = named.map(|(own, name)| (own.clone(), name.clone().into()));
            import.insert("policies".to_owned(), toml::Value::Table(named.collect()));
        }
        let from = arguments.arm.iter().map(|arm| ("from".to_owned(), arm.as_str().into()));
        let arm: toml::Table =
            from.chain([("import".to_owned(), toml::Value::Table(import))]).collect();
        arms.insert(name.to_owned(), toml::Value::Table(arm));
    }
    table.insert("arms".to_owned(), toml::Value::Table(arms));
    let compare: toml::Table = [("baseline".to_owned(), "old".into())].into_iter().collect();
    table.insert("compare".to_owned(), toml::Value::Table(compare));
    Ok(format!("# Two versions of a configuration, side by side.\n{table}"))
}

/// How long a model runs that is given without an experiment, and under how many seeds.
const ARRIVALS: &str = "60s";
/// See [`ARRIVALS`].
const SEEDS: &str = "1..11";

fn parse_policy(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(own, name)| !own.is_empty() && !name.is_empty());
    let parts = parts.map(|(own, name)| (own.to_owned(), name.to_owned()));
    parts.ok_or_else(|| "expected MODEL=NAME, such as checkout=orders".to_owned())
}
