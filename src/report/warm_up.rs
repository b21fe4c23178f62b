//! What is said of the warm-up that pilots have found.

use serde_json::{Value, json};

use super::number::{Unit, number};
use crate::experiment::measure::warm_up::TooSoon;
use crate::experiment::measure::warm_up::found::CellName;
use crate::experiment::plan::campaign::Campaign;

/// How long it is, and why; empty if none was looked for.
pub fn text(campaign: &Campaign) -> String {
    let Some(found) = &campaign.warm_up else { return String::new() };
    let seeds = seeds(&found.seeds);
    match &found.cell {
        Some(cell) => format!(
            "warm-up {}: so long {} was filling in calm runs of {seeds} (MSER-5)\n",
            number(found.span.seconds(), Unit::Seconds),
            name_of(cell)
        ),
        None if found.piloted == 0 => {
            "no warm-up: users never come steadily, or faults act from the start\n".to_owned()
        }
        None if !found.limited.is_empty() => {
            "no warm-up: a limit ended the runs that were to show it\n".to_owned()
        }
        None => format!("no warm-up: nothing was filling in calm runs of {seeds} (MSER-5)\n"),
    }
}

/// The most cells that a warning names.
const NAMED_MAX: usize = 3;

/// The warning that a system was still filling when its requests begin to count, or that nobody
/// knows; empty without.
pub fn warning(campaign: &Campaign) -> String {
    let Some(found) = &campaign.warm_up else { return String::new() };
    let seeds = seeds(&found.seeds);
    let limited = |names: String| {
        format!(
            "warning: how long {names} fills is not known: a limit ended a calm run of\n         \
         {seeds} before anything could go wrong; raise it under [limits], or give less\n         \
         load, shorter `arrivals` or a `warm_up` of your own\n"
        )
    };
    let unsettled = |names: String| {
        format!(
            "warning: a warm-up of {} may be too short: {} had not settled\n         \
             in calm runs of {seeds}, and averages depend on how a run starts; give it\n         \
             longer `arrivals`, later faults or less load, or a `warm_up` of your own\n",
            number(found.span.seconds(), Unit::Seconds),
            names,
        )
    };
    let warnings = [named(&found.limited).map(limited), named(&found.unsettled).map(unsettled)];
    warnings.into_iter().flatten().collect()
}

/// The first of these cells and how many more there are; `None` without any.
fn named(cells: &[CellName]) -> Option<String> {
    let names = cells.iter().take(NAMED_MAX).map(name_of);
    let names = names.collect::<Vec<String>>().join(", ");
    match cells.len() {
        0 => None,
        all if all > NAMED_MAX => Some(format!("{names} and {} more", all - NAMED_MAX)),
        _ => Some(names),
    }
}

/// The warning that stated warm-ups are too short, as calm runs have shown; empty if none is.
pub fn too_soon(campaign: &Campaign, found: &[TooSoon]) -> String {
    let Some((first, others)) = found.split_first() else { return String::new() };
    let name = |soon: &TooSoon| CellName::of(&campaign.cells[soon.cell]);
    let others: Vec<CellName> = others.iter().map(name).collect();
    let others =
        named(&others).map_or(String::new(), |names| format!("         that of {names} is, too\n"));
    format!(
        "warning: a warm-up of {} is likely to be too short: in calm runs of {}\n         \
         {} had on average {} requests, attempts and messages under way from then on,\n         \
         and {} from {} on; `warm_up = \"auto\"` looks for the time\n{others}",
        first.stated,
        seeds(&campaign.stated_pilot_seeds()),
        name_of(&name(first)),
        number(first.present, Unit::Plain),
        number(first.present_then, Unit::Plain),
        number(first.settled.seconds(), Unit::Seconds),
    )
}

/// What was found for `manifest.json`; null if none was looked for.
pub fn json(campaign: &Campaign) -> Value {
    let Some(found) = &campaign.warm_up else { return Value::Null };
    let name = |cell: &CellName| json!({ "arm": cell.arm, "point": cell.point });
    let names = |cells: &[CellName]| cells.iter().map(name).collect::<Vec<_>>();
    json!({
        "seconds": found.span.seconds(),
        "seeds": found.seeds.iter().map(u64::to_string).collect::<Vec<_>>(),
        "longest": found.cell.as_ref().map(name),
        "unsettled": names(&found.unsettled),
        "limited": names(&found.limited),
    })
}

/// The seeds of pilots as they are told in a sentence.
fn seeds(seeds: &[u64]) -> String {
    match seeds {
        [first, .., last] => format!("seeds {first} to {last}"),
        one => format!("seed {}", one.iter().map(u64::to_string).collect::<String>()),
    }
}

/// A cell as it is told apart in a sentence.
fn name_of(cell: &CellName) -> String {
    match cell.point.is_empty() {
        true => format!("`{}`", cell.arm),
        false => format!("`{}` at `{}`", cell.arm, cell.point),
    }
}
