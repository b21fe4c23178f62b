//! A story as text: numbered, one step a line, at most 80 columns.

use super::{Mark, StoryStep, What};
use crate::model::program::Program;

/// The most columns of a line.
const COLUMNS: usize = 80;

/// Every step, numbered.
pub fn timeline(program: &Program, steps: &[StoryStep]) -> String {
    let digits = steps.len().to_string().len();
    let numbered = steps.iter().enumerate();
    numbered.map(|(index, step)| line(program, step, &format!("{:>digits$}", index + 1))).collect()
}

/// The steps that decide, at most so many, in their order: what cannot be undone, what was written
/// and what went wrong before the rest, and the end before the beginning, for there the promise
/// breaks.
pub fn what_matters(program: &Program, steps: &[StoryStep], most: usize) -> String {
    let rank = |step: &StoryStep| match step.mark {
        Mark::Effect => 0,
        Mark::Wrong | Mark::Kept => 1,
        Mark::Fault => 2,
        Mark::Telling if matches!(step.what, What::Note { .. }) => 2,
        Mark::Telling | Mark::Plain => 3,
    };
    let mut ranked: Vec<usize> =
        (0..steps.len()).filter(|&index| steps[index].mark != Mark::Plain).collect();
    let count = ranked.len();
    ranked.sort_by_key(|&index| (rank(&steps[index]), std::cmp::Reverse(index)));
    ranked.truncate(most);
    ranked.sort_unstable();
    let mut text: String = ranked.iter().map(|&index| line(program, &steps[index], " ")).collect();
    if count > ranked.len() {
        text.push_str(&format!("     and {} steps more\n", count - ranked.len()));
    }
    text
}

/// One step: number, seconds, sign, who, and what in as many lines as it takes.
fn line(program: &Program, step: &StoryStep, number: &str) -> String {
    let sign = match step.mark {
        Mark::Plain | Mark::Telling | Mark::Kept => ' ',
        Mark::Wrong => '!',
        Mark::Fault => '#',
        Mark::Effect => '*',
    };
    let head = format!("{number} {:>11.6}s {sign} ", step.at.seconds());
    let name = |node| program.node(node).name.as_str();
    let text = match &step.what {
        What::Message { from, to, text, arrived } => {
            let end = match arrived {
                Some(arrived) => format!(" ({:.1} ms)", arrived.since(step.at).millis()),
                None if step.mark == Mark::Wrong => ": LOST on its way".to_owned(),
                None => ": still on its way".to_owned(),
            };
            format!("{} -> {}: {text}{end}", name(*from), name(*to))
        }
        What::Note { node: Some(node), text } => format!("{}: {text}", name(*node)),
        What::Note { node: None, text } => text.clone(),
    };
    wrapped(&head, &text)
}

/// A text behind a head, broken between words; further lines begin below the text.
pub(crate) fn wrapped(head: &str, text: &str) -> String {
    let indent = head.chars().count();
    let room = COLUMNS.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > room {
            lines.push(word.to_owned());
        } else if let Some(line) = lines.last_mut() {
            if last > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    let blank = " ".repeat(indent);
    let numbered = lines.iter().enumerate();
    let text: String = numbered
        .map(|(index, line)| format!("{}{line}\n", if index == 0 { head } else { &blank }))
        .collect();
    text
}
