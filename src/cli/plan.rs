//! `stormglass plan`: what each node will be offered, what it can take, and how long a campaign
//! takes; and the warning of it that stands before a run.

use std::time::Duration;

use serde_json::json;

use super::load::load_input;
use super::{Failure, InputArguments, choice, output, progress, workers};
use crate::capacity::NodeLoad;
use crate::experiment::compare::power::{Needed, needed};
use crate::experiment::measure::warm_up::pilot;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::seeds::Seeds;
use crate::experiment::run::result::RunResult;
use crate::experiment::run::run;
use crate::experiment::search::searching::Searching;
use crate::fault::Plan;
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::report::capacity::{
    Planned, assumptions, busiest, json, planned, table, too_far_ahead, warning,
};
use crate::report::number::{Unit, count, number, several};
use crate::report::power;
use crate::report::table::wrap;

/// What `plan` is told.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    input: InputArguments,
    /// Show every node, also those that are hardly busy.
    #[arg(long)]
    full: bool,
    /// Run so many seeds, and say how many a verdict takes.
    #[arg(long, value_name = "SEEDS", value_parser = clap::value_parser!(u64).range(2..=10_000))]
    pilot: Option<u64>,
    /// Print JSON on standard output, and nothing else.
    #[arg(long)]
    json: bool,
}

/// So long runs are made to see how long one takes, and as long pilots.
const SAMPLED: Duration = Duration::from_secs(2);

/// Says what an experiment will ask of its model.
pub(super) fn plan(arguments: &PlanArguments) -> Result<(), Failure> {
    let PlanArguments { input, json: as_json, .. } = arguments;
    let mut campaign = load_input(input.to_read(*as_json))?.campaign;
    choice::keep_cells(&mut campaign, &input.arm, &input.point)?;
    let planned = planned(&campaign);
    let at_once = workers::at_once(input.workers);
    let time = time(&campaign, at_once);
    let piloted = piloted(&campaign, arguments)?;
    if *as_json {
        let text = json!({
            "runs": time.runs,
            "runs_at_most": campaign.runs(),
            "pilots": time.pilots,
            "seconds": (time.of_runs + time.of_pilots).as_secs_f64(),
            "seconds_of_pilots": time.of_pilots.as_secs_f64(),
            "workers": at_once,
            "cells": json(&campaign, &planned),
            "needed": piloted.as_ref().map(|needed| power::json(&campaign, needed)),
        });
        return output::print_exactly(&format!("{text:#}\n"));
    }
    output::print(&format!("{}\n", output::heading(&campaign.experiment)))?;
    output::print(&format!(
        "{} × {} = {}{}, about {} with {} at once\n\n",
        several(campaign.cells.len() as u64, "combination"),
        several(campaign.seeds.len() as u64, "seed"),
        match campaign.experiment.search {
            None => several(time.runs as u64, "run"),
            // It goes on only where it has not found what it looks for.
            Some(_) => format!(
                "at most {}; about {} where the share jumps",
                several(campaign.runs() as u64, "run"),
                count(time.runs as u64),
            ),
        },
        match time.pilots {
            0 => String::new(),
            pilots => format!(" after {} of `warm_up`", several(pilots as u64, "pilot")),
        },
        number((time.of_runs + time.of_pilots).as_secs_f64(), Unit::Seconds),
        at_once,
    ))?;
    let table = table(&campaign, &planned, arguments.full);
    output::print(&table.text(output::width(), output::colour_out()))?;
    output::print("\nBy means, with nobody waiting in a line")?;
    let assumptions = assumptions(&planned);
    output::print(&match assumptions.as_str() {
        "" => ".\n".to_owned(),
        texts => format!("; assumed:\n{texts}"),
    })?;
    if campaign.cells.iter().any(|cell| cell.random.is_some()) {
        output::print("Faults that are drawn for each seed are not in it.\n")?;
    }
    output::print(&match overload(&campaign, &planned) {
        text if !text.is_empty() => format!("\n{text}"),
        _ if assumptions.is_empty() => "No node is above 90% without a fault.\n".to_owned(),
        _ => "No node is above 90% without a fault, if what is assumed is so.\n".to_owned(),
    })?;
    output::print(&too_far_ahead(&campaign, &planned))?;
    if let (Some(needed), Some(pilot)) = (&piloted, arguments.pilot) {
        let table = power::table(&campaign, needed);
        output::print(&format!("\n{}", table.text(output::width(), output::colour_out())))?;
        let sentence = power::sentence(&campaign, needed, pilot as usize);
        output::print(&format!("\n{}\n", wrap(sentence.trim_end(), output::width()).join("\n")))?;
    }
    Ok(())
}

/// What a pilot says of how many seeds it takes, where one is asked for.
fn piloted(campaign: &Campaign, arguments: &PlanArguments) -> Result<Option<Vec<Needed>>, Failure> {
    let Some(pilot) = arguments.pilot else { return Ok(None) };
    if let Some(section) = campaign.experiment.explores() {
        let problem = Problem::new("this experiment decides itself how many seeds it runs");
        let expected = format!("no --pilot, or an experiment without [{section}]");
        return Err(problem.expected(expected).into());
    }
    if !arguments.input.arm.is_empty() || campaign.experiment.arms.len() < 2 {
        let problem = Problem::new("there is one arm, and a verdict is about two");
        return Err(problem.expected("no --pilot, or a second arm").into());
    }
    let mut short = campaign.clone();
    let first = campaign.seeds[0];
    short.set_seeds(&Seeds(first..first.saturating_add(pilot)))?;
    let bar = progress::bar(short.runs(), 0, arguments.json);
    let pool = workers::pool(arguments.input.workers)?;
    let results = workers::run_while(&short, &pool, &bar, Vec::new(), || false);
    bar.finish_and_clear();
    Ok(results.map(|results| needed(&short, &results)))
}

/// How long a campaign takes.
struct CampaignTime {
    /// How many runs it has; of a search about how many.
    runs: usize,
    of_runs: Duration,
    /// How many calm runs say when requests begin to count, or whether what is stated is too soon.
    pilots: usize,
    of_pilots: Duration,
}

/// How long the runs and the pilots of a campaign take, so many at once.
fn time(campaign: &Campaign, at_once: u16) -> CampaignTime {
    let all =
        |each: Duration, count: usize| each.mul_f64(count.div_ceil(usize::from(at_once)) as f64);
    let cells: Vec<usize> = (0..campaign.cells.len()).collect();
    let each = mean_time(&cells, |index| {
        drop(run(&campaign.cells[index], index, campaign.seeds[0]));
    });
    let runs = Searching::new(campaign).map_or(campaign.runs(), |search| search.runs_of_jump());
    let of_runs = all(each, runs);
    let mut piloted = campaign.to_be_piloted();
    let mut pilots = piloted.len() * campaign.pilot_seeds().len();
    let stated = campaign.stated_to_be_piloted();
    pilots += stated.len() * campaign.stated_pilot_seeds().len();
    piloted.extend(stated);
    let seed = campaign.pilot_seeds()[0];
    let each = mean_time(&piloted, |index| drop(pilot(&campaign.cells[index], seed)));
    CampaignTime { runs, of_runs, pilots, of_pilots: all(each, pilots) }
}

/// How long something takes that is done for a cell: the mean over the cells that there is time
/// for, one after the other; nothing without a cell.
#[expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a person asks how long")]
fn mean_time(cells: &[usize], done: impl Fn(usize)) -> Duration {
    let began = std::time::Instant::now();
    let mut times = 0;
    for &index in cells {
        done(index);
        times += 1;
        if began.elapsed() > SAMPLED {
            break;
        }
    }
    began.elapsed().checked_div(times).unwrap_or_default()
}

/// What stands before a run: which nodes are overloaded without any fault, and which are handed
/// messages too far ahead of their turn; empty if none is.
pub(super) fn preflight(campaign: &Campaign, planned: &[Planned]) -> String {
    overload(campaign, planned) + &too_far_ahead(campaign, planned)
}

/// The nodes that are above 90% of their capacity without any fault, and what one calm run of the
/// first seed says of it, also if it shows no overload. Empty if there are none.
fn overload(campaign: &Campaign, planned: &[Planned]) -> String {
    let Some((worst, load)) = busiest(planned) else { return String::new() };
    let (cell, seed) = (&campaign.cells[worst], campaign.seeds[0]);
    let run = calm(cell, worst, seed);
    let arrivals = cell.measure.arrivals_end.since(Time::ZERO);
    warning(campaign, planned) + &calm_text(&run, seed) + &unconfirmed(load, &run, arrivals)
}

/// What is to be said of a node that is called overloaded if the calm run shows nothing of it;
/// empty if it does, or if less was said. A line that grows for the whole time makes the last wait
/// for `(utilisation - 1)` of it; a run in which all is done and nothing took half of that
/// contradicts it.
fn unconfirmed(load: &NodeLoad, run: &RunResult, arrivals: Span) -> String {
    let metrics = &run.metrics;
    let of = |rate: f64| load.capacity_per_s.map_or(0.0, |capacity| rate / capacity);
    let wait = arrivals.scaled((of(load.open_per_s) - 1.0).max(0.0));
    let longest = [metrics.latency.quantile(1.0), metrics.stays.waits().quantile(1.0)];
    let longest = longest.into_iter().flatten().fold(metrics.oldest_message, Span::max);
    let is_done = metrics.ok == metrics.requests
        && [metrics.unprocessed, metrics.dead_letters].iter().all(|left| *left == 0);
    if wait <= longest + longest || !is_done {
        return String::new();
    }
    format!(
        "which does not confirm it: `{}` would make the last wait for {}, and nothing took more than \
         {}; what was assumed of it may not be so (stormglass plan)\n",
        load.node,
        number(wait.seconds(), Unit::Seconds),
        number(longest.seconds(), Unit::Seconds),
    )
}

/// A run of a cell in which nothing goes wrong.
fn calm(cell: &Cell, index: usize, seed: u64) -> RunResult {
    let cell = Cell { plan: Plan::default(), random: None, metastability: None, ..cell.clone() };
    run(&cell, index, seed)
}

fn calm_text(run: &RunResult, seed: u64) -> String {
    let metrics = &run.metrics;
    let oldest = match metrics.oldest_message {
        Span::ZERO => String::new(),
        oldest => format!(", the oldest message {} old", number(oldest.seconds(), Unit::Seconds)),
    };
    format!(
        "without faults under seed {seed}: {} of {} requests answered ok, {} unanswered; {} messages \
         left over{oldest}\n",
        count(metrics.ok),
        count(metrics.requests),
        count(metrics.unanswered),
        count(metrics.unprocessed),
    )
}
