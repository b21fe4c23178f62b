//! The runs of a campaign on all cores, those that are in the journal left out.

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::Failure;
use super::journal::Journal;
use crate::experiment::measure::warm_up::{Series, Settling, TooSoon, pilot};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::experiment::search::rare::{Rare, RareFound, found, levels_of, replication};
use crate::metric::RunMetrics;

/// Runs everything that is not `known`; the results are in the order of their numbers, whoever was
/// first.
pub(super) fn run_all(
    campaign: &Campaign,
    workers: Option<u16>,
    journal: &Journal,
    bar: &ProgressBar,
    mut known: Vec<Option<RunResult>>,
) -> Result<Vec<RunResult>, Failure> {
    let pool = pool(workers)?;
    known.resize_with(campaign.runs(), || None);
    let finished = |(number, known): (usize, Option<RunResult>)| match known {
        Some(result) => Ok(result),
        None => run_one(campaign, journal, bar, number),
    };
    pool.install(|| known.into_par_iter().enumerate().map(finished).collect())
}

/// Runs the runs of these numbers, without their time series; the results are in this order.
pub(super) fn run_some(
    campaign: &Campaign,
    pool: &rayon::ThreadPool,
    journal: &Journal,
    bar: &ProgressBar,
    numbers: Vec<usize>,
) -> Result<Vec<RunResult>, Failure> {
    let finished = |number| {
        let mut result = run_one(campaign, journal, bar, number)?;
        // A search has so many runs that their series would fill the memory, and writes none.
        result.metrics.windows = Vec::new();
        let RunMetrics { milestones, answers, .. } = &mut result.metrics;
        milestones.iter_mut().chain(answers).for_each(|it| it.windows = Vec::new());
        Ok(result)
    };
    pool.install(|| numbers.into_par_iter().map(finished).collect())
}

/// Runs everything that is not `known`, and keeps it in memory only; `None` if `is_over` says so
/// before one of the runs.
pub(super) fn run_while(
    campaign: &Campaign,
    pool: &rayon::ThreadPool,
    bar: &ProgressBar,
    mut known: Vec<Option<RunResult>>,
    is_over: impl Fn() -> bool + Sync,
) -> Option<Vec<RunResult>> {
    known.resize_with(campaign.runs(), || None);
    let finished = |(number, known): (usize, Option<RunResult>)| {
        known.or_else(|| {
            let mut result = (!is_over()).then(|| campaign.run(number))?;
            result.keep_what_is_written();
            bar.inc(1);
            Some(result)
        })
    };
    pool.install(|| known.into_par_iter().enumerate().map(finished).collect())
}

/// Runs one run, or takes it from the journal.
fn run_one(
    campaign: &Campaign,
    journal: &Journal,
    bar: &ProgressBar,
    number: usize,
) -> Result<RunResult, Failure> {
    if let Some(result) = journal.take(campaign.cell_and_seed(number)) {
        return Ok(result);
    }
    let mut result = campaign.run(number);
    journal.append(&result)?;
    result.keep_what_is_written();
    bar.inc(1);
    Ok(result)
}

/// Splits the runs of each cell: a replication for each seed, at levels that a pilot has found.
pub(super) fn rare(
    campaign: &Campaign,
    rare: &Rare,
    workers: Option<u16>,
) -> Result<Vec<RareFound>, Failure> {
    let of_cell = |cell: &Cell| {
        let (levels, pilot_events) = levels_of(rare, cell, campaign.seeds[0]);
        let replications = campaign.seeds.par_iter();
        let replications =
            replications.map(|&seed| replication(rare, cell, &levels, seed)).collect();
        found(levels, pilot_events, replications)
    };
    Ok(pool(workers)?.install(|| campaign.cells.par_iter().map(of_cell).collect()))
}

/// Lets calm runs of each cell say when requests begin to count, where the experiment does not.
pub(super) fn find_warm_up(campaign: &mut Campaign, workers: Option<u16>) -> Result<(), Failure> {
    let pilots = (campaign.to_be_piloted(), campaign.pilot_seeds());
    let shown = piloted(campaign, pilots, workers, |place, pilots| {
        (place, Settling::of(&campaign.cells[place], pilots))
    })?;
    campaign.settle_warm_up(&shown);
    Ok(())
}

/// The warm-ups that the experiment states and calm runs have shown to be too short.
pub(super) fn stated_too_soon(
    campaign: &Campaign,
    workers: Option<u16>,
) -> Result<Vec<TooSoon>, Failure> {
    let pilots = (campaign.stated_to_be_piloted(), campaign.stated_pilot_seeds());
    let found = piloted(campaign, pilots, workers, |place, pilots| {
        TooSoon::of(&campaign.cells[place], place, pilots)
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// What the pilots of each of these cells under these seeds say, in the order of the cells.
fn piloted<T: Send>(
    campaign: &Campaign,
    (cells, seeds): (Vec<usize>, Vec<u64>),
    workers: Option<u16>,
    say: impl Fn(usize, &[Series]) -> T + Sync,
) -> Result<Vec<T>, Failure> {
    let of_cell = |place: usize| {
        let cell = &campaign.cells[place];
        let pilots: Vec<Series> = seeds.par_iter().map(|&seed| pilot(cell, seed)).collect();
        say(place, &pilots)
    };
    Ok(pool(workers)?.install(|| cells.into_par_iter().map(of_cell).collect()))
}

/// How many runs there are at once: one for each core if nobody says.
pub(super) fn at_once(workers: Option<u16>) -> u16 {
    let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get() as u16);
    workers.unwrap_or_else(cores)
}

/// Threads for so many runs at once; one for each core if nobody says how many.
pub(super) fn pool(workers: Option<u16>) -> Result<rayon::ThreadPool, Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(workers.map_or(0, usize::from))
        .build()
        .map_err(|error| Failure::Machine(format!("error: cannot start the workers: {error}")))
}
