//! A story as the text of a Mermaid sequence diagram
//! (<https://mermaid.js.org/syntax/sequenceDiagram.html>).

use super::{Mark, StoryStep, What, lanes};
use crate::model::program::{NodeId, Program};

/// The diagram.
pub fn mermaid(program: &Program, title: &str, steps: &[StoryStep]) -> String {
    let lanes = lanes(steps);
    let mut text = format!(
        "---\ntitle: \"{}\"\n---\nsequenceDiagram\n    autonumber\n",
        plain(&title.replace('"', "'"))
    );
    for &lane in &lanes {
        let name = &program.node(lane).name;
        text.push_str(&format!("    participant {} as {}\n", id(lane), plain(name)));
    }
    for step in steps {
        text.push_str(&line(&lanes, step));
    }
    text
}

fn id(node: NodeId) -> String {
    format!("n{}", node.0)
}

fn line(lanes: &[NodeId], step: &StoryStep) -> String {
    let at = format!("{:.6}s", step.at.seconds());
    match &step.what {
        What::Message { from, to, text, .. } => {
            let (arrow, lost) = match step.mark {
                Mark::Wrong => ("--x", " LOST"),
                Mark::Plain => ("-->>", ""),
                _ => ("->>", ""),
            };
            format!("    {}{arrow}{}: {at} {}{lost}\n", id(*from), id(*to), plain(text))
        }
        What::Note { node, text } => {
            let sign = match step.mark {
                Mark::Plain | Mark::Telling | Mark::Kept => "",
                Mark::Wrong => "! ",
                Mark::Fault => "# ",
                Mark::Effect => "* ",
            };
            let text = plain(&format!("{sign}{text}"));
            let over = match (node, lanes) {
                (Some(node), _) => id(*node),
                (None, [only]) => id(*only),
                (None, [first, .., last]) => format!("{},{}", id(*first), id(*last)),
                (None, []) => return format!("    %% {at} {text}\n"),
            };
            format!("    Note over {over}: {at} {text}\n")
        }
    }
}

/// Text that cannot end a statement: Mermaid reads `;` and `#` as its own.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '#' => plain.push_str("#35;"),
            ';' => plain.push_str("#59;"),
            letter if letter.is_control() => plain.push(' '),
            letter => plain.push(letter),
        }
    }
    plain
}
