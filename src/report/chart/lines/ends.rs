//! The names of lines, written where the lines end.

use super::Series;
use crate::report::chart::font::Weight;
use crate::report::chart::palette::{INK, colour};
use crate::report::chart::place::spread;
use crate::report::chart::scale::Scale;
use crate::report::chart::svg::{Anchor, Sheet, Style, style};

const NAME: Style = style(12.5, Weight::SemiBold, INK);
/// The distance between two baselines.
const LEADING: f64 = 15.5;
/// A name farther from its line than this would be guesswork.
const FARTHEST: f64 = 48.0;
/// From the end of a line to its name.
const ELBOW: f64 = 26.0;

/// A name at the end of a line; y is relative to the top of the panel.
pub(super) struct EndLabel {
    text: String,
    colour: usize,
    from: (f64, f64),
    to: (f64, f64),
}

/// The pixels that names need at the right of a panel.
pub(super) fn width<'a>(sheet: &Sheet, names: impl Iterator<Item = &'a str>) -> f64 {
    ELBOW + 4.0 + names.map(|name| sheet.width(name, NAME)).fold(0.0, f64::max)
}

/// The names at the right of a panel, unless one of them would stray too far from its line.
///
/// `y` is the axis of the panel with its top at pixel zero.
pub(super) fn place(series: &[Series], x: &Scale, y: &Scale) -> Option<Vec<EndLabel>> {
    let ends: Vec<(f64, f64)> = series
        .iter()
        .map(|series| series.end().map(|end| (x.at(end.0), y.at(end.1))))
        .collect::<Option<_>>()?;
    let wanted: Vec<f64> = ends.iter().map(|end| end.1).collect();
    let placed = spread(&level(&wanted), LEADING, y.end - 8.0, y.start + 4.0)?;
    if wanted.iter().zip(&placed).any(|(end, name)| (end - name).abs() > FARTHEST) {
        return None;
    }
    let label = |(index, series): (usize, &Series)| EndLabel {
        text: series.label.clone(),
        colour: series.colour,
        from: ends[index],
        to: (x.end + ELBOW, placed[index]),
    };
    Some(series.iter().enumerate().map(label).collect())
}

/// Writes the names beside a panel whose upper edge is at `top`.
pub(super) fn draw(sheet: &mut Sheet, labels: &[EndLabel], top: f64) {
    for label in labels {
        let (from, to) = ((label.from.0 + 2.0, label.from.1 + top), (label.to.0, label.to.1 + top));
        let colour = colour(label.colour);
        let knees = [from, (from.0 + 3.0, from.1), (to.0 - 4.0, to.1), (to.0 - 1.0, to.1)];
        sheet.line(&knees, colour.mark, 1.0);
        let style = Style { colour: colour.text, ..NAME };
        sheet.text(to.0 + 3.0, to.1 + 4.3, Anchor::Start, style, &label.text);
    }
}

/// Gives ends that cannot be told apart the same height, so that their names keep the order of
/// the series instead of following the noise of the last point.
fn level(ends: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by(|&a, &b| ends[a].total_cmp(&ends[b]));
    let mut levelled = ends.to_vec();
    for together in order.chunk_by(|&a, &b| ends[b] - ends[a] < 5.0) {
        let mean = together.iter().map(|&i| ends[i]).sum::<f64>() / together.len() as f64;
        for &index in together {
            levelled[index] = mean;
        }
    }
    levelled
}
