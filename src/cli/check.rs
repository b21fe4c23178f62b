//! `stormglass check`: does an experiment keep its promises under every seed?

use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::load::load_input;
use super::plan::preflight;
use super::write::write_file;
use super::{DONE, Failure, InputArguments, NEVER, UNKNOWN, VIOLATION};
use super::{choice, output, progress, workers};
use crate::experiment::judge::check::{
    CheckVerdict, CheckedRun, Finding, Promise, check_run, judge,
};
use crate::experiment::judge::expect::Expectation;
use crate::experiment::judge::sometimes::Sometimes;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::case::Case;
use crate::experiment::run::story::listen;
use crate::model::problem::Problem;
use crate::report::arms::unsteady_of;
use crate::report::caches::empty_text;
use crate::report::capacity::planned_calm;
use crate::report::check::{Report, annotations, json, junit, step_summary, text};
use crate::report::story::{StoryStep, steps};
use crate::report::warm_up;

/// What `check` is told.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    input: InputArguments,
    /// Go on after a seed that broke a promise.
    #[arg(long)]
    keep_going: bool,
    /// Write a report as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a report as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// So many seeds are run before it is looked whether one of them broke a promise.
const BATCH: usize = 16;

/// Checks an experiment; returns the exit code.
pub(super) fn check(arguments: &CheckArguments) -> Result<u8, Failure> {
    let input = &arguments.input;
    let mut campaign = load_input(input.to_read(false))?.campaign;
    if let Some(section) = campaign.experiment.explores() {
        let problem = Problem::new("this experiment searches, and a search has no verdict");
        let expected = format!("stormglass run, or an experiment without [{section}]");
        return Err(problem.expected(expected).into());
    }
    // No promise depends on when requests begin to count, but what is expected of a metric does.
    if campaign.cells.iter().any(|cell| !cell.expect.is_empty()) {
        workers::find_warm_up(&mut campaign, input.workers)?;
        output::warn(&(warm_up::text(&campaign) + &warm_up::warning(&campaign)));
    }
    choice::keep_cells(&mut campaign, &input.arm, &input.point)?;
    promises_something(&campaign)?;
    output::warn(&preflight(&campaign, &planned_calm(&campaign)));
    let runs = run_seeds(&campaign, arguments)?;
    let checked = judge(&campaign, &runs, arguments.keep_going);
    let stories: Vec<Vec<StoryStep>> =
        checked.findings.iter().map(|finding| story(&campaign, finding)).collect();
    let experiment = &input.experiment;
    let path = experiment.display().to_string();
    let whole = std::path::absolute(experiment).unwrap_or_else(|_| experiment.clone());
    let whole_path = whole.display().to_string();
    let (checked, stories) = (&checked, stories.as_slice());
    let report = Report {
        path: &path,
        whole_path: &whole_path,
        set: &input.set,
        allowed: &input.allow_outside,
        campaign: &campaign,
        checked,
        stories,
    };
    output::print(&text(&report))?;
    let fills = runs.iter().map(|run| (run.cell, run.fills.as_slice()));
    output::warn(&empty_text(&campaign, fills));
    if asks_for_recovery(&campaign) {
        output::warn(&unsteady_of(&campaign, runs.iter().map(|run| run.by_chance)));
    }
    for (file, content) in [(&arguments.junit, junit(&report)), (&arguments.json, json(&report))] {
        if let Some(file) = file {
            write_file(file, content.as_bytes())?;
        }
    }
    tell_github(&report)?;
    Ok(match checked.verdict() {
        CheckVerdict::Pass => DONE,
        CheckVerdict::Violation => VIOLATION,
        CheckVerdict::Unknown => UNKNOWN,
        CheckVerdict::NotExercised | CheckVerdict::NotJudged | CheckVerdict::Never => NEVER,
    })
}

/// Refuses an experiment of which nothing is expected: whatever happened, it would pass.
fn promises_something(campaign: &Campaign) -> Result<(), Failure> {
    let promises = |cell: &Cell| !cell.promises().is_empty() || !cell.expect.is_empty();
    if campaign.cells.iter().any(promises) || !campaign.experiment.sometimes.is_empty() {
        return Ok(());
    }
    let problem = Problem::new("this experiment promises nothing, so there is nothing to check");
    Err(problem.expected("[invariants], [expect] or `sometimes` in it").into())
}

/// Whether anything is expected of when runs recover.
fn asks_for_recovery(campaign: &Campaign) -> bool {
    let mut expected = campaign.cells.iter().flat_map(|cell| &cell.expect);
    let mut sometimes = campaign.experiment.sometimes.iter();
    expected.any(Expectation::is_of_recovery) || sometimes.any(Sometimes::is_of_recovery)
}

/// Runs seed after seed under every cell, several at once, until one has broken a promise.
fn run_seeds(campaign: &Campaign, arguments: &CheckArguments) -> Result<Vec<CheckedRun>, Failure> {
    let pool = workers::pool(arguments.input.workers)?;
    let cells = campaign.cells.len();
    let bar = progress::bar(campaign.runs(), 0, false);
    let mut runs: Vec<CheckedRun> = Vec::new();
    for seeds in campaign.seeds.chunks(BATCH) {
        let batch: Vec<CheckedRun> = pool.install(|| {
            (0..seeds.len() * cells)
                .into_par_iter()
                .map(|number| {
                    let run = check_run(campaign, number % cells, seeds[number / cells]);
                    bar.inc(1);
                    run
                })
                .collect()
        });
        let is_over = !arguments.keep_going && batch.iter().any(CheckedRun::is_violation);
        runs.extend(batch);
        if is_over {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(runs)
}

/// The story of the order for which a promise was broken first, by another run of that seed.
fn story(campaign: &Campaign, finding: &Finding) -> Vec<StoryStep> {
    let Some(violation) = finding.violation else { return Vec::new() };
    let cell = &campaign.cells[finding.cell];
    let (case, _) = Case::of(cell, finding.seed);
    let at_end = match finding.promise {
        Promise::Invariant(place) => {
            cell.invariants.get(place).is_some_and(|one| one.kind.is_judged_at_end())
        }
        Promise::Expectation(_) => false,
    };
    let (story, _) = listen(cell, &case, violation, at_end);
    steps(&cell.program, &case.faults, &story)
}

/// In GitHub Actions, annotates the log and adds to the summary of the step.
fn tell_github(report: &Report<'_>) -> Result<(), Failure> {
    if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        output::print_exactly(&annotations(report))?;
    }
    let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()) else {
        return Ok(());
    };
    let appended = std::fs::OpenOptions::new().create(true).append(true).open(&file);
    appended.and_then(|mut file| file.write_all(step_summary(report).as_bytes())).map_err(|error| {
        let file = Path::new(&file).display();
        Failure::Machine(format!("error: cannot add to the summary in `{file}`: {error}"))
    })
}
