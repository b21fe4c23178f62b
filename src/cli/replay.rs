//! `stormglass replay`: does the same violation come back?

use std::path::{Path, PathBuf};

use annotate_snippets::Level;

use super::extends::extended;
use super::imports::imported;
use super::load::{read_override, read_text, render};
use super::{DONE, Failure, VIOLATION, output};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::documents::Documents;
use crate::experiment::run::case::Case;
use crate::experiment::run::result::RunResult;
use crate::experiment::run::run_case;
use crate::experiment::shrink::minimize::Target;
use crate::experiment::shrink::reproduction::{Replayed, Reproduction, compare};
use crate::kernel::time::Time;
use crate::model::document::Sources;
use crate::model::problem::{Problem, shortened};
use crate::model::renamed;
use crate::system::trace::TRACE;

/// What `replay` is told.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArguments {
    /// The reproduction, such as experiments/regressions/charged-twice.toml.
    pub(super) file: PathBuf,
}

/// A reproduction that is ready to run.
pub(super) struct Ready {
    pub(super) reproduction: Reproduction,
    pub(super) campaign: Campaign,
    pub(super) cell: usize,
    pub(super) case: Case,
    pub(super) target: Target,
}

/// Runs a reproduction; 0 if all is as it says.
pub(super) fn replay(arguments: &ReplayArguments) -> Result<u8, Failure> {
    let ready = load(&arguments.file)?;
    let (run, _) = run_case(&ready.campaign.cells[ready.cell], ready.cell, &ready.case, &mut ());
    let replayed = compare(&ready.reproduction, &ready.target, &run);
    output::print(&report(&ready.reproduction, &replayed, &run))?;
    Ok(if replayed.is_same() { DONE } else { VIOLATION })
}

/// Reads a reproduction and compiles what it holds.
pub(super) fn load(file: &Path) -> Result<Ready, Failure> {
    let mut sources = Sources::default();
    let source = read_text(file, &mut sources)
        .map_err(|problems| Failure::Input(render(&problems, &sources, &Level::ERROR)))?;
    let ready = ready(source, &mut sources);
    ready.map_err(|problems| Failure::Input(render(&problems, &sources, &Level::ERROR)))
}

fn ready(source: usize, sources: &mut Sources) -> Result<Ready, Vec<Problem>> {
    let document = renamed::parse(sources, source)?;
    let reproduction = Reproduction::read(&document).map_err(|problem| vec![problem])?;
    let campaign = compile(&reproduction, sources)?;
    let Some(cell) = reproduction.cell(&campaign) else {
        let run = &reproduction.run;
        let (arm, point) = (shortened(&run.arm), shortened(&run.point));
        let problem = Problem::new(format!("there is no arm `{arm}` at point `{point}`"))
            .expected("an arm and a point of the experiment in the file");
        return Err(vec![problem.located(&document, &["run"])]);
    };
    let Some(target) = reproduction.target(&campaign.cells[cell]) else {
        let name = &reproduction.expected.invariant;
        let problem = Problem::unknown("promise", name, &campaign.cells[cell].promises());
        return Err(vec![problem.located(&document, &["expected", "invariant"])]);
    };
    let case = reproduction.case();
    case.check(&campaign.cells[cell]).map_err(|problems| {
        let placed = |problem: Problem| problem.located(&document, &[]);
        problems.into_iter().map(placed).collect::<Vec<_>>()
    })?;
    Ok(Ready { reproduction, campaign, cell, case, target })
}

fn compile(reproduction: &Reproduction, sources: &mut Sources) -> Result<Campaign, Vec<Problem>> {
    let mut parse = |path: &str, text: &str| {
        let source = sources.add(path, text);
        renamed::parse(sources, source)
    };
    let Reproduction { experiment, model, .. } = reproduction;
    let path = Path::new(&experiment.path);
    let experiment = parse(&experiment.path, &experiment.text)?;
    let model = parse(&model.path, &model.text)?;
    let mut read_base = |path: &Path, name: &str, sources: &mut Sources| {
        let path = path.display().to_string();
        let text = held(reproduction, &path, name).map_err(|problem| vec![problem])?;
        Ok(sources.add(&path, &text))
    };
    let mut experiment = extended(path, experiment, sources, &mut read_base)?.experiment;
    imported(&mut experiment, &model, sources, &mut read_base)?;
    let mut overrides = Vec::new();
    for text in &reproduction.run.set {
        overrides.push(read_override(text, sources).map_err(|problem| vec![problem])?);
    }
    let documents = Documents { experiment, model, overrides };
    Campaign::new(&documents, &|name| held(reproduction, name, name))
}

/// The text of a file that a reproduction holds under a path.
fn held(reproduction: &Reproduction, path: &str, name: &str) -> Result<String, Problem> {
    let file = reproduction.files.iter().find(|file| file.path == path);
    let missing = || Problem::new(format!("the reproduction does not hold the file `{name}`"));
    file.map(|file| file.text.clone()).ok_or_else(missing)
}

/// What came back, and what did not.
fn report(expected: &Reproduction, replayed: &Replayed, run: &RunResult) -> String {
    let mut text = String::new();
    let inlined = [&expected.experiment, &expected.model].into_iter().chain(&expected.files);
    for file in inlined.filter(|file| !file.is_untouched()) {
        text.push_str(&format!("changed: the text of {} is not what it was\n", file.path));
    }
    if expected.trace != TRACE {
        let was = expected.trace;
        text.push_str(&format!(
            "changed: a seed means something else since trace version {TRACE}; this is {was}\n"
        ));
    }
    let name = &expected.expected.invariant;
    let said = |order: Option<u64>, at: Time| {
        let order = order.map(|order| format!(" for order {order}")).unwrap_or_default();
        format!("{name} broken{order} at {:.9} s", at.seconds())
    };
    let wanted = said(expected.expected.order, Time(expected.expected.at.0));
    let found = match replayed.violation {
        Some(found) => said(found.order, found.at),
        None => format!("{name} not broken for that order"),
    };
    if replayed.is_same_violation {
        text.push_str(&format!("same violation: {found}\n"));
    } else {
        text.push_str(&format!(
            "other violation: expected {wanted}\n                 found    {found}\n"
        ));
    }
    let (digest, events) = (&expected.expected.digest, expected.expected.events);
    if replayed.is_same_digest {
        text.push_str(&format!("same digest: {digest} of {events} events\n"));
    } else {
        text.push_str(&format!("other digest: expected {digest} of {events} events\n"));
        text.push_str(&format!("              found    {} of {} events\n", run.digest, run.events));
    }
    match replayed.parted {
        Some((from, Some(to))) => {
            text.push_str(&format!("the runs part between event {from} and event {to}\n"));
        }
        Some((from, None)) => text.push_str(&format!("the runs part after event {from}\n")),
        None => {}
    }
    text
}
