//! `stormglass run`: what is run, a progress bar, a table of arms, the verdicts, what was written.

use std::path::{Path, PathBuf};

use super::journal::Journal;
use super::load::{Loaded, load_input};
use super::plan::preflight;
use super::write::{Folder, MANIFEST};
use super::{Failure, RunArguments, output, progress, workers};
use crate::experiment::answer::Answer;
use crate::experiment::campaign::Campaign;
use crate::experiment::closer_look::CloserLook;
use crate::experiment::comparison::{Comparison, compare, next_seeds, seeds_added};
use crate::experiment::run::RunResult;
use crate::experiment::summary::{CellSummary, summarise};
use crate::kernel::limit::Ending;
use crate::kernel::time::Span;
use crate::report::capacity::planned_calm;
use crate::report::comparison::{baseline_text, pairs, pairs_table, precision_text, untested_text};
use crate::report::notes::paragraphs;
use crate::report::number::{self, several};
use crate::report::table::{Table, wrap};
use crate::report::violations::violations_jsonl;
use crate::report::{
    answer, arms, caches, chart, columns, escape, figures, files, front, page, promises, ramp,
    unsure, warm_up,
};

/// Runs an experiment.
pub(super) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let RunArguments { input, quiet, .. } = arguments;
    let mut loaded = load_input(if *quiet { input.quietly() } else { input.loudly() })?;
    loaded.campaign.has(&input.arm, &input.point)?;
    // That of the whole experiment, so that an arm alone has the numbers that it has beside others.
    workers::find_warm_up(&mut loaded.campaign, input.workers)?;
    loaded.campaign.choose(&input.arm, &input.point)?;
    let campaign = &loaded.campaign;
    let talks = talks(arguments);
    let folder = Folder::prepare(&folder_of(arguments, campaign))?;
    let journal = Journal::open(folder.path(), &loaded)?;
    let done = journal.found(campaign);
    if campaign.experiment.search.is_some() {
        if talks {
            output::print(&what_was_there(&folder, done))?;
        }
        return super::search::search(arguments, &loaded, folder, &journal);
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
    let done = Done::new(campaign, &results, &summaries, &comparison);
    let written = write_all(&loaded, folder, &done)?;
    journal.remove()?;
    if arguments.json {
        output::print_exactly(&done.summary_json())?;
    }
    if talks {
        output::print(&done.answer_text())?;
        if arguments.full {
            output::print(&done.tables_and_notes(&written))?;
        } else {
            output::print(&done.where_the_rest_is(&written))?;
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
    let bar = progress::bar(campaign.runs(), journal.found(campaign), !talks(arguments));
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

pub(super) fn talks(arguments: &RunArguments) -> bool {
    !arguments.quiet && !arguments.json
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
    done: &Done<'_>,
) -> Result<Vec<PathBuf>, Failure> {
    let Done { campaign, results, summaries, comparison, .. } = *done;
    let order = page::reading_order(&done.answer, summaries);
    let look = CloserLook::new(campaign, results, &order);
    let (experiment, overrides) = (&loaded.files[0].0, &loaded.overrides);
    let pairs = pairs(campaign, &comparison.pairs);
    folder.write("runs.csv", files::runs_csv(campaign, results).as_bytes())?;
    folder.write("runs.parquet", &files::runs_parquet(campaign, results))?;
    folder.write("series.csv", files::series_csv(campaign, results).as_bytes())?;
    folder.write("faults.csv", files::faults_csv(campaign, results).as_bytes())?;
    folder.write("pairs.csv", columns::csv(&pairs).as_bytes())?;
    folder.write("pairs.parquet", &files::parquet_of(&pairs))?;
    if let Some(ramp) = &campaign.experiment.ramp {
        folder.write("ramp.csv", ramp::csv(campaign, ramp, results).as_bytes())?;
        folder.write("edges.csv", ramp::edges_csv(campaign, ramp, results).as_bytes())?;
    }
    let violations = violations_jsonl(campaign, results, experiment, overrides);
    folder.write("violations.jsonl", violations.as_bytes())?;
    folder.write("tables.md", done.markdown().as_bytes())?;
    folder.write(
        "report.html",
        page::page(&done.page(loaded, &look, &done.asked_for())).as_bytes(),
    )?;
    folder.write("summary.json", done.summary_json().as_bytes())?;
    for figure in figures::figures(campaign, results, summaries, comparison) {
        write_figure(&mut folder, figure.name, &figure.svg)?;
    }
    let manifest = files::manifest_json(campaign, results, comparison, &loaded.files, overrides);
    folder.write(MANIFEST, manifest.as_bytes())?;
    folder.publish()
}

/// Writes a picture as SVG and PNG.
pub(super) fn write_figure(folder: &mut Folder, name: &str, svg: &str) -> Result<(), Failure> {
    let png = chart::png(svg, 2.0)
        .map_err(|error| Failure::Machine(format!("error: cannot draw a PNG: {error}")))?;
    folder.write(&format!("{name}.svg"), svg.as_bytes())?;
    folder.write(&format!("{name}.png"), &png)
}

/// Everything that a campaign came to.
struct Done<'a> {
    campaign: &'a Campaign,
    results: &'a [RunResult],
    summaries: &'a [CellSummary],
    comparison: &'a Comparison,
    answer: Answer,
    /// At most three: what to take, what to avoid and what is not decided.
    sentences: Vec<String>,
    /// The numbers that decide.
    deciding: Table,
    /// What has to be known beside the tables, and what is doubtful about them.
    notes: String,
}

impl<'a> Done<'a> {
    fn new(
        campaign: &'a Campaign,
        results: &'a [RunResult],
        summaries: &'a [CellSummary],
        comparison: &'a Comparison,
    ) -> Done<'a> {
        let answer = Answer::new(campaign, results);
        Done {
            campaign,
            results,
            summaries,
            comparison,
            sentences: answer::sentences(campaign, summaries, &answer),
            deciding: answer::table(campaign, summaries, &answer),
            notes: notes(campaign, results, summaries, comparison),
            answer,
        }
    }

    fn summary_json(&self) -> String {
        let answer = (&self.answer, self.sentences.as_slice());
        files::summary_json(self.campaign, self.summaries, self.comparison, answer)
    }

    /// What the page is made of.
    fn page(
        &'a self,
        loaded: &'a Loaded,
        look: &'a CloserLook,
        asked_for: &'a [Table],
    ) -> page::Parts<'a> {
        page::Parts {
            campaign: self.campaign,
            results: self.results,
            summaries: self.summaries,
            comparison: self.comparison,
            answer: &self.answer,
            sentences: &self.sentences,
            deciding: &self.deciding,
            asked_for,
            notes: &self.notes,
            look,
            files: &loaded.files,
            overrides: &loaded.overrides,
            complete_model: loaded.complete_model.as_deref(),
        }
    }

    /// What to take, what to avoid and what is not decided, and the numbers that decide.
    fn answer_text(&self) -> String {
        let wrapped = |it: &String| wrap(it, output::width()).join("\n") + "\n";
        let sentences: String = self.sentences.iter().map(wrapped).collect();
        format!("{sentences}\n{}", printed(std::slice::from_ref(&self.deciding)))
    }

    /// The tables of arms, and of their comparison.
    fn tables(&self) -> Vec<Table> {
        let mut tables = arms::arms_tables(self.campaign, self.summaries);
        tables.extend(pairs_table(self.campaign, &self.comparison.pairs));
        tables.extend(self.asked_for());
        tables
    }

    /// The tables of what an experiment asks for by a section of its own: a front, a ramp.
    fn asked_for(&self) -> Vec<Table> {
        let campaign = self.campaign;
        let ramp = campaign.experiment.ramp.as_ref();
        let ramp = ramp.map(|ramp| ramp::table(campaign, ramp, self.results));
        front::table(campaign, self.comparison).into_iter().chain(ramp).collect()
    }

    /// Everything in Markdown: the answer, the tables, the notes.
    fn markdown(&self) -> String {
        let mut parts: Vec<String> =
            self.sentences.iter().map(|it| escape::markdown_note(it)).collect();
        parts.push(self.deciding.markdown());
        parts.extend(self.tables().iter().map(Table::markdown));
        let notes = warm_up::text(self.campaign) + &self.notes;
        parts.extend(Some(escape::markdown_note(&notes)).filter(|notes| !notes.is_empty()));
        parts.join("\n")
    }

    /// Every table, every note and the paths of what was written.
    fn tables_and_notes(&self, written: &[PathBuf]) -> String {
        let mut text = printed(&self.tables());
        text.push_str(&self.notes);
        text.push_str(&format!("digest of all runs: {}\n\n", files::campaign_digest(self.results)));
        for path in written {
            text.push_str(&format!("wrote {}\n", path.display()));
        }
        text
    }

    /// Where everything else stands, and how much of it is a warning.
    fn where_the_rest_is(&self, written: &[PathBuf]) -> String {
        let precision = precision_text(self.campaign, self.comparison);
        let doubts = doubts(&self.notes);
        let folder = written.first().and_then(|path| path.parent());
        let folder = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
        let asked_for = printed(&self.asked_for());
        format!(
            "{asked_for}{precision}{doubts}the page: {folder}/report.html\n\
             every table and note: {folder}/tables.md, or --full\n\
             wrote {} to {folder}; digest of all runs: {}\n",
            several(written.len() as u64, "file"),
            files::campaign_digest(self.results),
        )
    }
}

/// The answer of a campaign to its results, for the terminal.
pub(super) fn answer_to(campaign: &Campaign, results: &[RunResult]) -> String {
    let summaries = summarise(campaign, results);
    let comparison = compare(campaign, results);
    Done::new(campaign, results, &summaries, &comparison).answer_text()
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

/// What has to be known beside the tables, and what is doubtful about them.
fn notes(
    campaign: &Campaign,
    results: &[RunResult],
    summaries: &[CellSummary],
    comparison: &Comparison,
) -> String {
    let mut text = baseline_text(campaign) + &precision_text(campaign, comparison);
    text.push_str(&arms::unsteady_text(campaign, results));
    text.push_str(&arms::horizon_text(campaign, summaries));
    text.push_str(&unsure::notes(campaign, results, summaries));
    text.push_str(&untested_text(campaign, &comparison.pairs));
    let fills = results.iter().map(|run| (run.cell, run.metrics.fills.as_slice()));
    text.push_str(&caches::empty_text(campaign, fills));
    text.push_str(&promises::unwatched_text(campaign, summaries));
    text.push_str(&promises::unjudged_text(campaign, summaries));
    text.push_str(&promises::broken_text(campaign, summaries));
    text.push_str(&promises::kept_text(campaign, results, summaries));
    let unknown = results.iter().filter(|run| run.ending != Ending::Complete).count();
    if unknown > 0 {
        text.push_str(&format!(
            "{unknown} of {} runs reached a limit: see the column `ending` of runs.csv\n",
            results.len()
        ));
    }
    text
}

/// Tables for the terminal, one below the other.
fn printed(tables: &[Table]) -> String {
    tables.iter().map(|it| it.text(output::width(), output::colour_out()) + "\n").collect()
}
