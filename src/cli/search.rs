//! `stormglass run` of an experiment that searches: rounds of runs until every boundary is found.

use std::path::PathBuf;

use super::journal::Journal;
use super::load::Loaded;
use super::write::Folder;
use super::{Failure, RunArguments, output, progress, workers};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;
use crate::experiment::search::limit::found::limited;
use crate::experiment::search::searching::Searching;
use crate::report::outputs::{SEARCH_OUTPUTS, SearchSources};
use crate::report::search::{self, Report};
use crate::report::table::wrap;
use crate::report::{files, number};

/// Searches, writes what was found, and tells it.
pub(super) fn search(
    arguments: &RunArguments,
    loaded: &Loaded,
    folder: Folder,
    journal: &Journal,
) -> Result<(), Failure> {
    let campaign = &loaded.campaign;
    let (Some(search), Some(mut searching)) =
        (&campaign.experiment.search, Searching::new(campaign))
    else {
        return Ok(());
    };
    if arguments.talks() {
        output::print(&opening(campaign, &searching))?;
    }
    let steps: Steps<Searching> = (Searching::next, Searching::take);
    let results = rounds(campaign, arguments, journal, &mut searching, steps)?;
    let found = searching.found(campaign);
    let limited = match campaign.experiment.explored.limit {
        Some(_) => limited(campaign, &searching, &found),
        None => Vec::new(),
    };
    let report =
        Report { campaign, search, searching: &searching, found: &found, limited: &limited };
    let written = write_all(loaded, folder, &results, &report)?;
    journal.remove()?;
    if arguments.json {
        output::print_exactly(&search::summary_json(&report))?;
    }
    if arguments.talks() {
        for sentence in report.answer() {
            output::print(&(wrap(&sentence, output::width()).join("\n") + "\n"))?;
        }
        for table in report.tables() {
            output::print(&format!("\n{}", table.text(output::width(), output::colour_out())))?;
        }
        output::print(&format!("\n{}", search::remarks(&report)))?;
        output::print(&closing(&results, &written))?;
    }
    Ok(())
}

/// What is looked for.
fn opening(campaign: &Campaign, searching: &Searching) -> String {
    let experiment = &campaign.experiment;
    let text = experiment.search.as_ref().map(|search| &search.text);
    let varied = text.map_or(String::new(), |text| {
        format!("{} from {} to {}", text.vary, text.from, text.until)
    });
    format!(
        "{}\n{varied} at {} of arms and points, up to {} seeds each\n",
        output::heading(experiment),
        number::several(searching.tracks.len() as u64, "combination"),
        searching.rule.seeds,
    )
}

/// Which runs decide what comes next, none if all is known; and what takes their results.
type Steps<S> = (fn(&S, &Campaign) -> Vec<usize>, fn(&mut S, &[RunResult]));

/// Runs what decides anything, round by round; returns all results in the order of their numbers.
pub(super) fn rounds<S>(
    campaign: &Campaign,
    arguments: &RunArguments,
    journal: &Journal,
    state: &mut S,
    (next, take): Steps<S>,
) -> Result<Vec<RunResult>, Failure> {
    let bar = progress::bar(0, 0, !arguments.talks());
    let shown = bar.clone();
    journal.go_on_after_interrupt(move || shown.finish_and_clear())?;
    let pool = workers::pool(arguments.input.workers)?;
    let mut all = Vec::new();
    loop {
        let numbers = next(state, campaign);
        if numbers.is_empty() {
            break;
        }
        bar.inc_length(numbers.len() as u64);
        let results = workers::run_some(campaign, &pool, journal, &bar, numbers)?;
        take(state, &results);
        all.extend(results);
    }
    bar.finish_and_clear();
    all.sort_by_key(|run| (run.cell, run.seed));
    Ok(all)
}

fn write_all(
    loaded: &Loaded,
    mut folder: Folder,
    results: &[RunResult],
    report: &Report<'_>,
) -> Result<Vec<PathBuf>, Failure> {
    let made_of = SearchSources { report, results, inputs: loaded.inputs() };
    for output in &SEARCH_OUTPUTS {
        if let Some(bytes) = (output.make)(&made_of) {
            folder.write(output, &bytes)?;
        }
    }
    folder.publish()
}

pub(super) fn closing(results: &[RunResult], written: &[PathBuf]) -> String {
    let mut text = format!(
        "{} runs, digest of all: {}\n\n",
        number::count(results.len() as u64),
        files::campaign_digest(results)
    );
    for path in written {
        text.push_str(&format!("wrote {}\n", path.display()));
    }
    text
}
