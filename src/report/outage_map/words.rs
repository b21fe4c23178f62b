//! Harms in words.

use super::Report;
use crate::experiment::judge::blast_radius::Parts;
use crate::experiment::outage_map::Knob;
use crate::experiment::outage_map::harm::{Back, Harm};
use crate::fault::FaultText;
use crate::kernel::time::Span;
use crate::model::quantity::Share;
use crate::report::number::{Unit, number, several};

/// What the signs of the map mean.
pub(super) const LEGEND: &str = "\
Each field: the share of requests, asked while it lasts, that fare worse than under the same seed \
without it. !2: two promises are broken more often. late: work in queues is late. –: no meaning. \
empty: no harm. ///: no effect, or no path leads there.";

/// A list of names: "a", "a and b", "a, b and c".
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A harm in a field of the map: as short as it gets.
pub(super) fn short(harm: &Harm) -> String {
    let mut words = Vec::new();
    if harm.is_noticed {
        words.push(share(harm));
    }
    match harm.promises_broken() {
        0 => {}
        broken => words.push(format!("!{broken}")),
    }
    if words.is_empty() && harm.late > Span::ZERO {
        words.push(format!("late {}", seconds(harm.late)));
    }
    if words.is_empty() && harm.undone > 0 {
        words.push(format!("{} undone", harm.undone));
    }
    if words.is_empty() {
        words.push("orders".to_owned());
    }
    words.join(" ")
}

/// The share of requests that fare worse while it lasts; of the whole run, where it is later that
/// they do.
pub(super) fn share(harm: &Harm) -> String {
    match harm.is_noticed_at_once {
        true => number(harm.share(), Unit::Percent),
        false => format!("{} later", of_the_run(harm)),
    }
}

fn of_the_run(harm: &Harm) -> String {
    number(harm.requests.share().unwrap_or(0.0), Unit::Percent)
}

pub(super) fn seconds(span: Span) -> String {
    number(span.seconds(), Unit::Seconds)
}

/// A harm in full.
pub(super) fn harm(report: &Report<'_>, harm: &Harm) -> String {
    let cell = report.map.cell;
    let mut words = Vec::new();
    for (operation, parts) in &harm.operations {
        if harm.is_noticed_at_once && parts.worse() > 0 {
            let name = &cell.program.operation(*operation).name;
            words.push(ways(parts, name));
        }
    }
    if words.is_empty() && harm.is_noticed {
        words.push(ways(&harm.requests, "all requests of the run"));
    }
    for (watched, more) in cell.invariants.iter().zip(&harm.promises) {
        if *more > 0 {
            let each = number(*more as f64 / harm.runs as f64, Unit::Plain);
            words.push(format!("{} {each} a run", watched.label));
        }
    }
    for (milestone, part) in cell.milestones.iter().zip(&harm.milestones) {
        if part.worse > 0 {
            let share = number(part.share().unwrap_or(0.0), Unit::Percent);
            words.push(format!("{share} of orders miss {} or come to it late", milestone.label));
        }
    }
    if harm.late > Span::ZERO {
        words.push(format!("work late by {}", seconds(harm.late)));
    }
    if harm.undone > 0 {
        let each = number(harm.undone as f64 / harm.runs as f64, Unit::Plain);
        words.push(format!("{each} messages undone a run"));
    }
    if harm.is_noticed {
        words.push(back(harm.back));
    }
    words.join("; ")
}

/// In which ways requests fared worse, each with its share; what is a twentieth of them or less is
/// left out.
fn ways(parts: &Parts, name: &str) -> String {
    let Parts { failed, older, slower, .. } = *parts;
    let ways = [(failed, "fail"), (older, "show what is old"), (slower, "are slower")];
    let told = ways.into_iter().filter(|(count, _)| 20 * count > parts.worse());
    let mut told = told
        .map(|(count, way)| (number(count as f64 / parts.of.max(1) as f64, Unit::Percent), way));
    let first = told.next().map(|(share, way)| format!("{share} of {name} {way}"));
    let rest = told.map(|(share, way)| format!("{share} {way}"));
    first.into_iter().chain(rest).collect::<Vec<_>>().join(", ")
}

/// When it was over.
pub(super) fn back(back: Back) -> String {
    match back {
        Back::AtOnce => "back at once".to_owned(),
        Back::After(span) => format!("back after {}", seconds(span)),
        Back::NotInTime => "not back in the run".to_owned(),
    }
}

/// How strong a fault is.
pub(super) fn strength(fault: &FaultText, knob: Knob) -> String {
    match knob {
        Knob::Factor => number(fault.factor.unwrap_or(1.0), Unit::Times),
        Knob::Added => seconds(fault.added.unwrap_or_default()),
        Knob::Share => {
            let Share(share) = fault.share.unwrap_or_default();
            number(share, Unit::Percent)
        }
        Knob::Lasts => format!("for {}", seconds(fault.lasts)),
        Knob::Since => format!("back to {} ago", seconds(fault.since.unwrap_or_default())),
    }
}

/// Where the harm of a field begins; empty where that was not looked for.
pub(super) fn threshold(report: &Report<'_>, place: usize) -> String {
    let Some(found) = &report.thresholds[place] else { return String::new() };
    let Some((_, knob)) = report.map.fields[place].fault else { return String::new() };
    let harms = strength(&found.harms, knob);
    match &found.harmless {
        Some(weaker) => format!("{harms}, not {}", strength(weaker, knob)),
        None => format!("{harms} or less"),
    }
}

/// How the map was made.
pub(super) fn conditions(report: &Report<'_>) -> String {
    let map = report.map;
    let (at, lasts) = map.acts;
    let seeds: Vec<String> = report.calm.iter().map(|it| it.run.seed.to_string()).collect();
    let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
    let seeds = format!("{} {}", if seeds.len() == 1 { "seed" } else { "seeds" }, listed(&seeds));
    let promises = match (map.cell.promises().as_slice(), report.are_undeclared) {
        ([], _) => "No promise is declared, so none is watched.".to_owned(),
        (names, true) => format!(
            "No promise is declared; watched is what needs no declaration: {}.",
            listed(names)
        ),
        (names, false) => format!("Promises: {}.", listed(names)),
    };
    let looked = match report.thresholds.iter().any(Option::is_some) {
        true => {
            "Where harm begins is coarse: one seed, the strength halved up to six times, found \
                 in three runs, as if a stronger failure never did less harm."
        }
        false => "Where harm begins was not looked for.",
    };
    format!(
        "Each failure begins at {at} and lasts {lasts}, of {} in which users arrive; {seeds}, {}. \
         {promises} {looked}",
        map.cell.measure.arrivals_end.since(crate::kernel::time::Time::ZERO),
        several(((map.to_run().len() + 1) * report.calm.len()) as u64, "run"),
    )
}
