//! `stormglass compare-runs`: the first event in which two runs are not the same.

use std::path::PathBuf;

use super::load::{Input, load_input};
use super::{DONE, Failure, VIOLATION, choice, output};
use crate::experiment::run::case::Case;
use crate::experiment::run::divergence::{Parting, compare};
use crate::experiment::run::run_case;
use crate::report::parting::parting;

/// What `compare-runs` is told.
#[derive(Debug, clap::Args)]
pub(super) struct CompareArguments {
    /// The experiment, such as experiments/payment-brownout.toml.
    experiment: PathBuf,
    /// The seed of both runs.
    #[arg(long, value_name = "N")]
    seed: u64,
    /// The seed of the second run, if it is another.
    #[arg(long, value_name = "N")]
    other_seed: Option<u64>,
    /// The arm of both runs.
    #[arg(long, value_name = "NAME")]
    arm: Option<String>,
    /// The arm of the second run, if it is another.
    #[arg(long, value_name = "NAME")]
    other_arm: Option<String>,
    /// The point of both runs.
    #[arg(long, value_name = "POINT")]
    point: Option<String>,
    /// Set any value of the model or the experiment in both runs.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Set any value in the second run only.
    #[arg(long, value_name = "PATH=VALUE")]
    other_set: Vec<String>,
    /// Let paths in the experiment and its model lead into this folder too. Can be given more than
    /// once.
    #[arg(long, value_name = "DIR")]
    allow_outside: Vec<PathBuf>,
}

/// Compares two runs; 0 if they are equal. Without any `--other`, the same run is made twice.
pub(super) fn compare_runs(arguments: &CompareArguments) -> Result<u8, Failure> {
    let CompareArguments { experiment, set, arm, point, allow_outside: allowed, .. } = arguments;
    let input = Input { experiment, seeds: None, set, allowed, quiet: false };
    let mut one = load_input(input)?.campaign;
    choice::only_cell(&mut one, arm.as_ref(), point.as_ref())?;
    let other_set = [set.as_slice(), arguments.other_set.as_slice()].concat();
    let input = Input { experiment, seeds: None, set: &other_set, allowed, quiet: true };
    let mut other = load_input(input)?.campaign;
    let other_arm = arguments.other_arm.as_ref().or(arm.as_ref());
    choice::only_cell(&mut other, other_arm, point.as_ref())?;
    let (first, second) = (&one.cells[0], &other.cells[0]);
    let (case, _) = Case::of(first, arguments.seed);
    let (other_case, _) = Case::of(second, arguments.other_seed.unwrap_or(arguments.seed));
    let found = compare((first, &case), (second, &other_case));
    let events = match found {
        Parting::Nowhere => run_case(first, 0, &case, &mut ()).0.events,
        _ => 0,
    };
    output::print(&parting(&first.program, &found, events))?;
    Ok(if found == Parting::Nowhere { DONE } else { VIOLATION })
}
