//! The files of `experiments/promises`.

use std::path::{Path, PathBuf};

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::experiment::run;
use stormglass::experiment::run::result::RunResult;
use stormglass::model::document::{Sources, Value};
use stormglass::model::problem::Problem;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/promises")
}

/// The names of all files, without `.toml`, in their order.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("experiments/promises");
    let paths = entries.map(|entry| entry.unwrap().path());
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut names: Vec<String> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "toml")).map(stem).collect();
    names.sort_unstable();
    names
}

/// Compiles an experiment and a model given as TOML.
pub(crate) fn compile(name: &str, experiment: &str, model: &str) -> Campaign {
    let mut sources = Sources::default();
    let mut parse = |file: String, text: &str| {
        let source = sources.add(&file, text);
        Value::parse(&sources, source).unwrap_or_else(|problems| panic!("{file}: {problems:#?}"))
    };
    let documents = Documents {
        experiment: parse(format!("{name}.toml"), experiment),
        model: parse(format!("model of {name}"), model),
        overrides: Vec::new(),
    };
    let no_files = |file: &str| Err(Problem::new(format!("{name} names a file: {file}")));
    Campaign::new(&documents, &no_files).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
}

/// The texts of an experiment and of its model.
pub(crate) fn texts(name: &str) -> (String, String) {
    let text =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    let experiment = text(&folder().join(format!("{name}.toml")));
    let path = experiment.lines().find_map(|line| line.strip_prefix("model = \""));
    let path = path.and_then(|path| path.strip_suffix('"')).expect("it names its model");
    let model = text(&folder().join(path));
    (experiment, model)
}

/// Compiles one file.
pub(crate) fn read(name: &str) -> Campaign {
    let (experiment, model) = texts(name);
    compile(name, &experiment, &model)
}

/// The same, but nobody watches.
pub(crate) fn without_invariants(name: &str) -> Campaign {
    let mut campaign = read(name);
    for cell in &mut campaign.cells {
        cell.invariants = Default::default();
    }
    campaign
}

/// One run of an arm.
pub(crate) fn arm(campaign: &Campaign, cell: usize, seed: u64) -> RunResult {
    run::run(&campaign.cells[cell], cell, seed)
}
