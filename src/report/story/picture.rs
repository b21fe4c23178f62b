//! A story as a sequence diagram in SVG.

use super::{Mark, StoryStep, What, lanes};
use crate::kernel::time::Time;
use crate::model::program::{NodeId, Program};
use crate::report::chart::{Caption, Sequence, SequenceRow, Tone};

/// The diagram as an SVG document.
pub fn picture(program: &Program, caption: Caption, steps: &[StoryStep]) -> String {
    let lanes = lanes(steps);
    let place = |node: NodeId| lanes.iter().position(|&lane| lane == node);
    let rows = steps.iter().filter_map(|step| {
        let tone = match step.mark {
            Mark::Plain | Mark::Telling | Mark::Kept => Tone::Plain,
            Mark::Wrong => Tone::Wrong,
            Mark::Fault => Tone::Fault,
            Mark::Effect => Tone::Effect,
        };
        let (at, row) = (step.at.seconds(), &step.what);
        Some(match row {
            What::Message { from, to, text, arrived } => SequenceRow::Message {
                at,
                from: place(*from)?,
                to: place(*to)?,
                text: text.clone(),
                arrives: arrived.map(Time::seconds),
                is_lost: step.mark == Mark::Wrong,
                is_answer: step.mark == Mark::Plain,
            },
            What::Note { node, text } => {
                SequenceRow::Note { at, lane: node.and_then(place), text: text.clone(), tone }
            }
        })
    });
    let names = lanes.iter().map(|&lane| program.node(lane).name.clone());
    Sequence { caption, lanes: names.collect(), rows: rows.collect() }.svg()
}
