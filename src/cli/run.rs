//! `stormglass run`: what is run, a progress bar, a table of arms, the verdicts, what was written.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::load::{Loaded, load};
use super::{Failure, RunArguments, output, progress};
use crate::experiment::campaign::Campaign;
use crate::experiment::comparison::{Comparison, compare, next_seeds};
use crate::experiment::run::RunResult;
use crate::experiment::summary::{CellSummary, summarise};
use crate::kernel::limit::Ending;
use crate::report::comparison::{pairs_csv, pairs_table, precision_text};
use crate::report::table::Table;
use crate::report::{arms, chart, figures, files, front, promises};

/// Runs an experiment.
pub(super) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let mut loaded = load(arguments)?;
    let campaign = &loaded.campaign;
    let talks = !arguments.quiet && !arguments.json;
    let folder = folder_of(arguments, campaign);
    check_writable(&folder)?;
    if talks {
        output::print(&opening(campaign));
    }
    let results = run_until_precise(&mut loaded.campaign, arguments)?;
    let campaign = &loaded.campaign;
    let summaries = summarise(campaign, &results);
    let comparison = compare(campaign, &results);
    let written = write_all(&loaded, &folder, &results, &summaries, &comparison)?;
    if arguments.json {
        output::print(&files::summary_json(campaign, &summaries, &comparison));
    }
    if talks {
        for table in all_tables(campaign, &summaries, &comparison) {
            output::print(&table.text(output::width(), output::colour_out()));
            output::print("\n");
        }
        output::print(&closing(campaign, &results, &summaries, &comparison, &written));
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
    format!(
        "{}: {}\n{}{crossed} × {} ({first} to {last}) = {} of {} and {} to drain\n",
        experiment.name,
        experiment.question,
        several(experiment.arms.len(), "arm"),
        several(campaign.seeds.len(), "seed"),
        several(campaign.runs(), "run"),
        experiment.arrivals,
        experiment.drain,
    )
}

/// A count with its noun.
fn several(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Runs everything, and at each checkpoint decides whether to run on with more seeds.
fn run_until_precise(
    campaign: &mut Campaign,
    arguments: &RunArguments,
) -> Result<Vec<RunResult>, Failure> {
    let mut results = run_all(campaign, arguments, Vec::new())?;
    while let Some(seeds) = next_seeds(campaign, &results) {
        let known = campaign.grow(seeds, results);
        results = run_all(campaign, arguments, known)?;
    }
    Ok(results)
}

/// Runs everything that is not known yet; the results are in the order of their numbers, whoever
/// was first.
fn run_all(
    campaign: &Campaign,
    arguments: &RunArguments,
    mut known: Vec<Option<RunResult>>,
) -> Result<Vec<RunResult>, Failure> {
    known.resize_with(campaign.runs(), || None);
    let workers = arguments.workers.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .build()
        .map_err(|error| Failure::Machine(format!("error: cannot start the workers: {error}")))?;
    let bar = progress::bar(campaign.runs(), arguments.quiet || arguments.json);
    let results = pool.install(|| {
        known
            .into_par_iter()
            .enumerate()
            .map(|(number, known)| {
                let result = known.unwrap_or_else(|| campaign.run(number));
                bar.inc(1);
                result
            })
            .collect()
    });
    bar.finish_and_clear();
    Ok(results)
}

/// An unwritable folder is found out before the work starts.
fn check_writable(folder: &Path) -> Result<(), Failure> {
    if folder.is_file() {
        let folder = folder.display();
        return Err(Failure::Machine(format!(
            "error: cannot write to `{folder}`: it is a file\nhelp: choose a folder with --out"
        )));
    }
    let probe = folder.join(".stormglass-probe");
    let checked = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe));
    checked.map_err(|error| {
        let folder = folder.display();
        Failure::Machine(format!(
            "error: cannot write to `{folder}`: {error}\nhelp: choose another folder with --out"
        ))
    })
}

/// Writes every file of the results; returns their paths.
fn write_all(
    loaded: &Loaded,
    folder: &Path,
    results: &[RunResult],
    summaries: &[CellSummary],
    comparison: &Comparison,
) -> Result<Vec<PathBuf>, Failure> {
    let campaign = &loaded.campaign;
    let manifest =
        files::manifest_json(campaign, results, comparison, &loaded.files, &loaded.overrides);
    let mut written = vec![
        write(folder, "runs.csv", files::runs_csv(campaign, results).as_bytes())?,
        write(folder, "series.csv", files::series_csv(campaign, results).as_bytes())?,
        write(folder, "faults.csv", files::faults_csv(campaign, results).as_bytes())?,
        write(folder, "pairs.csv", pairs_csv(campaign, &comparison.pairs).as_bytes())?,
        write(folder, "tables.md", tables(campaign, summaries, comparison).as_bytes())?,
        write(
            folder,
            "summary.json",
            files::summary_json(campaign, summaries, comparison).as_bytes(),
        )?,
        write(folder, "manifest.json", manifest.as_bytes())?,
    ];
    for figure in figures::figures(campaign, results, summaries, comparison) {
        let png = chart::png(&figure.svg, 2.0)
            .map_err(|error| Failure::Machine(format!("error: cannot draw a PNG: {error}")))?;
        written.push(write(folder, &format!("{}.svg", figure.name), figure.svg.as_bytes())?);
        written.push(write(folder, &format!("{}.png", figure.name), &png)?);
    }
    Ok(written)
}

/// The tables of arms, and of their comparison.
fn all_tables(
    campaign: &Campaign,
    summaries: &[CellSummary],
    comparison: &Comparison,
) -> Vec<Table> {
    let mut tables = arms::arms_tables(campaign, summaries);
    tables.extend(pairs_table(campaign, &comparison.pairs));
    tables.extend(front::table(campaign, comparison));
    tables
}

/// The same in Markdown, one after the other.
fn tables(campaign: &Campaign, summaries: &[CellSummary], comparison: &Comparison) -> String {
    let tables = all_tables(campaign, summaries, comparison);
    tables.iter().map(Table::markdown).collect::<Vec<_>>().join("\n")
}

/// Writes a file whole or not at all.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
    let (path, unfinished) = (folder.join(name), folder.join(format!(".{name}.unfinished")));
    std::fs::write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, &path)).map_err(
        |error| {
            std::fs::remove_file(&unfinished).ok();
            Failure::Machine(format!("error: cannot write `{}`: {error}", path.display()))
        },
    )?;
    Ok(path)
}

/// The verdicts and the paths of what was written.
fn closing(
    campaign: &Campaign,
    results: &[RunResult],
    summaries: &[CellSummary],
    comparison: &Comparison,
    written: &[PathBuf],
) -> String {
    let mut text = precision_text(campaign, comparison);
    let names = summaries.first().map_or(&[][..], |summary| &summary.invariants);
    for (index, first) in names.iter().enumerate() {
        let kept = summaries.iter().filter(|s| s.invariants[index].violations == 0).count();
        text.push_str(&format!(
            "{}: none in {kept} of {} arms\n",
            promises::label(first.name),
            campaign.cells.len()
        ));
    }
    text.push_str(&promises::kept_text(campaign, results, summaries));
    let unknown = results.iter().filter(|run| run.ending != Ending::Complete).count();
    if unknown > 0 {
        text.push_str(&format!(
            "{unknown} of {} runs reached a limit: see the column `ending` of runs.csv\n",
            results.len()
        ));
    }
    text.push_str(&format!("digest of all runs: {}\n\n", files::campaign_digest(results)));
    for path in written {
        text.push_str(&format!("wrote {}\n", path.display()));
    }
    text
}
