//! What the tables of arms cannot say, and why.

use super::number::{self, several};
use crate::experiment::campaign::Campaign;
use crate::experiment::metrics::MetricId;
use crate::experiment::percentile::lacks;
use crate::experiment::run::RunResult;
use crate::experiment::summary::CellSummary;

/// What is said below the tables of arms: of requests that were never answered, and of percentiles
/// that cannot be estimated; empty where there is neither.
#[must_use]
pub fn notes(campaign: &Campaign, results: &[RunResult], summaries: &[CellSummary]) -> String {
    unfinished(campaign, results) + &percentiles(campaign, results, summaries)
}

/// Below this share of unfinished requests nothing is said.
const FEW: f64 = 1e-3;

fn unfinished(campaign: &Campaign, results: &[RunResult]) -> String {
    let seeds = campaign.seeds.len();
    let mut text = String::new();
    for (index, cell) in campaign.cells.iter().enumerate() {
        let runs = &results[index * seeds..(index + 1) * seeds];
        let measured: u64 = runs.iter().map(|run| run.metrics.measured).sum();
        let unfinished: u64 = runs.iter().map(|run| run.metrics.unfinished).sum();
        if unfinished as f64 > FEW * measured as f64 {
            let name = [cell.arm_label.as_str(), &cell.point_label].join(" ");
            text.push_str(&format!(
                "warning: {} of {} requests of {} had no answer when their run ended:\n         \
                 success and latencies are those of the others\n",
                number::count(unfinished),
                number::count(measured),
                name.trim_end(),
            ));
        }
    }
    text
}

fn percentiles(campaign: &Campaign, results: &[RunResult], summaries: &[CellSummary]) -> String {
    let seeds = campaign.seeds.len();
    let mut text = String::new();
    for id in [MetricId::LatencyP50Ms, MetricId::LatencyP99Ms, MetricId::LatencyP999Ms] {
        let of_cell = |cell: usize| {
            let runs = &results[cell * seeds..(cell + 1) * seeds];
            let estimate = summaries[cell].metrics[id.place()].as_ref();
            lacks(&campaign.cells[cell], id.place(), estimate, runs)
        };
        let lacking: Vec<u64> = (0..campaign.cells.len()).filter_map(of_cell).collect();
        if let Some(needed) = lacking.first() {
            let name = &campaign.metrics()[id.place()].name;
            text.push_str(&format!(
                "{name} cannot be estimated in {}: all runs together have fewer\n  than {} \
                 requests that tell of it independently of each other\n",
                several(lacking.len() as u64, "arm"),
                number::count(*needed),
            ));
        }
    }
    text
}
