//! `stormglass minimize`: the smallest run that breaks the same promise, as a file.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "whoever waits says for how long"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::load::{Input, load_input};
use super::{DONE, Failure, UNKNOWN, choice, output, write};
use crate::experiment::shrink::minimize::{Minimal, Spent, Unfit, minimize as search};
use crate::experiment::shrink::reproduction::{Origin, reproduction};
use crate::invariant::Watched;
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::parse_duration;
use crate::report::command::quoted;
use crate::report::story::described;
use crate::system::trace::TRACE;

/// What `minimize` is told.
#[derive(Debug, clap::Args)]
pub(super) struct MinimizeArguments {
    /// The experiment, such as experiments/payment-brownout.toml.
    experiment: PathBuf,
    /// The seed under which a promise is broken.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: u64,
    /// The arm in which it is.
    #[arg(long, value_name = "NAME")]
    arm: Option<String>,
    /// The point at which it is, such as "load=high handling=sync".
    #[arg(long, value_name = "POINT")]
    point: Option<String>,
    /// The name of the promise; without it, the one that is broken first.
    #[arg(long, value_name = "NAME")]
    invariant: Option<String>,
    /// Write the reproduction to this file instead of out/EXPERIMENT-INVARIANT-SEED.toml.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Stop the search after this time, with what it has reached. Without a limit that is reached,
    /// the result is always the same.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_time)]
    time: Duration,
    /// Stop the search after so many runs too, which does not depend on the machine.
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// Set any value of the model or the experiment, such as policy.checkout.timeout=1s. Wins over
    /// what arms set. Can be given more than once.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Let paths in the experiment and its model lead into this folder too. Can be given more than
    /// once.
    #[arg(long, value_name = "DIR")]
    allow_outside: Vec<PathBuf>,
}

/// Makes a violation small and writes it to a file.
pub(super) fn minimize(arguments: &MinimizeArguments) -> Result<u8, Failure> {
    let MinimizeArguments { experiment, set, seed, allow_outside: allowed, .. } = arguments;
    let invariant = arguments.invariant.as_deref();
    let mut loaded = load_input(Input { experiment, seeds: None, set, allowed, quiet: false })?;
    let watched = &loaded.campaign.cells[0].invariants;
    if let Some(name) = invariant.filter(|name| watched.place(name).is_none()) {
        return Err(Problem::unknown("promise", name, &watched.names()).into());
    }
    let (arm, point) = (arguments.arm.as_ref(), arguments.point.as_ref());
    choice::only_cell(&mut loaded.campaign, arm, point)?;
    let cell = &loaded.campaign.cells[0];
    let started = Instant::now();
    let most = arguments.runs.unwrap_or(u64::MAX);
    let mut may_go_on = |spent: Spent| spent.runs < most && started.elapsed() < arguments.time;
    let minimal = match search(cell, *seed, invariant, &mut may_go_on) {
        Ok(minimal) => minimal,
        Err(Unfit::Kept) => {
            let promise = invariant.map_or("any promise".to_owned(), |name| format!("`{name}`"));
            return Err(Problem::new(format!("seed {seed} does not break {promise}"))
                .expected("a seed that `stormglass check` names")
                .into());
        }
        Err(Unfit::Unsteady) => {
            let text = "error: the same case gave two results, which must not be: please report it";
            return Err(Failure::Machine(text.to_owned()));
        }
    };
    let origin =
        Origin { trace: TRACE, arm: &cell.arm, point: &cell.point, set, files: &loaded.files };
    let written = reproduction(&minimal, &origin)
        .ok_or_else(|| Failure::Machine("error: the experiment has no text".to_owned()))?;
    let file = arguments.out.clone().unwrap_or_else(|| {
        let name = &loaded.campaign.experiment.name;
        PathBuf::from(format!("out/{name}-{}-{seed}.toml", minimal.target.invariant))
    });
    write::write_file(&file, written.text().as_bytes())?;
    let whole = std::path::absolute(&file).unwrap_or(file);
    let promise = cell.invariants.get(minimal.target.place).map(Watched::sentence);
    let promise = promise.unwrap_or_default();
    output::print(&summary(&minimal, &promise, &whole.display().to_string()))?;
    Ok(if minimal.is_cut_off { UNKNOWN } else { DONE })
}

/// What is left, and where it is.
fn summary(minimal: &Minimal, promise: &str, file: &str) -> String {
    let Minimal { case, names, violation, before, runs, .. } = minimal;
    let invariant = &minimal.target.invariant;
    let order = violation.order.map(|order| format!(" for order {order}")).unwrap_or_default();
    let mut text = format!(
        "{invariant}: {promise}\nbroken{order} at {:.6} s, under seed {}\n\n",
        violation.at.seconds(),
        case.seed
    );
    text.push_str(&format!("faults: {} of {}\n", case.faults.len(), before.0));
    for (name, fault) in names.iter().zip(&case.faults) {
        let (at, lasts) = (fault.at.seconds(), fault.lasts.seconds());
        text.push_str(&format!(
            "  {name}: {}\n    from {at:.3} s for {lasts:.3} s\n",
            described(fault)
        ));
    }
    let kept = case.orders.as_ref().map_or(before.1, Vec::len);
    text.push_str(&format!(
        "orders: {kept} of {}\nevents: {}, until {:.6} s\n\n",
        before.1,
        minimal.result.events,
        case.horizon.seconds()
    ));
    text.push_str(&match minimal.is_cut_off {
        true => {
            format!("cut off after {runs} runs: perhaps more can be left out (--time, --runs)\n")
        }
        false => format!("no fault can be left out; {runs} runs, replayed 3 times\n"),
    });
    let quoted = quoted(file);
    text.push_str(&format!(
        "wrote {file}\n  stormglass replay {quoted}\n  stormglass explain {quoted}\n"
    ));
    text
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text).filter(|span| *span > Span::ZERO);
    let time = time.map(|span| Duration::from_nanos(span.0));
    time.ok_or_else(|| "expected a time of more than 0, such as 60s or 5min".to_owned())
}
