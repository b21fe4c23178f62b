//! Published experiments, run from their files and compared with the published figures or with
//! those of an independent simulator. Each file runs on the command line with more seeds as well.

mod brooker;
mod figures;
mod pause;
mod site_reliability;
mod staleness;
mod tail_at_scale;
mod validate;

use std::path::{Path, PathBuf};

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::model::problem::Problem;

/// Compiles an experiment of `experiments/published`, changed by `patch`.
fn published(name: &str, patch: impl Fn(&str) -> String) -> Campaign {
    let experiment = patch(&read(&path(&format!("experiments/published/{name}.toml"))));
    let model = experiment
        .lines()
        .find_map(|line| line.strip_prefix("model = \"../../"))
        .and_then(|rest| rest.strip_suffix('"'))
        .map(path)
        .expect("every experiment names its model");
    let read_file =
        |name: &str| -> Result<String, Problem> { Ok(read(&model.with_file_name(name))) };
    crate::common::campaign_reading(&experiment, &read(&model), &read_file)
}

/// The rows of a reference file, each as its fields.
fn reference(name: &str) -> Vec<Vec<String>> {
    let text = read(&path(&format!("tests/data/published/{name}.csv")));
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    rows.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
