//! `stormglass validate`: runs experiments of which theory or others say what comes out, and tells
//! both.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command line has the clock: it says on which day, and how long it took"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use indexmap::IndexSet;
use indicatif::ProgressBar;
use jiff::ToSpan;
use rayon::prelude::*;

use super::journal::digest_of_inputs;
use super::load::{Input, Loaded, load_input};
use super::page::{Kept, PageFile, RunKey};
use super::{DONE, Failure, VIOLATION, output, parse_workers, progress, workers};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::language::Experiment;
use crate::experiment::plan::seeds::Seeds;
use crate::experiment::validation::figures::FigureOfCell;
use crate::experiment::validation::laws::values;
use crate::kernel::digest::digest_of;
use crate::published::Reading;
use crate::published::verdict::compare;
use crate::report::command::quoted;
use crate::report::detail::Detail;
use crate::report::published::{Published, Tally as FigureTally};
use crate::report::table::Table;
use crate::report::validation::{Compared, NotSimulated, Page, Tally, compared, page, table};
use crate::theory::published::Row;

/// What `validate` is told.
#[derive(Debug, clap::Args)]
pub(super) struct ValidateArguments {
    /// Experiments with a law under `[theory]` or figures under `[published]`; all of
    /// experiments/validation and experiments/published by default.
    experiments: Vec<PathBuf>,
    /// Run for a few minutes instead of an hour: intervals are wide.
    #[arg(long)]
    quick: bool,
    /// Only experiments of this law, such as MM1, or of this name, such as pause.
    #[arg(long, value_name = "LAW|NAME")]
    only: Option<String>,
    /// Set any value of the model or the experiment. Can be given more than once.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Let paths in the experiments and their models lead into this folder too. Can be given more
    /// than once.
    #[arg(long, value_name = "DIR")]
    allow_outside: Vec<PathBuf>,
    /// How many runs at once; all cores by default. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = parse_workers)]
    workers: Option<u16>,
    /// Write every table and what is not simulated to this file, as docs/validation.md.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// Where the experiments are: those of closed forms, with their numbers beside them, and those of
/// others.
const FOLDERS: [&str; 2] = ["experiments/validation", "experiments/published"];
/// The seeds of a quick run.
const QUICK_SEEDS: Seeds = Seeds(1..9);

/// An experiment that is asked for.
struct Job {
    campaign: Campaign,
    /// What others published about it.
    figures: Vec<FigureOfCell>,
    /// The positions of the cells that run.
    cells: Vec<usize>,
    /// The digest of everything that decides what is kept of a run but its seed.
    inputs: String,
}

/// Runs experiments of which theory or others say what comes out, and tells both.
pub(super) fn validate(arguments: &ValidateArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let files = match arguments.experiments.is_empty() {
        true => experiments()?,
        false => arguments.experiments.clone(),
    };
    let jobs = read_all(arguments, &files)?;
    let rows = read_beside(&files, "closed_forms.csv")?;
    let rows = rows.map_or_else(|| Ok(Vec::new()), |text| Row::read_all(&text))?;
    let not_simulated = read_beside(&files, "not_simulated.csv")?.unwrap_or_default();
    let not_simulated = NotSimulated::read_all(&not_simulated, &rows)?;
    let target = arguments.write.as_deref().map(PageFile::open).transpose()?;
    let found = target.as_ref().map_or(0, |page| jobs.iter().map(|job| job.found(page)).sum());
    if found > 0 {
        output::error(&format!("goes on from {found} finished runs"));
    }
    let pool = workers::pool(arguments.workers)?;
    let bar = progress::bar(jobs.iter().map(Job::runs).sum(), 0, false);
    if let Some(page) = &target {
        let shown = bar.clone();
        page.go_on_after_interrupt(move || shown.finish_and_clear())?;
    }
    let (mut cells, mut figures) = (Vec::new(), Vec::new());
    for job in &jobs {
        let kept = pool.install(|| job.run_all(target.as_ref(), &bar))?;
        let say = |text: &str| bar.suspend(|| output::print(text));
        say(&format!("{}\n", output::heading(&job.campaign.experiment)))?;
        if job.campaign.experiment.theory.is_some() {
            let values: Vec<_> = kept.iter().map(|kept| kept.values.clone()).collect();
            let own = compared(&job.campaign, &values, &rows);
            say(&shown(&table(&own, Detail::Terminal)))?;
            cells.extend(own);
        }
        if !job.figures.is_empty() {
            let own = job.published(&kept, !arguments.set.is_empty());
            say(&format!("{}\n{}", own.source, shown(&own.table(Detail::Terminal))))?;
            figures.push(own);
        }
    }
    bar.finish_and_clear();
    if let Some(target) = target {
        target.finish(&page(&Page {
            date: today(),
            took: duration(target.took()),
            command: command_line(arguments),
            cells: &cells,
            figures: &figures,
            not_simulated: &not_simulated,
            published: rows.len(),
        }))?;
    }
    closing(&cells, &figures, &duration(started.elapsed()))
}

/// A table as it is printed, and an empty line.
fn shown(table: &Table) -> String {
    format!("{}\n", table.text(output::width().min(80), output::colour_out()))
}

/// The last lines, and the exit code: whether a closed form lies outside, or a figure differs.
fn closing(cells: &[Compared], figures: &[Published], took: &str) -> Result<u8, Failure> {
    let (tally, figure_tally) = (Tally::of(cells), FigureTally::of(figures));
    if !cells.is_empty() {
        output::print(&format!("closed forms: {}\n", tally.text()))?;
    }
    if !figures.is_empty() {
        output::print(&format!("published figures: {}\n", figure_tally.text()))?;
    }
    output::print(&format!("{took}\n"))?;
    if tally.outside > 0 {
        let outside = tally.outside;
        output::error(&format!(
            "error: {outside} closed forms lie outside the 99.9% interval of the runs"
        ));
    }
    if figure_tally.differ > 0 {
        let differ = figure_tally.differ;
        output::error(&format!("error: {differ} published figures differ from the runs"));
    }
    Ok(if tally.outside + figure_tally.differ == 0 { DONE } else { VIOLATION })
}

/// The experiments of the folders that say what is expected, in the order of their names.
fn experiments() -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        let entries = std::fs::read_dir(folder).map_err(|error| {
            Failure::Input(format!(
                "error: cannot read the folder `{folder}`: {error}\n\
                 help: name the experiments, or start in the folder of the project"
            ))
        })?;
        let paths = entries.flatten().map(|entry| entry.path());
        let mut own: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
        own.sort_unstable();
        files.extend(own);
    }
    Ok(files)
}

/// Every experiment that is asked for, once. One that says nothing of what is expected is refused
/// if it alone was named, and left out of several.
fn read_all(arguments: &ValidateArguments, files: &[PathBuf]) -> Result<Vec<Job>, Failure> {
    let mut jobs = Vec::new();
    for file in files.iter().collect::<IndexSet<_>>() {
        let mut loaded = read(arguments, file, &arguments.set, None)?;
        let Experiment { theory, published, name, .. } = loaded.campaign.experiment.clone();
        if theory.is_none() && published.is_none() {
            if arguments.experiments.is_empty() {
                continue;
            }
            if files.len() > 1 {
                let name = file.display();
                output::error(&format!("left out: `{name}` names no law and no published figures"));
                continue;
            }
            return Err(Failure::Input(format!(
                "error: `{}` names no law and no published figures\nhelp: `[theory]` says which \
                 closed form its model follows, `[published]` what others found; `stormglass run` \
                 runs it without",
                file.display()
            )));
        }
        let law = theory.as_ref().map_or("", |theory| theory.law.group());
        let is_asked =
            |only: &String| only.eq_ignore_ascii_case(law) || only.eq_ignore_ascii_case(&name);
        if !arguments.only.as_ref().is_none_or(is_asked) {
            continue;
        }
        if arguments.quick {
            let mut set = Vec::new();
            if let Some(quick) = theory.and_then(|theory| theory.quick) {
                set.push(format!("arrivals={quick}"));
            }
            set.extend(arguments.set.iter().cloned());
            let seeds = published.and_then(|published| published.quick?.seeds);
            loaded = read(arguments, file, &set, Some(&seeds.unwrap_or(QUICK_SEEDS)))?;
        }
        let job = Job::new(loaded, arguments.quick);
        if job.cells.is_empty() {
            return Err(Failure::Input(format!(
                "error: nothing of `{}` is compared\nhelp: `points` and `arms` of its `quick` must \
                 have figures",
                file.display()
            )));
        }
        jobs.push(job);
    }
    match (jobs.is_empty(), &arguments.only) {
        (true, Some(only)) => Err(Failure::Input(format!(
            "error: no experiment follows the law `{only}`, and none has this name"
        ))),
        _ => Ok(jobs),
    }
}

fn read(
    arguments: &ValidateArguments,
    file: &Path,
    set: &[String],
    seeds: Option<&Seeds>,
) -> Result<Loaded, Failure> {
    let allowed = &arguments.allow_outside;
    load_input(Input { experiment: file, seeds, set, allowed, quiet: true })
}

impl Job {
    fn new(loaded: Loaded, quick: bool) -> Job {
        let decided = digest_of_inputs(&loaded);
        let Loaded { campaign, mut figures, .. } = loaded;
        let Experiment { theory, published, .. } = &campaign.experiment;
        if let (true, Some(published)) = (quick, published) {
            figures.retain(|figure| published.is_quick(&campaign.cells[figure.cell]));
        }
        let runs =
            |cell: &usize| theory.is_some() || figures.iter().any(|figure| figure.cell == *cell);
        let cells = (0..campaign.cells.len()).filter(runs).collect();
        let inputs = format!("{decided} {}", digest_of(&format!("{figures:?}")));
        Job { campaign, figures, cells, inputs }
    }

    fn runs(&self) -> usize {
        self.cells.len() * self.campaign.seeds.len()
    }

    /// How many of its runs were finished before.
    fn found(&self, page: &PageFile) -> usize {
        (0..self.runs()).filter(|number| page.kept(&self.key(*number)).is_some()).count()
    }

    fn key(&self, number: usize) -> RunKey {
        let seeds = &self.campaign.seeds;
        let (cell, seed) = (self.cells[number / seeds.len()], seeds[number % seeds.len()]);
        RunKey { inputs: self.inputs.clone(), cell, seed }
    }

    /// Runs everything that was not finished before; of each run only what is compared is kept.
    fn run_all(&self, page: Option<&PageFile>, bar: &ProgressBar) -> Result<Vec<Kept>, Failure> {
        let one = |number: usize| {
            let kept = self.run(number, page);
            bar.inc(1);
            kept
        };
        (0..self.runs()).into_par_iter().map(one).collect()
    }

    /// Runs one of its runs, and keeps what is compared.
    fn run(&self, number: usize, page: Option<&PageFile>) -> Result<Kept, Failure> {
        let key = self.key(number);
        if let Some(kept) = page.and_then(|page| page.kept(&key)) {
            return Ok(kept.clone());
        }
        let cell = key.cell;
        let seeds = self.campaign.seeds.len();
        let run = self.campaign.run(cell * seeds + number % seeds);
        let own = self.figures.iter().filter(|figure| figure.cell == cell);
        let readings = own.map(|figure| figure.what.reading(&run)).collect();
        let kept = Kept { values: values(&self.campaign.cells[cell], &run), readings };
        if let Some(page) = page {
            page.append(key, kept.clone())?;
        }
        Ok(kept)
    }

    /// What the runs say of the figures.
    fn published(&self, kept: &[Kept], is_changed: bool) -> Published {
        let mut compared = Vec::new();
        for (index, runs) in self.cells.iter().zip(kept.chunks(self.campaign.seeds.len())) {
            let own = self.figures.iter().filter(|figure| figure.cell == *index);
            for (place, figure) in own.enumerate() {
                let readings: Vec<Reading> = runs.iter().map(|run| run.readings[place]).collect();
                let comparison = compare(&figure.figure, &readings, is_changed);
                compared.push((figure, comparison));
            }
        }
        Published::new(&self.campaign, &compared)
    }
}

/// A file beside any of the experiments; `None` if there is none.
fn read_beside(files: &[PathBuf], name: &str) -> Result<Option<String>, Failure> {
    let beside = files.iter().filter_map(|file| Some(file.parent()?.join(name)));
    let Some(path) = beside.into_iter().find(|path| path.exists()) else { return Ok(None) };
    std::fs::read_to_string(&path).map(Some).map_err(|error| {
        Failure::Input(format!("error: cannot read `{}`: {error}", path.display()))
    })
}

/// The command that writes the same page again.
fn command_line(arguments: &ValidateArguments) -> String {
    let mut words = vec!["stormglass validate".to_owned()];
    words.extend(arguments.experiments.iter().map(|file| quoted(&file.display().to_string())));
    words.extend(arguments.quick.then(|| "--quick".to_owned()));
    words.extend(arguments.only.iter().map(|only| format!("--only {}", quoted(only))));
    words.extend(arguments.set.iter().map(|set| format!("--set {}", quoted(set))));
    let page = arguments.write.iter().map(|page| quoted(&page.display().to_string()));
    words.extend(page.map(|page| format!("--write {page}")));
    words.join(" ")
}

fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let days = i64::try_from(seconds / 86_400).unwrap_or(0);
    let date = jiff::civil::date(1970, 1, 1).checked_add(days.days());
    date.map_or_else(|_| "an unknown day".to_owned(), |date| date.to_string())
}

fn duration(took: Duration) -> String {
    let seconds = took.as_secs();
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {} s", seconds % 60),
    }
}
