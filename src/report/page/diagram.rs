//! A story as a sequence diagram: time runs downwards, a row for each thing that happened. The
//! page draws its texts as text; `stormglass explain` draws them as outlines, which take more room.

use serde::Serialize;

use crate::kernel::time::Time;
use crate::model::program::{NodeId, Program};
use crate::report::story::{Mark, StoryStep, What, lanes};

/// Where the first lane is, how far lanes are apart, and what is left at the right for texts.
const FIRST: f64 = 150.0;
const LANE: f64 = 150.0;
const REST: f64 = 80.0;
/// Where that stands which happens to no node.
const BESIDE: f64 = 80.0;
/// How wide a letter is, on average.
const LETTER: f64 = 5.9;
/// Where the first row is, and how far rows are apart.
const TOP: f64 = 50.0;
const ROW: f64 = 24.0;
/// The most letters of a text.
const LETTERS_MAX: usize = 72;

/// A sequence diagram; all places in pixels.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Diagram {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The names of those who take part, and where they stand.
    pub(super) lanes: Vec<(f64, String)>,
    pub(super) rows: Vec<DiagramRow>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct DiagramRow {
    pub(super) y: f64,
    /// Since the click.
    pub(super) time: String,
    pub(super) colour: &'static str,
    /// Where a message comes from and goes to; `None` for what happens at one place.
    pub(super) message: Option<(f64, f64)>,
    /// Whether the message was lost.
    pub(super) is_lost: bool,
    /// Where the text stands.
    pub(super) x: f64,
    pub(super) text: String,
}

/// Draws these steps, their times counted from the click.
pub(super) fn diagram(program: &Program, steps: &[StoryStep], click: Time) -> Diagram {
    let lanes = lanes(steps);
    let place = |node: NodeId| {
        let lane = lanes.iter().position(|&lane| lane == node).unwrap_or(0);
        FIRST + lane as f64 * LANE
    };
    let row = |(index, step): (usize, &StoryStep)| {
        let (message, x, text) = match &step.what {
            What::Message { from, to, text, .. } => {
                let (a, b) = (place(*from), place(*to));
                (Some((a, b)), a.midpoint(b), text)
            }
            What::Note { node, text } => (None, node.map_or(BESIDE, place), text),
        };
        DiagramRow {
            y: TOP + index as f64 * ROW,
            time: format!("{:.4} s", step.at.seconds() - click.seconds()),
            colour: colour(step.mark),
            message,
            is_lost: message.is_some() && step.mark == Mark::Wrong,
            x,
            text: cut(text),
        }
    };
    let names = lanes.iter().map(|&lane| (place(lane), program.node(lane).name.clone()));
    let rows: Vec<DiagramRow> = steps.iter().enumerate().map(row).collect();
    let end = |row: &DiagramRow| match row.message {
        Some(_) => row.x + row.text.chars().count() as f64 * LETTER / 2.0,
        None => row.x + 8.0 + row.text.chars().count() as f64 * LETTER,
    };
    let least = FIRST + (lanes.len().max(1) - 1) as f64 * LANE + REST;
    Diagram {
        width: rows.iter().map(end).fold(least, f64::max).ceil(),
        height: TOP + steps.len() as f64 * ROW,
        lanes: names.collect(),
        rows,
    }
}

/// Colours that colour-blind readers can tell apart, dark enough for text on white.
fn colour(mark: Mark) -> &'static str {
    match mark {
        Mark::Plain => "#666",
        Mark::Telling | Mark::Kept => "#222",
        Mark::Wrong => "#9e3300",
        Mark::Fault => "#6b5a00",
        Mark::Effect => "#005a8f",
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LETTERS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
