//! `violations.jsonl`: a line for each run and invariant that was broken in it.

use serde_json::json;

use super::command::command_line;
use super::format::FORMAT;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;

/// What was broken, where and when first, and the command that runs the seed again. `experiment` is
/// the path of the experiment and `overrides` are the `--set` arguments, as they were given.
pub fn violations_jsonl(
    campaign: &Campaign,
    results: &[RunResult],
    experiment: &str,
    overrides: &[String],
) -> String {
    let mut text = String::new();
    for run in results {
        let cell = &campaign.cells[run.cell];
        let verdicts = cell.invariants.iter().zip(&run.invariants);
        for (watched, verdict) in verdicts.filter(|(_, verdict)| verdict.violations > 0) {
            let line = json!({
                "format": FORMAT,
                "arm": cell.arm,
                "point": cell.point,
                "seed": run.seed,
                "invariant": watched.name,
                "promise": watched.kind.name,
                "violations": verdict.violations,
                "exposure": verdict.exposure,
                "unjudged": verdict.unjudged,
                "first_at_s": verdict.first.map(|first| first.at.seconds()),
                "first_order": verdict.first.and_then(|first| first.order),
                "command": command_line(experiment, &[run.seed], overrides, &campaign.chosen),
            });
            text.push_str(&line.to_string());
            text.push('\n');
        }
    }
    text
}
