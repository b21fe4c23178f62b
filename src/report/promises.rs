//! What people call the invariants, and how expectations were met.

use super::number::several;
use crate::experiment::campaign::Campaign;
use crate::experiment::run::RunResult;
use crate::experiment::summary::CellSummary;
use crate::invariant::CATALOGUE;

/// The short name of what is counted when an invariant breaks.
#[must_use]
pub fn label(invariant: &str) -> &str {
    CATALOGUE.iter().find(|entry| entry.name == invariant).map_or(invariant, |entry| entry.label)
}

/// So many arms; where they run at several points, so many combinations of both.
#[must_use]
pub fn combinations(count: usize, campaign: &Campaign) -> String {
    match campaign.cells.len() == campaign.experiment.arms.len() {
        true => several(count as u64, "arm"),
        false => format!("{count} combinations of arms and points"),
    }
}

/// A line for each expectation, with the arms that meet it under every seed, and one for each thing
/// that must happen and never did.
#[must_use]
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
        let met = of().filter(|expectation| expectation.unmet == 0).count();
        let of = combinations(of().count(), campaign);
        lines.push_str(&format!("{text}: met by {met} of {of}\n"));
    }
    for named in &campaign.experiment.sometimes {
        let happened = results.iter().any(|run| named.happened(&campaign.cells[run.cell], run));
        if !happened {
            lines.push_str(&format!("{named}: never happened\n"));
        }
    }
    lines
}
