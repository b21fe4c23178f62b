//! What `check` says: text, JUnit XML, JSON, and what GitHub Actions shows. Pure functions.

mod github;
mod json;
mod junit;

use crate::experiment::campaign::{Campaign, Cell};
use crate::experiment::check::{CheckVerdict, Checked, Finding, Promise};
use crate::invariant::{CATALOGUE, InvariantTexts};
use crate::report::number::several;
use crate::report::story::{Step, what_matters, wrapped};

pub use github::{annotations, step_summary};
pub use json::json;
pub use junit::junit;

/// What is reported.
#[derive(Debug)]
pub struct Report<'a> {
    /// The experiment's path as it was given.
    pub path: &'a str,
    /// What the command line set.
    pub set: &'a [String],
    /// What was checked.
    pub campaign: &'a Campaign,
    /// What it came to.
    pub checked: &'a Checked,
    /// For each finding, the story of its order.
    pub stories: &'a [Vec<Step>],
}

/// The most lines of a story in a paragraph.
const STORY_LINES: usize = 12;
/// The most runs that are listed because they reached a limit.
const UNKNOWN_MAX: usize = 5;

/// What an invariant promises, in one sentence.
#[must_use]
pub fn promise_of(invariant: &str) -> String {
    let schema = schemars::schema_for!(InvariantTexts);
    let text = schema.pointer(&format!("/properties/{invariant}/description"));
    text.and_then(|text| text.as_str()).unwrap_or(invariant).replace('\n', " ")
}

impl Report<'_> {
    fn cell(&self, finding: &Finding) -> &Cell {
        &self.campaign.cells[finding.cell]
    }

    /// The name of the broken promise.
    fn name(&self, finding: &Finding) -> String {
        match finding.promise {
            Promise::Invariant(place) => CATALOGUE[place].name.to_owned(),
            Promise::Expectation(place) => self.expectation(finding, place),
        }
    }

    fn expectation(&self, finding: &Finding, place: usize) -> String {
        self.cell(finding).expect.get(place).map(ToString::to_string).unwrap_or_default()
    }

    /// What was promised, and how it was broken, in one or two sentences.
    fn sentence(&self, finding: &Finding) -> String {
        match (finding.promise, finding.violation) {
            (Promise::Invariant(place), Some(first)) => {
                let order = first.order.map(|order| format!(" for order {order}"));
                let promise = promise_of(CATALOGUE[place].name);
                let order = order.unwrap_or_default();
                format!("{promise} It is broken{order} at {:.6} s.", first.at.seconds())
            }
            (Promise::Invariant(place), None) => promise_of(CATALOGUE[place].name),
            (Promise::Expectation(place), _) => {
                let meaning = self.cell(finding).expect.get(place).map(|one| one.meaning.as_str());
                let value = finding
                    .value
                    .map_or("it never does".to_owned(), |value| format!("it is {}", short(value)));
                format!("{}: {value}.", capital(meaning.unwrap_or_default()))
            }
        }
    }

    /// Where: arm and point, where there are several.
    fn place(&self, finding: &Finding) -> String {
        let cell = self.cell(finding);
        let arms = self.campaign.experiment.arms.len();
        let mut place = String::new();
        if arms > 1 {
            place.push_str(&format!(" in arm {}", cell.arm));
        }
        if !cell.point.is_empty() {
            place.push_str(&format!(" at {}", cell.point));
        }
        place
    }

    /// The arguments that choose the cell of a finding.
    fn choice(&self, finding: &Finding) -> String {
        let cell = self.cell(finding);
        let mut choice = String::new();
        if self.campaign.experiment.arms.len() > 1 {
            choice.push_str(&format!(" --arm {}", quoted(&cell.arm)));
        }
        if !cell.point.is_empty() {
            choice.push_str(&format!(" --point {}", quoted(&cell.point)));
        }
        for set in self.set {
            choice.push_str(&format!(" --set {}", quoted(set)));
        }
        choice
    }

    /// The line that shows a finding again.
    fn again(&self, finding: &Finding) -> String {
        let (seed, choice) = (finding.seed, self.choice(finding));
        let end = seed.saturating_add(1);
        format!("stormglass check {} --seeds {seed}..{end}{choice}", quoted(self.path))
    }

    /// The line that makes a finding small; only an invariant has one.
    fn smaller(&self, finding: &Finding) -> Option<String> {
        let Promise::Invariant(place) = finding.promise else { return None };
        let (name, choice) = (CATALOGUE[place].name, self.choice(finding));
        let (path, seed) = (quoted(self.path), finding.seed);
        Some(format!("stormglass minimize {path} --seed {seed} --invariant {name}{choice}"))
    }

    /// How many seeds broke it.
    fn count(&self, finding: &Finding) -> String {
        format!("{} of {}", finding.seeds, several(self.checked.seeds, "seed"))
    }

    /// The names of what must happen and never did.
    fn never(&self) -> Vec<String> {
        let named = self.campaign.experiment.sometimes.iter().zip(&self.checked.happened);
        named.filter(|(_, happened)| !**happened).map(|(named, _)| named.to_string()).collect()
    }
}

/// The whole report as text of at most 80 columns; only command lines are longer.
#[must_use]
pub fn text(report: &Report<'_>) -> String {
    let checked = report.checked;
    let mut text = String::new();
    for (finding, story) in checked.findings.iter().zip(report.stories) {
        text.push_str(&paragraph(report, finding, story));
        text.push('\n');
    }
    for (cell, seed, ending) in checked.unknown.iter().take(UNKNOWN_MAX) {
        let arm = &report.campaign.cells[*cell].arm;
        let line = format!("seed {seed} in arm {arm} ended by {}: it says nothing", ending.name());
        text.push_str(&wrapped("UNKNOWN ", &line));
    }
    if checked.unknown.len() > UNKNOWN_MAX {
        let more = checked.unknown.len() - UNKNOWN_MAX;
        text.push_str(&format!("        … and {more} more\n"));
    }
    if !checked.is_stopped && checked.findings.is_empty() {
        for name in report.never() {
            let line = format!("`{name}` never happened in {}", runs(report));
            text.push_str(&wrapped("NEVER ", &line));
        }
    }
    text.push_str(&wrapped("", &verdict(report)));
    text
}

fn paragraph(report: &Report<'_>, finding: &Finding, story: &[Step]) -> String {
    let head = format!(
        "{}{}: {}, first under seed {}",
        report.name(finding),
        report.place(finding),
        report.count(finding),
        finding.seed
    );
    let mut text = wrapped("VIOLATION ", &head);
    text.push_str(&wrapped("  ", &report.sentence(finding)));
    if !story.is_empty() {
        let program = &report.cell(finding).program;
        text.push_str(&what_matters(program, story, STORY_LINES));
    }
    text.push_str(&format!("  again:   {}\n", report.again(finding)));
    if let Some(smaller) = report.smaller(finding) {
        text.push_str(&format!("  smaller: {smaller}\n"));
    }
    text
}

/// How many runs were checked, in words.
fn runs(report: &Report<'_>) -> String {
    let cells = report.campaign.cells.len() as u64;
    several(report.checked.seeds * cells, "run")
}

/// The last line: the verdict and what it rests on.
fn verdict(report: &Report<'_>) -> String {
    let checked = report.checked;
    let (first, runs) = (report.campaign.seeds[0], runs(report));
    let last = first + checked.seeds.saturating_sub(1);
    let seeds = match checked.seeds {
        1 => format!("seed {first}"),
        _ => format!("seeds {first} to {last}"),
    };
    let over = format!("{runs}, {seeds}");
    match checked.verdict() {
        CheckVerdict::Pass => format!("pass: no promise was broken in {over}"),
        CheckVerdict::Violation => {
            let stopped = match checked.is_stopped {
                true => "; stopped there (--keep-going goes on)",
                false => "",
            };
            let broken = several(checked.findings.len() as u64, "promise");
            format!("violation: {broken} broken in {over}{stopped}")
        }
        CheckVerdict::Unknown => {
            let unknown = checked.unknown.len();
            format!("unknown: {unknown} of {over}, reached a limit")
        }
        CheckVerdict::Never => {
            format!("never happened: {} in {over}", report.never().join(", "))
        }
    }
}

/// A number with at most four digits behind the point.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// A word of a command line as a shell reads it back.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invariant_has_a_sentence() {
        for entry in CATALOGUE {
            let sentence = promise_of(entry.name);
            assert!(sentence.ends_with('.') && sentence.contains(' '), "{sentence}");
        }
    }

    #[test]
    fn words_come_back_from_a_shell() {
        assert_eq!(quoted("policy.a.timeout=1s"), "policy.a.timeout=1s");
        assert_eq!(quoted("a=b c=d"), "'a=b c=d'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
