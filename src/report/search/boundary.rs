//! What a search has found, in a sentence for each arm and point.

use super::{Report, boundary_text, named};
use crate::experiment::search::found::Found;
use crate::experiment::search::outcome::of_many;
use crate::experiment::search::track::{Boundary, Reached};
use crate::report::number::{self, Unit};

/// From or up to which value it happens in the share of runs that is looked for; of several shares
/// in half of the runs, or else in the first.
pub fn sentences(report: &Report<'_>) -> Vec<String> {
    let levels = &report.searching.rule.levels;
    let place = levels.iter().position(|level| *level == 0.5).unwrap_or(0);
    report.found.iter().map(|found| sentence(report, found, &found.boundaries[place])).collect()
}

fn sentence(report: &Report<'_>, found: &Found, boundary: &Boundary) -> String {
    let runs = match boundary.level {
        0.5 => "half of the runs".to_owned(),
        level => format!("{} of the runs", number::number(level, Unit::Percent)),
    };
    let happens = of_many(&report.search.text.outcome);
    let varied = report.search.text.label.as_ref().unwrap_or(&report.search.text.vary);
    let [from, until] = [report.search.text.from, report.search.text.until];
    let name = named(report, found);
    let range = format!("{varied} from {from} to {until}");
    match (boundary.reached, found.rises()) {
        (Reached::Never, _) => format!("{name}: fewer than {runs} {happens}, at all of {range}."),
        (Reached::Already, _) => format!("{name}: more than {runs} {happens}, at all of {range}."),
        (Reached::Unclear, _) => {
            let seeds = number::several(report.searching.rule.seeds, "seed");
            format!("{name}: where {runs} {happens} is not clear of {seeds} a value, {range}.")
        }
        (Reached::Between, rises) => {
            let (at, on) = (boundary_text(report, found, boundary), if rises { " on" } else { "" });
            let way = if rises { "from" } else { "up to" };
            format!("{name}: {runs} {happens} {way} {at}{on} ({varied}).")
        }
    }
}
