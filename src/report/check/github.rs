//! What GitHub Actions shows: annotations on the lines of a log, and the summary of a step.
//!
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use super::{Report, standing, verdict, word};
use crate::report::escape::{markdown, terminal, workflow_data, workflow_property};

/// One workflow command for each violation, for each run that reached a limit at most one, and for
/// each thing that never happened.
pub fn annotations(report: &Report<'_>) -> String {
    let file = workflow_property(report.path);
    let mut text = String::new();
    for finding in &report.checked.findings {
        let title = format!("{}{}", report.name(finding), report.place(finding.cell));
        let message = format!(
            "{} {}\nagain: {}",
            report.sentence(finding),
            report.count(finding),
            report.again(finding)
        );
        text.push_str(&format!(
            "::error file={file},title={}::{}\n",
            workflow_property(&title),
            workflow_data(&message)
        ));
    }
    let unknown = report.checked.unknown.len();
    if unknown > 0 {
        text.push_str(&format!("::warning file={file}::{unknown} runs reached a limit\n"));
    }
    for all in &report.checked.overall {
        let level = match (all.is_idle(), all.idle.is_empty()) {
            // A check that stopped has not seen all there is.
            _ if report.checked.is_stopped => continue,
            (true, _) => "error",
            (false, false) => "warning",
            (false, true) => continue,
        };
        let message = format!("{}: {}", word(all.standing), standing(report, all));
        text.push_str(&format!("::{level} file={file}::{}\n", workflow_data(&message)));
    }
    if !report.checked.is_stopped {
        for name in report.never() {
            text.push_str(&format!(
                "::error file={file}::{} never happened\n",
                workflow_data(&name)
            ));
        }
    }
    text
}

/// The summary of a step in Markdown.
pub fn step_summary(report: &Report<'_>) -> String {
    let name = &report.campaign.experiment.name;
    let mut text = format!("### stormglass check: {name}\n\n{}\n", markdown(&verdict(report)));
    if !report.checked.overall.is_empty() {
        text.push('\n');
    }
    for all in &report.checked.overall {
        let line = format!("{}: {}", word(all.standing), standing(report, all));
        text.push_str(&format!("- {}\n", markdown(&line)));
    }
    if !report.checked.findings.is_empty() {
        text.push_str("\n| promise | arm | point | seeds | first seed | order |\n");
        text.push_str("| --- | --- | --- | ---: | ---: | ---: |\n");
    }
    for finding in &report.checked.findings {
        let cell = report.cell(finding);
        let order = finding.violation.and_then(|first| first.order);
        let order = order.map(|order| order.to_string()).unwrap_or_default();
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {order} |\n",
            markdown(&report.name(finding)),
            markdown(&cell.arm),
            markdown(&cell.point),
            finding.seeds,
            finding.seed
        ));
    }
    if let Some(first) = report.checked.findings.first() {
        text.push_str(&format!("\n```sh\n{}\n", one_line(&report.again(first))));
        if let Some(smaller) = report.smaller(first) {
            text.push_str(&format!("{}\n", one_line(&smaller)));
        }
        text.push_str("```\n");
    }
    text.push('\n');
    text
}

/// A line of a block of code, which only a line of its own can end.
fn one_line(text: &str) -> String {
    terminal(text).replace('\n', " ")
}
