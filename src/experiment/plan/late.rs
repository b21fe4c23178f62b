//! Faults that begin when every run is over.

use super::language::Experiment;
use crate::model::document::Value;
use crate::model::problem::Problem;

/// The faults that begin when every run is over.
pub(in crate::experiment) fn late_faults(
    experiment: &Experiment,
    document: &Value,
) -> Vec<Problem> {
    let end = experiment.arrivals + experiment.drain;
    let late = experiment.faults.iter().enumerate().filter(|(_, fault)| fault.at >= end);
    let problem = |(index, _): (usize, _)| {
        let problem = Problem::new("this fault begins after the end of the run")
            .expected(format!("less than {end}"));
        problem.located(document, &["faults", &index.to_string(), "at"])
    };
    late.map(problem).collect()
}
