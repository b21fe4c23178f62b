//! The report as JUnit XML, as Jenkins, GitLab and others read it (the Apache Ant schema).

use super::Report;
use crate::experiment::check::{Finding, Promise};
use crate::invariant::CATALOGUE;
use crate::report::chart::escape;

/// A test case for each promise of each arm and point, and one for each thing that must happen.
#[must_use]
pub fn junit(report: &Report<'_>) -> String {
    let mut cases = Vec::new();
    for (index, cell) in report.campaign.cells.iter().enumerate() {
        let class = match cell.point.as_str() {
            "" => cell.arm.clone(),
            point => format!("{} {point}", cell.arm),
        };
        let unknown = report.checked.unknown.iter().filter(|(of, _, _)| *of == index).count();
        let mut promises: Vec<(Promise, String)> = Vec::new();
        for (place, entry) in CATALOGUE.iter().enumerate() {
            if cell.invariants.is_declared(entry.name) {
                promises.push((Promise::Invariant(place), entry.name.to_owned()));
            }
        }
        for (place, expectation) in cell.expect.iter().enumerate() {
            promises.push((Promise::Expectation(place), expectation.to_string()));
        }
        for (promise, name) in promises {
            let is_it = |finding: &&Finding| (finding.cell, finding.promise) == (index, promise);
            let finding = report.checked.findings.iter().find(is_it);
            let outcome = match finding {
                Some(finding) => Outcome::Failure(failure(report, finding)),
                None if unknown > 0 => Outcome::Error(format!("{unknown} runs reached a limit")),
                None => Outcome::Passed,
            };
            cases.push(Case { class: class.clone(), name, outcome });
        }
    }
    let never = report.never();
    for named in &report.campaign.experiment.sometimes {
        let name = named.to_string();
        let outcome = match report.checked.is_stopped {
            true => Outcome::Skipped,
            false if never.contains(&name) => Outcome::Failure((
                "never".to_owned(),
                "it never happened".to_owned(),
                String::new(),
            )),
            false => Outcome::Passed,
        };
        cases.push(Case { class: "sometimes".to_owned(), name, outcome });
    }
    document(&report.campaign.experiment.name, &cases)
}

struct Case {
    class: String,
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Skipped,
    /// Type, message and text.
    Failure((String, String, String)),
    Error(String),
}

fn failure(report: &Report<'_>, finding: &Finding) -> (String, String, String) {
    let message = format!("{}, seed {}", report.count(finding), finding.seed);
    let mut text = format!("{}\nagain: {}\n", report.sentence(finding), report.again(finding));
    if let Some(smaller) = report.smaller(finding) {
        text.push_str(&format!("smaller: {smaller}\n"));
    }
    ("violation".to_owned(), message, text)
}

fn document(suite: &str, cases: &[Case]) -> String {
    let count = |is: fn(&Outcome) -> bool| cases.iter().filter(|case| is(&case.outcome)).count();
    let failures = count(|outcome| matches!(outcome, Outcome::Failure(_)));
    let errors = count(|outcome| matches!(outcome, Outcome::Error(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped));
    let counts = format!(r#"tests="{}" failures="{failures}" errors="{errors}""#, cases.len());
    let suite = escape(suite);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  \
         <testsuite name=\"{suite}\" {counts} skipped=\"{skipped}\">\n"
    );
    for case in cases {
        let (class, name) = (escape(&case.class), escape(&case.name));
        let open = format!("    <testcase classname=\"{suite}.{class}\" name=\"{name}\"");
        text.push_str(&match &case.outcome {
            Outcome::Passed => format!("{open}/>\n"),
            Outcome::Skipped => format!("{open}><skipped/></testcase>\n"),
            Outcome::Error(message) => {
                format!("{open}><error message=\"{}\"/></testcase>\n", escape(message))
            }
            Outcome::Failure((kind, message, details)) => format!(
                "{open}>\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
                escape(kind),
                escape(message),
                lines(details)
            ),
        });
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// Text of several lines.
fn lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}
