//! The report as JUnit XML, as Jenkins, GitLab and others read it: valid against
//! `junit-10.xsd` of <https://github.com/jenkinsci/xunit-plugin>.

use std::collections::BTreeMap;

use super::Report;
use crate::experiment::judge::check::{Finding, Promise, Standing};
use crate::report::escape::xml as escape;

/// A test case for each promise of each arm and point, and one for each thing that must happen.
/// What nothing could have broken is skipped, not passed.
pub fn junit(report: &Report<'_>) -> String {
    let checked = report.checked;
    let findings: BTreeMap<(usize, Promise), &Finding> =
        checked.findings.iter().map(|found| ((found.cell, found.promise), found)).collect();
    let mut unknown: BTreeMap<usize, usize> = BTreeMap::new();
    for (cell, ..) in &checked.unknown {
        *unknown.entry(*cell).or_default() += 1;
    }
    let mut cases = Vec::new();
    for one in &checked.tested {
        let cell = &report.campaign.cells[one.cell];
        let class = match cell.point.as_str() {
            "" => cell.arm.clone(),
            point => format!("{} {point}", cell.arm),
        };
        let outcome = match (findings.get(&(one.cell, one.promise)), one.standing) {
            (Some(finding), _) => Outcome::Failure(failure(report, finding)),
            (None, Standing::Unjudged) => match unknown.get(&one.cell) {
                Some(unknown) => Outcome::Error(format!("{unknown} runs reached a limit")),
                None => {
                    Outcome::Skipped("unjudged: nothing was due when the runs ended".to_owned())
                }
            },
            (None, Standing::NotExercised) => {
                Outcome::Skipped(format!("not exercised: {}", cell.silence(one.promise)))
            }
            (None, Standing::Kept | Standing::Broken) => Outcome::Passed,
        };
        cases.push(Case { class, name: cell.promise(one.promise).0, outcome });
    }
    let never = report.never();
    for named in &report.campaign.experiment.sometimes {
        let name = named.to_string();
        let outcome = match report.checked.is_stopped {
            true => Outcome::Skipped("the check stopped before its end".to_owned()),
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
    /// Why.
    Skipped(String),
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
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
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
            Outcome::Skipped(why) => {
                format!("{open}><skipped message=\"{}\"/></testcase>\n", escape(why))
            }
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
