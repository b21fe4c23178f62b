//! How promises and expectations were kept.

use super::number::{count, several};
use super::unsure::FEW;
use crate::experiment::judge::watch::{Unwatched, unwatched};
use crate::experiment::measure::summary::{CellSummary, InvariantSummary};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;

/// So many arms; where they run at several points, so many combinations of both.
pub fn combinations(count: usize, campaign: &Campaign) -> String {
    match campaign.cells.len() == campaign.experiment.arms.len() {
        true => several(count as u64, "arm"),
        false => format!("{count} combinations of arms and points"),
    }
}

/// Why a promise has no rate where nothing that could have broken it was judged.
pub fn absent(invariant: &InvariantSummary) -> &'static str {
    if invariant.unjudged > 0 { "not judged" } else { "not exercised" }
}

/// A line for each invariant: where it was never broken, and where nothing could have broken it.
pub fn broken_text(campaign: &Campaign, summaries: &[CellSummary]) -> String {
    let names = summaries.first().map_or(&[][..], |summary| &summary.invariants);
    let mut lines = String::new();
    for (index, first) in names.iter().enumerate() {
        let of = || summaries.iter().map(|summary| &summary.invariants[index]);
        let idle = of().filter(|it| it.exposure == 0 && it.unjudged == 0).count();
        let unjudged = of().filter(|it| it.exposure == 0 && it.unjudged > 0).count();
        let kept = of().filter(|it| it.exposure > 0 && it.violations == 0).count();
        let all = combinations(campaign.cells.len(), campaign);
        let mut line = match idle == summaries.len() {
            true => "not exercised".to_owned(),
            false => format!("none in {kept} of {all}"),
        };
        for (count, what) in [(idle, "not exercised"), (unjudged, "not judged")] {
            if count > 0 && line != what {
                line.push_str(&format!(", {what} in {count}"));
            }
        }
        lines.push_str(&format!("{}: {line}\n", first.label));
    }
    lines
}

/// Whether so much of a promise is not judged that what was judged may say less of it.
pub fn is_open(invariant: &InvariantSummary) -> bool {
    let cases = invariant.exposure + invariant.unjudged;
    invariant.exposure > 0 && invariant.unjudged as f64 > FEW * cases as f64
}

/// A warning for each promise of which much was not judged in some arm, with the arm in which that
/// is most; empty if there is none.
pub fn unjudged_text(campaign: &Campaign, summaries: &[CellSummary]) -> String {
    let count_of = summaries.first().map_or(0, |summary| summary.invariants.len());
    let warning = |index: usize| {
        let of = |cell: &usize| &summaries[*cell].invariants[index];
        let open: Vec<usize> = (0..summaries.len()).filter(|cell| is_open(of(cell))).collect();
        let cell =
            *open.iter().max_by_key(|cell| (of(cell).unjudged, std::cmp::Reverse(**cell)))?;
        let (most, described) = (of(&cell), &campaign.cells[cell]);
        let (left, cases) = (count(most.unjudged), count(most.exposure + most.unjudged));
        let point = &described.point;
        let at = if point.is_empty() { String::new() } else { format!(" at {point}") };
        let more = match open.len() - 1 {
            0 => String::new(),
            more => format!(", and so it is in {more} more"),
        };
        Some(format!(
            "warning: {left} of {cases} cases of `{}` in arm {}{at} were not judged{more}:\n         \
             they were open when their run ended, and a longer `drain` judges more\n",
            most.name, described.arm
        ))
    };
    (0..count_of).filter_map(warning).collect()
}

/// A warning for each promise that an arm could have broken far less often than another, of about
/// as many requests; empty if there is none.
pub fn unwatched_text(campaign: &Campaign, summaries: &[CellSummary]) -> String {
    let line = |it: Unwatched| {
        let [own, other] = [it.cell, it.other].map(|cell| {
            let summary = &summaries[cell];
            let exposure = summary.invariants[it.invariant].exposure;
            let name = &campaign.cells[cell].arm;
            format!("{name} {} times in {} requests", count(exposure), count(summary.requests))
        });
        let name = &summaries[it.cell].invariants[it.invariant].name;
        let point = &campaign.cells[it.cell].point;
        let at = if point.is_empty() { String::new() } else { format!(" at {point}") };
        format!(
            "warning: `{name}`{at} could have been broken in arm\n         \
             {own}, but in arm\n         {other}: is it still watched?\n"
        )
    };
    unwatched(campaign, summaries).into_iter().map(line).collect()
}

/// A line for each expectation, with the arms that meet it in every run that says something of it
/// and those in which none does, and one for each thing that must happen and never did.
pub fn kept_text(campaign: &Campaign, results: &[RunResult], summaries: &[CellSummary]) -> String {
    let mut texts: Vec<&str> = Vec::new();
    for expectation in summaries.iter().flat_map(|summary| &summary.expectations) {
        if !texts.contains(&expectation.text.as_str()) {
            texts.push(&expectation.text);
        }
    }
    let mut lines = String::new();
    for text in texts {
        let of = || summaries.iter().flat_map(|s| &s.expectations).filter(|e| e.text == text);
        let met = of().filter(|it| it.met > 0 && it.unmet == 0).count();
        let silent = match of().filter(|it| it.met + it.unmet == 0).count() {
            0 => String::new(),
            silent => format!(", says nothing in {silent}"),
        };
        let of = combinations(of().count(), campaign);
        lines.push_str(&format!("{text}: met by {met} of {of}{silent}\n"));
    }
    for named in &campaign.experiment.sometimes {
        let happened = results.iter().any(|run| named.happened(&campaign.cells[run.cell], run));
        if !happened {
            lines.push_str(&format!("{named}: never happened\n"));
        }
    }
    lines
}
