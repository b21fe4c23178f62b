//! An outage map: what to know first, in sentences; the map as a table and as a picture; each harm
//! with the command that shows it; and all of it as CSV and JSON.

mod files;
mod picture;
mod table;
mod words;

use crate::experiment::outage_map::harm::Harm;
use crate::experiment::outage_map::text::stem;
use crate::experiment::outage_map::{Calm, Field, Mark, OutageMap, Threshold};
use crate::kernel::digest::Digest;
use crate::model::program::{OperationId, Program};
use crate::report::command::quoted;
use crate::report::number::several;

/// So many harms are told in sentences.
const WORST: usize = 5;

/// What a map is told of.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// The model or experiment of which it is the map.
    pub of: &'a str,
    /// What was asked.
    pub map: &'a OutageMap<'a>,
    /// The runs in which nothing failed, by seed.
    pub calm: &'a [Calm<'a>],
    /// What became of each field.
    pub marks: &'a [Mark],
    /// At which strength each harm begins; `None` where that was not looked for.
    pub thresholds: &'a [Option<Threshold>],
    /// Whether the promises are those that need no declaration.
    pub are_undeclared: bool,
    /// The folder of the written experiments.
    pub folder: &'a str,
    /// What the command that runs one of them needs beside its path.
    pub options: &'a str,
    /// Name and digest of every file that was read.
    pub files: &'a [(String, Digest)],
    /// The digest of the digests of all runs but those that looked for strengths.
    pub digest: Digest,
}

/// A harm with its field.
#[derive(Clone, Copy)]
struct Shown<'a> {
    place: usize,
    field: &'a Field,
    harm: &'a Harm,
}

impl<'a> Report<'a> {
    fn program(&self) -> &'a Program {
        &self.map.cell.program
    }

    fn name(&self, field: &Field) -> &'a str {
        &self.program().node(field.node).name
    }

    fn operations(&self, ids: &[OperationId]) -> Vec<&'a str> {
        ids.iter().map(|id| self.program().operation(*id).name.as_str()).collect()
    }

    /// Every harm, the worst first: what breaks most promises, then what the users of most requests
    /// notice, then what lasts longest.
    fn worst(&self) -> Vec<Shown<'a>> {
        let harms = self.map.fields.iter().zip(self.marks).enumerate();
        let mut shown: Vec<Shown<'a>> = harms
            .filter_map(|(place, (field, mark))| match mark {
                Mark::Harm(harm) => Some(Shown { place, field, harm: harm.as_ref() }),
                _ => None,
            })
            .collect();
        shown.sort_by(|one, other| {
            let [one, other] = [one.harm, other.harm];
            let broken = other.promises_broken().cmp(&one.promises_broken());
            let share = other.share().total_cmp(&one.share());
            let lasts = other.back.cmp(&one.back).then(other.late.cmp(&one.late));
            broken.then(share).then(lasts)
        });
        shown
    }

    /// The command that shows a field.
    pub fn replay(&self, field: &Field) -> String {
        let file = format!("{}/{}.toml", self.folder, stem(self.name(field), field.mode.name()));
        format!("stormglass run {}{}", quoted(&file), self.options)
    }

    /// What is told first: what exists once and takes operations with it, and the worst harms.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = vec![self.single_points()];
        sentences.extend(self.unsure());
        sentences
    }

    fn single_points(&self) -> String {
        let gone: Vec<(&str, Vec<&str>)> = self
            .worst()
            .iter()
            .filter(|shown| shown.field.mode.is_loss())
            .map(|shown| (self.name(shown.field), self.operations(&shown.harm.takes_away())))
            .filter(|(_, operations)| !operations.is_empty())
            .collect();
        if gone.is_empty() {
            return "No single point of failure: no dependency takes an operation with it when it \
                    is lost."
                .to_owned();
        }
        let each = |(node, operations): &(&str, Vec<&str>)| {
            format!("`{node}` takes {} with it", words::listed(operations))
        };
        let each: Vec<String> = gone.iter().map(each).collect();
        let point = match gone.len() {
            1 => "Single point of failure",
            _ => "Single points of failure",
        };
        format!("{point}: {}.", each.join("; "))
    }

    /// That runs were ended by a limit.
    fn unsure(&self) -> Option<String> {
        let unknown = self.marks.iter().filter(|mark| matches!(mark, Mark::Unknown)).count();
        let fields = several(unknown as u64, "field");
        (unknown > 0)
            .then(|| format!("Of {fields} nothing can be said: a limit ended a run ([limits])."))
    }

    /// The worst harms with the commands that show them, for the terminal: a line of words each,
    /// and a line to type.
    pub fn worst_text(&self, wrap: impl Fn(&str) -> Vec<String>) -> String {
        let worst = self.worst();
        let mut text = String::new();
        for shown in worst.iter().take(WORST) {
            let (node, mode) = (self.name(shown.field), shown.field.mode.name());
            let harm = words::harm(self, shown.harm);
            let line = format!("{node} {mode}: {harm}");
            text.push_str(&(wrap(&line).join("\n") + "\n"));
            text.push_str(&format!("  {}\n", self.replay(shown.field)));
        }
        if worst.len() > WORST {
            let more = several((worst.len() - WORST) as u64, "harm");
            text.push_str(&format!(
                "and {more} more, each with its command: {}/map.md\n",
                self.folder
            ));
        }
        text
    }

    /// `map.md`.
    pub fn markdown(&self) -> String {
        format!(
            "# Outage map of {}\n\n{}\n\n{}\n{}\n\n## Every harm, the worst first\n\n{}\n\
             ## What was done\n\n{}\n\n{}",
            self.of,
            self.sentences().join("\n\n"),
            self.table().markdown(),
            words::LEGEND,
            self.harms().markdown(),
            words::conditions(self),
            self.strengths().markdown(),
        )
    }

    /// How it was made, in sentences.
    pub fn conditions(&self) -> String {
        words::conditions(self)
    }

    /// What the signs of the table mean.
    pub fn legend(&self) -> &'static str {
        words::LEGEND
    }
}
