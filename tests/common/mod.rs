//! What the integration tests share: campaigns from texts, run to their end.

#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::experiment::run::result::RunResult;
use stormglass::model::document::{Sources, Value};
use stormglass::model::problem::Problem;
use stormglass::model::recording::ReadFile;

/// Compiles an experiment and a model given as TOML.
///
/// # Panics
/// If either is wrong: a test's own texts are right.
pub(crate) fn campaign(experiment: &str, model: &str) -> Campaign {
    let no_files = |name: &str| Err(Problem::new(format!("no file {name} in this test")));
    campaign_reading(experiment, model, &no_files)
}

/// The same, with a model that names files.
pub(crate) fn campaign_reading(experiment: &str, model: &str, read_file: ReadFile<'_>) -> Campaign {
    let mut sources = Sources::default();
    let mut parse = |name: &str, text: &str| {
        let source = sources.add(name, text);
        Value::parse(&sources, source).unwrap_or_else(|problems| panic!("{name}: {problems:?}"))
    };
    let documents = Documents {
        experiment: parse("experiment.toml", &with_a_drain(experiment)),
        model: parse("model.toml", model),
        overrides: Vec::new(),
    };
    Campaign::new(&documents, read_file).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// An experiment of a test that says nothing of a drain has none: what it counts is until the last
/// arrival.
fn with_a_drain(experiment: &str) -> String {
    let says_it = experiment.lines().any(|line| line.trim_start().starts_with("drain"));
    if says_it { experiment.to_owned() } else { format!("drain = \"0s\"\n{experiment}") }
}

/// Compiles an experiment file of the project with its model.
pub(crate) fn shipped(experiment: &str, patch: impl Fn(&str) -> String) -> Campaign {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    let text = patch(&read(&format!("experiments/{experiment}.toml")));
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model = \"../"))
        .and_then(|rest| rest.strip_suffix('"'))
        .expect("every experiment names its model");
    campaign(&text, &read(model))
}

/// Runs everything, one run after the other.
pub(crate) fn run_all(campaign: &Campaign) -> Vec<RunResult> {
    (0..campaign.runs()).map(|number| campaign.run(number)).collect()
}

/// Runs every seed of an experiment with one cell.
pub(crate) fn runs(experiment: &str, model: &str) -> Vec<RunResult> {
    run_all(&campaign(experiment, model))
}

/// A text of a test with something else in it.
pub(crate) trait Changed {
    /// The text with `to` wherever it says `from`.
    ///
    /// # Panics
    /// If it says `from` nowhere: the test would try what it did not mean to.
    fn changed(&self, from: &str, to: &str) -> String;
}

impl Changed for str {
    #[track_caller]
    fn changed(&self, from: &str, to: &str) -> String {
        assert!(self.contains(from), "there is no `{from}` in this text:\n{self}");
        self.replace(from, to)
    }
}
