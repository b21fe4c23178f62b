//! From when on a violation was likely, and could no longer be avoided, in words.

use super::timeline::wrapped;
use super::{Mark, StoryStep, What};
use crate::experiment::run::story::{NoReturn, Point, Share};
use crate::kernel::time::Time;
use crate::model::program::Program;
use crate::report::number::{Unit, number};
use crate::statistics::CONFIDENCE;
use crate::statistics::rare::zero_events_upper;

/// The moment, what happened then, and what chance would have done at others.
pub fn point(program: &Program, steps: &[StoryStep], found: &NoReturn) -> String {
    let then = |point: Point| {
        let there = steps.iter().filter_map(|step| at_once(program, step, point.at));
        format!("{:.6} s. {}", point.at.seconds(), there.collect::<Vec<_>>().join("; "))
    };
    let at = found.at.map(|point| point.at);
    let turns = found.turns.filter(|point| point.at > Time::ZERO && at != Some(point.at));
    let mut text = String::new();
    if let Some(point) = turns {
        text.push_str(&wrapped("", &format!("Turning point: {}", then(point))));
        text.push_str(&doubt(point));
    }
    let always = "There is no point of no return: chance could always prevent it.".to_owned();
    text.push_str(&wrapped(
        "",
        &found.at.map_or(always, |point| match point.at {
            Time::ZERO => {
                "Chance has no say: however it is drawn, these faults lead to it.".to_owned()
            }
            _ => format!("Point of no return: {}", then(point)),
        }),
    ));
    text.push_str(&found.at.map(|point| doubt(point) + &room(found)).unwrap_or_default());
    let how = match (found.shares.len(), found.moments) {
        (looked, all) if looked < all => {
            format!(" ({looked} of {all} moments were looked at, found by halving)")
        }
        _ => String::new(),
    };
    let counted = "Of runs that are the same up to a moment and drawn again from then on, so many \
                   break the promise too";
    text.push_str(&wrapped("", &format!("{counted}{how}:")));
    for share in &found.shares {
        let at = share.after.seconds();
        text.push_str(&format!("  {at:>11.6}s  {:>3} of {}\n", share.violated, share.of));
    }
    text
}

/// What speaks against a moment that halving found.
fn doubt(point: Point) -> String {
    let Some(Share { after, violated, of }) = point.against else { return String::new() };
    let at = after.seconds();
    let why = format!(
        "This is not certain: the share does not only rise, at {at:.6} s it is {violated} of {of}."
    );
    wrapped("  ", &why)
}

/// What so many continuations, all of which have the violation, leave open.
fn room(found: &NoReturn) -> String {
    let of = found.shares.first().map_or(0, |share| share.of);
    let most = zero_events_upper(u64::from(of), CONFIDENCE).unwrap_or(1.0);
    let most = number(most, Unit::Percent);
    wrapped(
        "  ",
        &format!("{of} of {of} leave room for up to {most} in which it is prevented (95%)."),
    )
}

/// What happened at a moment in a step: that it was, or that its message arrived.
fn at_once(program: &Program, step: &StoryStep, at: Time) -> Option<String> {
    match step.what {
        _ if step.at == at => Some(short(program, step)),
        What::Message { arrived, .. } if arrived == Some(at) => {
            Some(format!("{} arrives", short(program, step)))
        }
        What::Message { .. } | What::Note { .. } => None,
    }
}

fn short(program: &Program, step: &StoryStep) -> String {
    let name = |node| program.node(node).name.as_str();
    match &step.what {
        What::Message { from, to, text, arrived } => {
            let end = match arrived {
                Some(_) => "",
                None if step.mark == Mark::Wrong => " (never arrives)",
                None => " (still on its way)",
            };
            format!("{} -> {}: {text}{end}", name(*from), name(*to))
        }
        What::Note { node: Some(node), text } => format!("{}: {text}", name(*node)),
        What::Note { node: None, text } => text.clone(),
    }
}
