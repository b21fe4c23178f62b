//! The map as a picture.

use super::{Report, words};
use crate::experiment::outage_map::harm::{Back, Harm};
use crate::experiment::outage_map::{FailureMode, Field, Mark};
use crate::kernel::time::Span;
use crate::report::chart::{Caption, Matrix, MatrixField, MatrixRow, MatrixTone};

/// How to read it.
const NOTE: &str = "Shade and number: the share of requests, asked while it lasts, that fare worse \
                    than under the same seed without the failure. Bold rim: promises are broken. \
                    Grey: no meaning; white: no harm; hatched: no effect, or no path leads there.";

impl Report<'_> {
    /// The map as SVG.
    pub fn figure(&self) -> String {
        let fields: Vec<(&Field, &Mark)> = self.map.fields.iter().zip(self.marks).collect();
        let rows = fields.chunks(FailureMode::ALL.len()).map(|fields| self.row(fields));
        let (at, lasts) = self.map.acts;
        let caption = Caption {
            title: format!("If it fails, who notices? {}", self.of),
            subtitle: format!("Each dependency fails for {lasts}, from {at} on."),
            note: NOTE.to_owned(),
        };
        let columns = FailureMode::ALL.map(|mode| mode.name().to_owned()).to_vec();
        Matrix { caption, columns, rows: rows.collect() }.svg()
    }

    fn row(&self, fields: &[(&Field, &Mark)]) -> MatrixRow {
        let node = self.program().node(fields[0].0.node);
        MatrixRow {
            name: node.name.clone(),
            line: node.kind.name().to_owned(),
            fields: fields.iter().map(|(field, mark)| self.field(field, mark)).collect(),
        }
    }

    fn field(&self, field: &Field, mark: &Mark) -> MatrixField {
        let (tone, lines, said) = match mark {
            Mark::NoMeaning => (MatrixTone::Void, Vec::new(), "no meaning".to_owned()),
            Mark::NotReached => (MatrixTone::Hatched, Vec::new(), "no path leads there".to_owned()),
            Mark::NoEffect => (MatrixTone::Hatched, Vec::new(), "no effect".to_owned()),
            Mark::Unknown => {
                (MatrixTone::Empty, vec!["?".to_owned()], "a limit ended a run".to_owned())
            }
            Mark::NoHarm => (MatrixTone::Empty, Vec::new(), "no harm".to_owned()),
            Mark::Harm(harm) => {
                let share = if harm.is_noticed { harm.share() } else { 0.0 };
                let tone = MatrixTone::Shade(share, harm.promises_broken() > 0);
                (tone, lines(harm), words::harm(self, harm))
            }
        };
        let tip = format!("{} {}: {said}", self.name(field), field.mode.name());
        MatrixField { tone, lines, tip }
    }
}

/// What stands in the field of a harm: the share, or what else it does; and what follows from it.
fn lines(harm: &Harm) -> Vec<String> {
    let broken = match harm.promises_broken() {
        0 => None,
        1 => Some("1 promise broken".to_owned()),
        several => Some(format!("{several} promises broken")),
    };
    let late = (harm.late > Span::ZERO).then(|| format!("{} late", words::seconds(harm.late)));
    let undone = (harm.undone > 0).then(|| format!("{} undone", harm.undone));
    let share = harm.is_noticed.then(|| words::share(harm));
    let back = match harm.back {
        _ if !harm.is_noticed => None,
        Back::AtOnce => None,
        Back::After(_) | Back::NotInTime => Some(words::back(harm.back)),
    };
    let lines = [share, broken, late, undone, back].into_iter().flatten();
    let mut lines: Vec<String> = lines.take(2).collect();
    if lines.is_empty() {
        lines.push("orders late".to_owned());
    }
    lines
}
