//! The map, the harms and the strengths as tables.

use super::{Report, words};
use crate::experiment::outage_map::{FailureMode, Field, Mark};
use crate::report::arms::{column, plain};
use crate::report::story::described;
use crate::report::table::{Align, Cell, Row, Table, Tone};

/// At this share of requests a harm is drawn as bad.
const BAD: f64 = 0.1;

impl Report<'_> {
    /// The map: a row for each dependency, a column for each way to fail.
    pub fn table(&self) -> Table {
        let mut columns = vec![column("dependency", Align::Left, 0)];
        let modes = FailureMode::ALL.iter();
        columns.extend(modes.map(|mode| column(mode.name(), Align::Right, 0)));
        let fields: Vec<(&Field, &Mark)> = self.map.fields.iter().zip(self.marks).collect();
        let row = |fields: &[(&Field, &Mark)]| {
            let name = fields.iter().map(|(field, _)| plain(self.name(field).to_owned())).take(1);
            Row::Cells(name.chain(fields.iter().map(|(_, mark)| cell(mark))).collect())
        };
        let rows = fields.chunks(FailureMode::ALL.len()).map(row).collect();
        Table { columns, rows }
    }

    /// Every harm in words, the worst first, with the strength at which it begins and the command
    /// that shows it.
    pub fn harms(&self) -> Table {
        let headers =
            ["dependency", "failure", "requests worse", "harm", "harm begins at", "see it again"];
        let columns = headers.map(|header| column(header, Align::Left, 0)).to_vec();
        let row = |shown: &super::Shown<'_>| {
            let fault = shown.field.fault.as_ref();
            let texts = [
                self.name(shown.field).to_owned(),
                fault.map_or_else(String::new, |(fault, knob)| {
                    let mode = shown.field.mode.name();
                    format!("{mode} ({} {})", fault.kind.name(), words::strength(fault, *knob))
                }),
                if shown.harm.is_noticed { words::share(shown.harm) } else { String::new() },
                words::harm(self, shown.harm),
                words::threshold(self, shown.place),
                self.replay(shown.field),
            ];
            Row::Cells(texts.map(plain).to_vec())
        };
        Table { columns, rows: self.worst().iter().map(row).collect() }
    }

    /// The fault of each field that has one.
    pub fn strengths(&self) -> Table {
        let headers = ["dependency", "kind", "failure", "fault", "had an effect"];
        let columns = headers.map(|header| column(header, Align::Left, 0)).to_vec();
        let fields = self.map.fields.iter().zip(self.marks);
        let row = |(field, mark): (&Field, &Mark)| {
            let (fault, _) = field.fault.as_ref()?;
            let node = self.program().node(field.node);
            let effect = match mark {
                Mark::NotReached => "no path leads there",
                Mark::NoEffect => "never",
                Mark::Unknown => "a limit ended a run",
                Mark::NoHarm => "yes, no harm",
                Mark::Harm(_) => "yes, harm",
                Mark::NoMeaning => return None,
            };
            let texts = [
                node.name.clone(),
                node.kind.name().to_owned(),
                field.mode.name().to_owned(),
                described(fault),
                effect.to_owned(),
            ];
            Some(Row::Cells(texts.map(plain).to_vec()))
        };
        Table { columns, rows: fields.filter_map(row).collect() }
    }
}

/// A field in the table: what cannot be is a dash, what did no harm is empty.
fn cell(mark: &Mark) -> Cell {
    let faint = |text: &str| Cell { text: text.to_owned(), tone: Tone::Faint };
    match mark {
        Mark::NoMeaning => faint("–"),
        Mark::NotReached | Mark::NoEffect => faint("///"),
        Mark::Unknown => Cell { text: "?".to_owned(), tone: Tone::Warning },
        Mark::NoHarm => Cell::default(),
        Mark::Harm(harm) => {
            let is_bad = harm.promises_broken() > 0 || harm.share() >= BAD;
            let tone = if is_bad { Tone::Bad } else { Tone::Warning };
            Cell { text: words::short(harm), tone }
        }
    }
}
