//! What GitHub Actions shows: annotations on the lines of a log, and the summary of a step.
//!
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use super::{Report, verdict};

/// One workflow command for each violation, for each run that reached a limit at most one, and for
/// each thing that never happened.
#[must_use]
pub fn annotations(report: &Report<'_>) -> String {
    let file = property(report.path);
    let mut text = String::new();
    for finding in &report.checked.findings {
        let title = format!("{}{}", report.name(finding), report.place(finding));
        let message = format!(
            "{} {}\nagain: {}",
            report.sentence(finding),
            report.count(finding),
            report.again(finding)
        );
        text.push_str(&format!(
            "::error file={file},title={}::{}\n",
            property(&title),
            data(&message)
        ));
    }
    let unknown = report.checked.unknown.len();
    if unknown > 0 {
        text.push_str(&format!("::warning file={file}::{unknown} runs reached a limit\n"));
    }
    if !report.checked.is_stopped {
        for name in report.never() {
            text.push_str(&format!("::error file={file}::{} never happened\n", data(&name)));
        }
    }
    text
}

/// The summary of a step in Markdown.
#[must_use]
pub fn step_summary(report: &Report<'_>) -> String {
    let name = &report.campaign.experiment.name;
    let mut text = format!("### stormglass check: {name}\n\n{}\n", verdict(report));
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
            plain(&report.name(finding)),
            plain(&cell.arm),
            plain(&cell.point),
            finding.seeds,
            finding.seed
        ));
    }
    if let Some(first) = report.checked.findings.first() {
        text.push_str(&format!("\n```sh\n{}\n", report.again(first)));
        if let Some(smaller) = report.smaller(first) {
            text.push_str(&format!("{smaller}\n"));
        }
        text.push_str("```\n");
    }
    text.push('\n');
    text
}

/// A cell of a table in Markdown.
fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The data of a workflow command: one line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
