//! One order for each broken promise, step by step.

use serde::Serialize;

use super::Page;
use super::diagram::{Diagram, diagram};
use crate::experiment::plan::campaign::Chosen;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::closer_look::Witness;
use crate::kernel::time::Time;
use crate::report::command::minimize_line;
use crate::report::number::{Unit, number, several};
use crate::report::story::{Mark, StoryStep, What, steps};

/// Fewer uneventful steps than this at the beginning are not folded away.
const FOLDED_MIN: usize = 5;

/// The story of an order for which a promise was broken.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StoryOnPage {
    /// From 1.
    pub(super) number: usize,
    pub(super) title: String,
    pub(super) arm: String,
    pub(super) promise: String,
    /// Which order, which seed, and when it was broken.
    pub(super) about: String,
    /// The uneventful steps at the beginning.
    pub(super) prelude: Vec<Line>,
    pub(super) lines: Vec<Line>,
    pub(super) diagram: Diagram,
    pub(super) command: String,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) class: &'static str,
    pub(super) since_click: String,
    /// Since the step before.
    pub(super) since_last: String,
    pub(super) who: String,
    pub(super) what: String,
}

/// The stories of a page, in their order.
pub(super) fn stories(page: &Page<'_>) -> Vec<StoryOnPage> {
    let numbered = page.look.witnesses.iter().enumerate();
    numbered.map(|(index, witness)| told(page, index + 1, witness)).collect()
}

fn told(page: &Page<'_>, number: usize, witness: &Witness) -> StoryOnPage {
    let cell = &page.campaign.cells[witness.cell];
    let watched = cell.invariants.get(witness.promise).expect("a witness is of a promise");
    let steps = steps(&cell.program, &witness.faults, &witness.story);
    let click = click(&steps);
    let lines = lines(&cell.program, &steps, click);
    let eventful = |step: &StoryStep| matches!(step.mark, Mark::Wrong | Mark::Fault | Mark::Effect);
    let first = steps.iter().position(eventful).unwrap_or(0).saturating_sub(1);
    let folded = if first >= FOLDED_MIN { first } else { 0 };
    let order = witness.violation.order;
    let order = order.map_or("No order of its own".to_owned(), |order| format!("Order {order}"));
    let about = format!(
        "{order} of seed {}, first asked at {:.3} s; broken at {:.3} s, {} later. {}",
        witness.seed,
        click.seconds(),
        witness.violation.at.seconds(),
        number_of(witness.violation.at.seconds() - click.seconds()),
        left(witness),
    );
    let (prelude, lines) = lines.split_at(folded);
    StoryOnPage {
        number,
        title: watched.label.clone(),
        arm: page.names[witness.cell].clone(),
        promise: watched.sentence(),
        about,
        prelude: prelude.to_vec(),
        lines: lines.to_vec(),
        diagram: diagram(&cell.program, &steps[folded..], click),
        command: minimize_command(page, cell, witness.seed, &watched.name),
    }
}

/// What of the run is needed for the violation.
fn left(witness: &Witness) -> String {
    let faults = match (witness.faults.len(), witness.faults_before) {
        (_, 0) => String::new(),
        (0, _) => "none of its faults and ".to_owned(),
        (left, before) if left == before => format!("{} and ", several(before as u64, "fault")),
        (left, before) => format!("{left} of {} and ", several(before as u64, "fault")),
    };
    let users = witness.users.map_or("all users".to_owned(), |users| several(users as u64, "user"));
    let more = if witness.is_cut_off { "; more may be left out" } else { "" };
    format!("Shown with {faults}{users}, which is enough for it{more}.")
}

/// How to write the small run of the story to a file.
fn minimize_command(page: &Page<'_>, cell: &Cell, seed: u64, promise: &str) -> String {
    let name = page.files.first().map_or("", |(name, _)| name.as_str());
    let point = &cell.point;
    let points = if point.is_empty() { Vec::new() } else { vec![point.clone()] };
    let chosen = Chosen { arms: vec![cell.arm.clone()], points, ..Chosen::default() };
    minimize_line(name, (seed, promise), page.overrides, &chosen)
}

/// When the user first asked: the first message, or else the first step.
fn click(steps: &[StoryStep]) -> Time {
    let is_message = |step: &&StoryStep| matches!(step.what, What::Message { .. });
    let first = steps.iter().find(is_message).or(steps.first());
    first.map_or(Time::ZERO, |step| step.at)
}

fn lines(program: &crate::model::program::Program, steps: &[StoryStep], click: Time) -> Vec<Line> {
    let name = |node| program.node(node).name.as_str();
    let mut last: Option<Time> = None;
    let line = |(index, step): (usize, &StoryStep)| {
        let (who, what) = match &step.what {
            What::Message { from, to, text, arrived } => {
                let end = match arrived {
                    Some(arrived) => format!(" ({:.1} ms)", arrived.since(step.at).millis()),
                    None if step.mark == Mark::Wrong => ": lost on its way".to_owned(),
                    None => ": still on its way".to_owned(),
                };
                (format!("{} → {}", name(*from), name(*to)), format!("{text}{end}"))
            }
            What::Note { node, text } => (node.map_or("", name).to_owned(), text.clone()),
        };
        let class = match step.mark {
            Mark::Plain | Mark::Telling | Mark::Kept => "",
            Mark::Wrong => "wrong",
            Mark::Fault => "fault",
            Mark::Effect => "effect",
        };
        let since_last = last.map(|last| step.at.seconds() - last.seconds());
        last = Some(step.at);
        Line {
            number: index + 1,
            class,
            since_click: format!("{:.4} s", step.at.seconds() - click.seconds()),
            since_last: since_last.map_or(String::new(), |span| format!("+{}", number_of(span))),
            who,
            what,
        }
    };
    steps.iter().enumerate().map(line).collect()
}

fn number_of(seconds: f64) -> String {
    number(seconds, Unit::Seconds)
}
