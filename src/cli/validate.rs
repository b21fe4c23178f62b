//! `stormglass validate`: runs models that have a closed form, and tells both.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command line has the clock: it says on which day, and how long it took"
)]

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::ToSpan;
use rayon::prelude::*;

use super::load::load;
use super::{DONE, Failure, RunArguments, VIOLATION, output, parse_workers, progress, workers};
use crate::experiment::campaign::Campaign;
use crate::experiment::language::Seeds;
use crate::experiment::theory::published::Row;
use crate::experiment::theory::verdict::values;
use crate::report::validation::{
    Compared, Detail, NotSimulated, Page, Tally, compared, page, table,
};

/// What `validate` is told.
#[derive(Debug, clap::Args)]
pub(super) struct ValidateArguments {
    /// Experiments that name their law under `[theory]`; all of experiments/validation by default.
    experiments: Vec<PathBuf>,
    /// Run for seconds instead of many minutes: intervals are wide.
    #[arg(long)]
    quick: bool,
    /// Only experiments of this law, such as MM1.
    #[arg(long, value_name = "LAW")]
    only: Option<String>,
    /// Set any value of the model or the experiment. Can be given more than once.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// How many runs at once; all cores by default. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = parse_workers)]
    workers: Option<u16>,
    /// Write every table and what is not simulated to this file, as docs/validation.md.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// Where the experiments are, with the published numbers beside them.
const FOLDER: &str = "experiments/validation";
/// The seeds of a quick run.
const QUICK_SEEDS: Seeds = Seeds(1..9);

/// Runs models that have a closed form, and tells both.
pub(super) fn validate(arguments: &ValidateArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let files = match arguments.experiments.is_empty() {
        true => experiments()?,
        false => arguments.experiments.clone(),
    };
    let campaigns = read_all(arguments, &files)?;
    let rows = read_beside(&files, "closed_forms.csv")?;
    let rows = rows.map_or_else(|| Ok(Vec::new()), |text| Row::read_all(&text))?;
    let results = run_all(arguments, &campaigns)?;
    let mut cells = Vec::new();
    for (campaign, values) in campaigns.iter().zip(&results) {
        let own = compared(campaign, values, &rows);
        output::print(&format!("{}: {}\n", campaign.experiment.name, campaign.experiment.question));
        output::print(
            &table(&own, Detail::Terminal).text(output::width().min(80), output::colour_out()),
        );
        output::print("\n");
        cells.extend(own);
    }
    if let Some(path) = &arguments.write {
        let not_simulated = read_beside(&files, "not_simulated.csv")?.unwrap_or_default();
        let not_simulated = NotSimulated::read_all(&not_simulated, &rows)?;
        let text = page(&Page {
            date: today(),
            took: duration(started),
            command: "stormglass validate --write docs/validation.md".to_owned(),
            cells: &cells,
            not_simulated: &not_simulated,
            published: rows.len(),
        });
        std::fs::write(path, text).map_err(|error| {
            let path = path.display();
            Failure::Machine(format!("error: cannot write `{path}`: {error}"))
        })?;
    }
    Ok(closing(&cells, &duration(started)))
}

/// The last line, and the exit code: whether a closed form lies outside.
fn closing(cells: &[Compared], took: &str) -> u8 {
    let tally = Tally::of(cells);
    output::print(&format!("{}; {took}\n", tally.text()));
    if tally.outside == 0 {
        return DONE;
    }
    let outside = tally.outside;
    output::error(&format!(
        "error: {outside} closed forms lie outside the 99.9% interval of the runs"
    ));
    VIOLATION
}

/// The experiments of the folder, in the order of their names.
fn experiments() -> Result<Vec<PathBuf>, Failure> {
    let folder = std::fs::read_dir(FOLDER).map_err(|error| {
        Failure::Input(format!(
            "error: cannot read the folder `{FOLDER}`: {error}\n\
             help: name the experiments, or start in the folder of the project"
        ))
    })?;
    let paths = folder.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort_unstable();
    Ok(files)
}

/// Every experiment that has a theory and is asked for.
fn read_all(arguments: &ValidateArguments, files: &[PathBuf]) -> Result<Vec<Campaign>, Failure> {
    let mut campaigns = Vec::new();
    for file in files {
        let mut campaign = read(file, &arguments.set, None)?;
        let Some(theory) = campaign.experiment.theory.clone() else {
            return Err(Failure::Input(format!(
                "error: `{}` names no law\nhelp: `[theory]` says which closed form its model \
                 follows; `stormglass run` runs it without one",
                file.display()
            )));
        };
        let is_asked = |only: &String| only.eq_ignore_ascii_case(theory.law.group());
        if !arguments.only.as_ref().is_none_or(is_asked) {
            continue;
        }
        if arguments.quick {
            let mut set = Vec::new();
            if let Some(quick) = theory.quick {
                set.push(format!("arrivals={quick}"));
            }
            set.extend(arguments.set.iter().cloned());
            campaign = read(file, &set, Some(QUICK_SEEDS))?;
        }
        campaigns.push(campaign);
    }
    match (campaigns.is_empty(), &arguments.only) {
        (true, Some(only)) => {
            Err(Failure::Input(format!("error: no experiment follows the law `{only}`")))
        }
        _ => Ok(campaigns),
    }
}

fn read(file: &Path, set: &[String], seeds: Option<Seeds>) -> Result<Campaign, Failure> {
    let arguments = RunArguments {
        experiment: file.to_path_buf(),
        seeds,
        out: None,
        workers: None,
        set: set.to_vec(),
        json: false,
        quiet: true,
    };
    Ok(load(&arguments)?.campaign)
}

/// A file beside the first experiment; `None` if there is none.
fn read_beside(files: &[PathBuf], name: &str) -> Result<Option<String>, Failure> {
    let Some(folder) = files.first().and_then(|file| file.parent()) else { return Ok(None) };
    let path = folder.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Failure::Input(format!("error: cannot read `{}`: {error}", path.display())))
        }
    }
}

/// Runs everything; of each run only what is compared is kept.
fn run_all(
    arguments: &ValidateArguments,
    campaigns: &[Campaign],
) -> Result<Vec<Vec<Vec<Option<f64>>>>, Failure> {
    let pool = workers::pool(arguments.workers)?;
    let runs = campaigns.iter().map(Campaign::runs).sum();
    let bar = progress::bar(runs, 0, false);
    let results = pool.install(|| {
        let of_campaign = |campaign: &Campaign| {
            let one = |number: usize| {
                let cell = &campaign.cells[number / campaign.seeds.len()];
                let values = values(cell, &campaign.run(number));
                bar.inc(1);
                values
            };
            (0..campaign.runs()).into_par_iter().map(one).collect()
        };
        campaigns.par_iter().map(of_campaign).collect()
    });
    bar.finish_and_clear();
    Ok(results)
}

fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let days = i64::try_from(seconds / 86_400).unwrap_or(0);
    let date = jiff::civil::date(1970, 1, 1).checked_add(days.days());
    date.map_or_else(|_| "an unknown day".to_owned(), |date| date.to_string())
}

fn duration(started: Instant) -> String {
    let seconds = started.elapsed().as_secs();
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {} s", seconds % 60),
    }
}
