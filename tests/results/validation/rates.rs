//! Other parameters than the published ones: the theory follows the model, and runs bear it out.

use std::fmt::Write;

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::variant::read_set;
use stormglass::experiment::validation::laws::{Fit, LawComparison, compare_all, values};
use stormglass::model::document::{Data, Patch, Sources, Value};

use super::formulas::{campaign, path};

const CASES: &str = include_str!("../../data/other-rates.toml");
/// How many runs there are of each case.
const RUNS: usize = 8;

/// An experiment and what is set in it.
struct Case {
    experiment: String,
    set: Vec<Patch>,
}

fn cases() -> Vec<Case> {
    let mut sources = Sources::default();
    let source = sources.add("other-rates.toml", CASES);
    let all = Value::parse(&sources, source).unwrap();
    let find = |value: &Value, key: &str| value.find(&[key.to_owned()]).cloned();
    let Some(Value { data: Data::List(list), .. }) = find(&all, "case") else { panic!("no cases") };
    let case = |value: &Value| {
        let Some(Value { data: Data::Text(experiment), .. }) = find(value, "experiment") else {
            panic!("no experiment")
        };
        let mut problems = Vec::new();
        let set = read_set(find(value, "set").as_ref(), &mut problems);
        assert_eq!(problems, []);
        Case { experiment, set }
    };
    list.iter().map(case).collect()
}

/// The first cell of an experiment under its first seeds, beside its theory.
fn compared(campaign: &Campaign) -> Vec<LawComparison> {
    let cell = &campaign.cells[0];
    let runs: Vec<_> = (0..RUNS).map(|number| values(cell, &campaign.run(number))).collect();
    compare_all(cell.theory.as_ref().unwrap(), &runs)
}

/// Some 130 numbers are compared with 99.9% intervals, under fixed seeds. A change of the seeds or
/// of the trace lets one of them fail by chance about one time in eight; then other seeds tell
/// whether it is chance: docs/experiment.md, "Theory".
#[test]
fn other_rates_are_right_as_well() {
    let mut wrong = String::new();
    let mut count = 0;
    for case in cases() {
        let campaign = campaign(&path(&case.experiment), case.set);
        for comparison in compared(&campaign) {
            count += 1;
            if comparison.verdict == Fit::Outside {
                writeln!(wrong, "{}: {comparison:?}", case.experiment).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "of {count}:\n{wrong}");
    assert!(count > 100, "{count}");
}

/// Every experiment of the folder has other rates here.
#[test]
fn every_experiment_is_tried_at_other_rates() {
    let mut names: Vec<String> = cases().into_iter().map(|case| case.experiment).collect();
    names.sort_unstable();
    let files = super::formulas::files();
    let mut known: Vec<_> =
        files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
    known.sort_unstable();
    assert_eq!(names, known);
}
