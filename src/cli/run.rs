//! `stormglass run`: what is run, a progress bar, a table of arms, the verdicts, what was written.

use std::path::{Path, PathBuf};

use super::journal::Journal;
use super::load::{Loaded, load_input};
use super::plan::preflight;
use super::write::Folder;
use super::{Failure, RunArguments, output, progress, workers};
use crate::experiment::compare::{compare, next_seeds, seeds_added};
use crate::experiment::measure::summary::summarise;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::closer_look::CloserLook;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Span;
use crate::report::capacity::planned_calm;
use crate::report::comparison::{self, baseline_text, precision_text};
use crate::report::findings::Findings;
use crate::report::notes::paragraphs;
use crate::report::number::{self, several};
use crate::report::outputs::{CampaignSources, OUTPUTS};
use crate::report::table::{Table, wrap};
use crate::report::{files, roles, warm_up};

/// Runs an experiment.
pub(super) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let RunArguments { input, quiet, .. } = arguments;
    let mut loaded = load_input(input.to_read(*quiet))?;
    loaded.campaign.has(&input.arm, &input.point)?;
    // That of the whole experiment, so that an arm alone has the numbers that it has beside others.
    workers::find_warm_up(&mut loaded.campaign, input.workers)?;
    loaded.campaign.choose(&input.arm, &input.point)?;
    let campaign = &loaded.campaign;
    let talks = arguments.talks();
    let folder = Folder::prepare(&folder_of(arguments, campaign))?;
    let journal = Journal::open(folder.path(), &loaded)?;
    let done = journal.found(campaign);
    if campaign.experiment.explores().is_some() {
        if talks {
            output::print(&what_was_there(&folder, done))?;
        }
        return match campaign.experiment.search {
            Some(_) => super::search::search(arguments, &loaded, folder, &journal),
            None => super::explore::explore(arguments, &loaded, folder, &journal),
        };
    }
    if talks {
        output::print(&opening(campaign))?;
        output::print(&warm_up::text(campaign))?;
        output::print(&what_was_there(&folder, done))?;
        let too_soon = workers::stated_too_soon(campaign, input.workers)?;
        output::warn(&baseline_text(campaign));
        output::warn(&(warm_up::warning(campaign) + &warm_up::too_soon(campaign, &too_soon)));
        output::warn(&preflight(campaign, &planned_calm(campaign)));
    }
    let results = run_until_precise(&mut loaded.campaign, arguments, &journal)?;
    let campaign = &loaded.campaign;
    let summaries = summarise(campaign, &results);
    let comparison = compare(campaign, &results);
    let findings = Findings::new(campaign, &results, &summaries, &comparison);
    let written = write_all(&loaded, folder, &findings)?;
    journal.remove()?;
    if arguments.json {
        output::print_exactly(&findings.summary_json())?;
    }
    if talks {
        output::print(&answer_text(&findings))?;
        if arguments.full {
            output::print(&tables_and_notes(&findings, &written))?;
        } else {
            output::print(&where_the_rest_is(&findings, &written))?;
        }
    }
    Ok(())
}

fn folder_of(arguments: &RunArguments, campaign: &Campaign) -> PathBuf {
    match &arguments.out {
        Some(folder) => folder.clone(),
        None => Path::new("out").join(&campaign.experiment.name),
    }
}

/// What is being run and with which seeds.
fn opening(campaign: &Campaign) -> String {
    let experiment = &campaign.experiment;
    let (first, last) = (campaign.seeds[0], campaign.seeds[campaign.seeds.len() - 1]);
    let points = campaign.cells.len() / experiment.arms.len();
    let crossed = if points > 1 { format!(" × {points} points") } else { String::new() };
    let drain = match experiment.drain {
        Span::ZERO => String::new(),
        drain if experiment.states_drain => format!(" and {drain} to drain"),
        drain => format!(" and at most {drain} to drain"),
    };
    let more = seeds_added(campaign).map_or(String::new(), |seeds| {
        let runs = number::count(campaign.cells.len() as u64 * seeds);
        format!("at first; up to {seeds} seeds ({runs} runs) until the precision is reached\n")
    });
    format!(
        "{}\n{}{crossed} × {} ({first} to {last}) = {} of {}{drain}\n{more}",
        output::heading(experiment),
        several(experiment.arms.len() as u64, "arm"),
        several(campaign.seeds.len() as u64, "seed"),
        several(campaign.runs() as u64, "run"),
        experiment.arrivals,
    )
}

/// Runs everything, and at each checkpoint decides whether to run on with more seeds.
fn run_until_precise(
    campaign: &mut Campaign,
    arguments: &RunArguments,
    journal: &Journal,
) -> Result<Vec<RunResult>, Failure> {
    let workers = arguments.input.workers;
    let bar = progress::bar(campaign.runs(), journal.found(campaign), !arguments.talks());
    let shown = bar.clone();
    journal.go_on_after_interrupt(move || shown.finish_and_clear())?;
    let mut results = workers::run_all(campaign, workers, journal, &bar, Vec::new())?;
    while let Some(seeds) = next_seeds(campaign, &results) {
        let known = campaign.grow(seeds, results);
        bar.inc_length(known.iter().filter(|known| known.is_none()).count() as u64);
        results = workers::run_all(campaign, workers, journal, &bar, known)?;
    }
    bar.finish_and_clear();
    Ok(results)
}

/// What the folder has already: finished runs of the same command, and results.
fn what_was_there(folder: &Folder, done: usize) -> String {
    let mut text = String::new();
    if done > 0 {
        text.push_str(&format!(
            "{} finished before: goes on from there\n",
            several(done as u64, "run")
        ));
    }
    if folder.has_results() {
        let folder = folder.path().display();
        text.push_str(&format!("replaces the results in `{folder}` when it is done\n"));
    }
    text
}

/// Writes every file of the results; returns their paths.
fn write_all(
    loaded: &Loaded,
    mut folder: Folder,
    findings: &Findings<'_>,
) -> Result<Vec<PathBuf>, Failure> {
    let Findings { campaign, results, summaries, .. } = *findings;
    let order = roles::reading_order(&findings.answer, summaries);
    let look = &CloserLook::new(campaign, results, &order);
    let pairs = &comparison::pairs(campaign, &findings.comparison.pairs);
    let made_of = CampaignSources { findings, pairs, look, inputs: loaded.inputs() };
    for output in &OUTPUTS {
        if let Some(bytes) = (output.make)(&made_of) {
            folder.write(output, &bytes)?;
        }
    }
    folder.publish()
}

/// What to take, what to avoid and what is not decided, and the numbers that decide.
fn answer_text(findings: &Findings<'_>) -> String {
    let wrapped = |it: &String| wrap(it, output::width()).join("\n") + "\n";
    let sentences: String = findings.sentences.iter().map(wrapped).collect();
    format!("{sentences}\n{}", printed(std::slice::from_ref(&findings.deciding)))
}

/// Every table, every note and the paths of what was written.
fn tables_and_notes(findings: &Findings<'_>, written: &[PathBuf]) -> String {
    let mut text = printed(&findings.tables());
    text.push_str(&findings.notes);
    let digest = files::campaign_digest(findings.results);
    text.push_str(&format!("digest of all runs: {digest}\n\n"));
    for path in written {
        text.push_str(&format!("wrote {}\n", path.display()));
    }
    text
}

/// Where everything else stands, and how much of it is a warning.
fn where_the_rest_is(findings: &Findings<'_>, written: &[PathBuf]) -> String {
    let precision = precision_text(findings.campaign, findings.comparison);
    let doubts = doubts(&findings.notes);
    let folder = written.first().and_then(|path| path.parent());
    let folder = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
    let asked_for = printed(&findings.asked_for());
    format!(
        "{asked_for}{precision}{doubts}the page: {folder}/report.html\n\
         every table and note: {folder}/tables.md, or --full\n\
         wrote {} to {folder}; digest of all runs: {}\n",
        several(written.len() as u64, "file"),
        files::campaign_digest(findings.results),
    )
}

/// The answer of a campaign to its results, for the terminal.
pub(super) fn answer_to(campaign: &Campaign, results: &[RunResult]) -> String {
    let summaries = summarise(campaign, results);
    let comparison = compare(campaign, results);
    answer_text(&Findings::new(campaign, results, &summaries, &comparison))
}

/// A line of each warning, as many as there is room for, and how many more there are.
fn doubts(notes: &str) -> String {
    let warnings: Vec<String> =
        paragraphs(notes).into_iter().filter(|note| note.starts_with("warning:")).collect();
    let shown = warnings.iter().take(DOUBTS_MAX).map(|warning| shortened(warning) + "\n");
    let more = match warnings.len().saturating_sub(DOUBTS_MAX) {
        0 => String::new(),
        1 => "and 1 warning more: see --full\n".to_owned(),
        more => format!("and {more} warnings more: see --full\n"),
    };
    shown.chain([more]).collect()
}

/// A text on one line, its end left out if there is no room for it.
fn shortened(text: &str) -> String {
    let lines = wrap(text, output::width().saturating_sub(2));
    let more = if lines.len() > 1 { " …" } else { "" };
    lines.into_iter().next().unwrap_or_default() + more
}

/// The most warnings of which something is printed without `--full`.
const DOUBTS_MAX: usize = 2;

/// Tables for the terminal, one below the other.
fn printed(tables: &[Table]) -> String {
    tables.iter().map(|it| it.text(output::width(), output::colour_out()) + "\n").collect()
}
