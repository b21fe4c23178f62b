//! What `check` says: text, JUnit XML, JSON, and what GitHub Actions shows. Pure functions.

mod github;
mod json;
mod junit;

use crate::experiment::judge::check::{CheckVerdict, Checked, Finding, Overall, Promise, Standing};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::invariant::Watched;
use crate::report::command::quoted;
use crate::report::number::{count, several};
use crate::report::story::{StoryStep, what_matters, wrapped};

pub use github::{annotations, step_summary};
pub use json::json;
pub use junit::junit;

#[derive(Debug)]
pub struct Report<'a> {
    /// The experiment's path as it was given.
    pub path: &'a str,
    /// The same path from the root, which the lines to copy on a terminal have: they work in any
    /// folder.
    pub whole_path: &'a str,
    /// What the command line set.
    pub set: &'a [String],
    /// Into which other folders paths may lead.
    pub allowed: &'a [std::path::PathBuf],
    /// What was checked.
    pub campaign: &'a Campaign,
    /// What it came to.
    pub checked: &'a Checked,
    /// For each finding, the story of its order.
    pub stories: &'a [Vec<StoryStep>],
}

/// The most lines of a story in a paragraph.
const STORY_LINES: usize = 12;
/// The most runs that are listed because they reached a limit.
const UNKNOWN_MAX: usize = 5;
/// The most arms and points that are listed because nothing there could have broken a promise.
const IDLE_MAX: usize = 5;

impl Report<'_> {
    fn cell(&self, finding: &Finding) -> &Cell {
        &self.campaign.cells[finding.cell]
    }

    /// The watched promise of a finding.
    fn watched(&self, finding: &Finding, place: usize) -> Option<&Watched> {
        self.cell(finding).invariants.get(place)
    }

    /// What a watched promise of a finding says, in one sentence.
    fn promise(&self, finding: &Finding, place: usize) -> String {
        self.watched(finding, place).map(Watched::sentence).unwrap_or_default()
    }

    /// The name of the broken promise.
    fn name(&self, finding: &Finding) -> String {
        self.cell(finding).promise(finding.promise).0
    }

    /// What was promised, and how it was broken, in one or two sentences.
    fn sentence(&self, finding: &Finding) -> String {
        match (finding.promise, finding.violation) {
            (Promise::Invariant(place), Some(first)) => {
                let order = first.order.map(|order| format!(" for order {order}"));
                let promise = self.promise(finding, place);
                let order = order.unwrap_or_default();
                format!("{promise} It is broken{order} at {:.6} s.", first.at.seconds())
            }
            (Promise::Invariant(place), None) => self.promise(finding, place),
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
    fn place(&self, cell: usize) -> String {
        let cell = &self.campaign.cells[cell];
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
        for folder in self.allowed {
            let folder = folder.display().to_string();
            choice.push_str(&format!(" --allow-outside {}", quoted(&folder)));
        }
        choice
    }

    /// The line that shows a finding again in the folder in which it was found.
    fn again(&self, finding: &Finding) -> String {
        self.again_at(self.path, finding)
    }

    fn again_at(&self, path: &str, finding: &Finding) -> String {
        let (seed, choice) = (finding.seed, self.choice(finding));
        let end = seed.saturating_add(1);
        format!("stormglass check {} --seeds {seed}..{end}{choice}", quoted(path))
    }

    /// The line that makes a finding small; only an invariant has one.
    fn smaller(&self, finding: &Finding) -> Option<String> {
        self.smaller_at(self.path, finding)
    }

    fn smaller_at(&self, path: &str, finding: &Finding) -> Option<String> {
        let Promise::Invariant(_) = finding.promise else { return None };
        let (name, choice) = (quoted(&self.name(finding)), self.choice(finding));
        let (path, seed) = (quoted(path), finding.seed);
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
pub fn text(report: &Report<'_>) -> String {
    let checked = report.checked;
    let mut text = String::new();
    for (finding, story) in checked.findings.iter().zip(report.stories) {
        text.push_str(&paragraph(report, finding, story));
        text.push('\n');
    }
    for &(cell, seed, ending) in checked.unknown.iter().take(UNKNOWN_MAX) {
        let place = report.place(cell);
        let line = format!("seed {seed}{place} ended by {}: it says nothing", ending.name());
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
    for all in &checked.overall {
        text.push_str(&wrapped(&format!("{:<14} ", word(all.standing)), &standing(report, all)));
    }
    text.push_str(&wrapped("", &verdict(report)));
    text
}

/// What can be said of a promise, in words.
fn word(standing: Standing) -> String {
    standing.name().replace('-', " ")
}

/// A promise, and what it rests on.
fn standing(report: &Report<'_>, all: &Overall) -> String {
    let chances = match all.is_invariant() {
        true => several(all.exposure, "operation"),
        false => several(all.exposure, "run"),
    };
    let rests_on = match all.standing {
        Standing::NotExercised => {
            let (cell, promise) = all.first;
            report.campaign.cells[cell].silence(promise).to_owned()
        }
        Standing::Broken => format!("{} of {chances}", count(all.violations)),
        Standing::Unjudged if all.unjudged > 0 => {
            let waits = count(all.unjudged);
            format!("{chances} judged; {waits} were not due when their run ended")
        }
        Standing::Unjudged => format!("{chances} judged, and runs that say nothing"),
        Standing::Kept if all.unjudged > 0 => {
            let waits = count(all.unjudged);
            format!("{chances} could have broken it; {waits} more are not judged")
        }
        Standing::Kept => format!("{chances} could have broken it"),
    };
    let idle = all.idle.iter().take(IDLE_MAX);
    let idle: Vec<String> = idle.map(|&cell| report.place(cell).trim_start().to_owned()).collect();
    let more = match all.idle.len().saturating_sub(IDLE_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match idle.is_empty() {
        true => format!("{}: {rests_on}", all.name),
        false => format!("{}: {rests_on}; nothing {}{more}", all.name, idle.join(", ")),
    }
}

fn paragraph(report: &Report<'_>, finding: &Finding, story: &[StoryStep]) -> String {
    let head = format!(
        "{}{}: {}, first under seed {}",
        report.name(finding),
        report.place(finding.cell),
        report.count(finding),
        finding.seed
    );
    let mut text = wrapped("VIOLATION ", &head);
    text.push_str(&wrapped("  ", &report.sentence(finding)));
    if !story.is_empty() {
        let program = &report.cell(finding).program;
        text.push_str(&what_matters(program, story, STORY_LINES));
    }
    text.push_str(&format!("  again:   {}\n", report.again_at(report.whole_path, finding)));
    if let Some(smaller) = report.smaller_at(report.whole_path, finding) {
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
        said @ (CheckVerdict::NotExercised | CheckVerdict::NotJudged) => {
            format!("{}: {} in {over}", said.name().replace('-', " "), idle(checked))
        }
        CheckVerdict::Never => {
            format!("never happened: {} in {over}", report.never().join(", "))
        }
    }
}

/// Which promises say nothing, and why.
fn idle(checked: &Checked) -> String {
    let kind = |all: &Overall| match (all.is_invariant(), all.unjudged) {
        (true, 0) => 0,
        (true, _) => 1,
        (false, _) => 2,
    };
    let texts = [
        ("nothing could have broken ", ""),
        ("no case of ", " was due"),
        ("no run says anything of ", ""),
    ];
    let mut said = Vec::new();
    for (number, (before, after)) in texts.into_iter().enumerate() {
        let idle = checked.overall.iter().filter(|all| all.is_idle() && kind(all) == number);
        let names: Vec<&str> = idle.map(|all| all.name.as_str()).collect();
        if !names.is_empty() {
            said.push(format!("{before}{}{after}", names.join(", ")));
        }
    }
    said.join(", and ")
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
