//! From when on a violation was likely, and could no longer be avoided, in words.

use super::timeline::wrapped;
use super::{Mark, Step, What};
use crate::experiment::story::NoReturn;
use crate::kernel::time::Time;
use crate::model::program::Program;

/// The moment, what happened then, and what chance would have done at others.
#[must_use]
pub fn point(program: &Program, steps: &[Step], found: &NoReturn) -> String {
    let then = |at: Time| {
        let there = steps.iter().filter(|step| step.at == at);
        there.map(|step| short(program, step)).collect::<Vec<_>>().join("; ")
    };
    let mut text = match found.turns.filter(|&at| at > Time::ZERO && found.at != Some(at)) {
        None => String::new(),
        Some(at) => wrapped("", &format!("Turning point: {:.6} s. {}", at.seconds(), then(at))),
    };
    text.push_str(&match found.at {
        None => wrapped("", "There is no point of no return: chance could always prevent it."),
        Some(Time::ZERO) => {
            wrapped("", "Chance has no say: however it is drawn, these faults lead to it.")
        }
        Some(at) => {
            wrapped("", &format!("Point of no return: {:.6} s. {}", at.seconds(), then(at)))
        }
    });
    text.push_str(
        "Of runs that are the same up to a moment and drawn again from then on, so many\n",
    );
    text.push_str("break the promise too:\n");
    for share in &found.shares {
        let at = share.after.seconds();
        text.push_str(&format!("  {at:>11.6}s  {:>3} of {}\n", share.violated, share.of));
    }
    text
}

fn short(program: &Program, step: &Step) -> String {
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
