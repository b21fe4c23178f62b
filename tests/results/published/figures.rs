//! Seeds of published experiments beside their figures.

use stormglass::experiment::measure::metrics::Metrics;
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::experiment::run::run;
use stormglass::statistics::interval::mean_interval;

use super::{path, read};

/// A published figure, as `experiments/published/figures` has it.
pub(crate) struct Figure {
    arm: String,
    point: String,
    metric: String,
    value: f64,
    standard_error: f64,
    tolerance: f64,
}

/// The figures of an experiment that are means.
pub(crate) fn figures(name: &str) -> Vec<Figure> {
    let text = read(&path(&format!("experiments/published/figures/{name}.csv")));
    let mut rows = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let figure = |row: csv::StringRecord| {
        let number = |field: usize| row[field].parse::<f64>();
        let value = number(3).expect("a value");
        let tolerance = match row[6].strip_suffix('%') {
            Some(percent) => percent.parse::<f64>().expect("a percentage") / 100.0 * value,
            None => number(6).unwrap_or_default(),
        };
        let standard_error = number(4).unwrap_or_default();
        let name = |field: usize| row[field].to_owned();
        Figure { arm: name(0), point: name(1), metric: name(2), value, standard_error, tolerance }
    };
    rows.records().map(|row| figure(row.expect("a row"))).collect()
}

/// The first seeds of a cell.
pub(crate) struct Sample {
    runs: Vec<RunResult>,
}

impl Sample {
    /// Runs them.
    pub(crate) fn new(campaign: &Campaign, arm: &str, point: &str, seeds: u64) -> Sample {
        let index = campaign.cells.iter().position(|cell| cell.arm == arm && cell.point == point);
        let index = index.unwrap_or_else(|| panic!("no {arm} at {point}"));
        let cell = &campaign.cells[index];
        Sample { runs: (1..=seeds).map(|seed| run(cell, index, seed)).collect() }
    }

    /// A metric of each run that has it.
    pub(crate) fn of(&self, metric: &str) -> Vec<f64> {
        let index = Metrics::of_runs().find(metric).expect("a metric");
        self.runs.iter().filter_map(|run| run.values[index]).collect()
    }

    /// The attempts of the load of each run, while users arrived.
    pub(crate) fn attempts(&self) -> Vec<f64> {
        self.runs.iter().map(|run| run.metrics.load_attempts as f64).collect()
    }
}

/// Asserts that the first seeds of a cell agree with its figures: the 99.99% interval of their
/// mean, wider by four standard errors and the tolerance of the figure, holds it.
pub(crate) fn agree(name: &str, campaign: &Campaign, arm: &str, point: &str, seeds: u64) {
    let sample = Sample::new(campaign, arm, point, seeds);
    let all = figures(name);
    let is_metric = |figure: &&Figure| campaign.metrics().find(&figure.metric).is_some();
    let of_cell = all.iter().filter(|figure| figure.arm == arm && figure.point == point);
    let mut compared = 0;
    for Figure { metric, value, standard_error, tolerance, .. } in of_cell.filter(is_metric) {
        compared += 1;
        let ours = mean_interval(&sample.of(metric), 0.9999).expect("some runs");
        let reach = ours.mean - ours.interval.low + 4.0 * standard_error + tolerance;
        assert!(
            (ours.mean - value).abs() <= reach + 1e-9,
            "{metric} of {arm} at {point}: {} ± {reach} instead of {value}",
            ours.mean
        );
    }
    assert!(compared > 0, "no figure of {arm} at {point}");
}
