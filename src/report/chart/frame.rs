//! What all charts share: title, subtitle and legend above, the note below.

use super::font::Weight;
use super::marker::marker;
use super::palette::{Colour, GREY, INK};
use super::plot::at;
use super::svg::{Anchor, Sheet, Style, style};
use super::{Caption, Stroke};

/// The white margin around a chart, in pixels.
pub(super) const MARGIN: f64 = 24.0;

/// Tick and value texts.
pub(super) const SMALL: Style = style(11.5, Weight::Regular, GREY);
/// Axis labels.
pub(super) const LABEL: Style = style(12.5, Weight::Regular, GREY);
/// Titles of panels.
pub(super) const HEADING: Style = style(13.5, Weight::SemiBold, INK);

const TITLE: Style = style(20.0, Weight::SemiBold, INK);
const SUBTITLE: Style = style(14.0, Weight::Regular, GREY);
const LEGEND: Style = style(12.5, Weight::Regular, INK);

/// One entry of a legend.
pub(super) struct Key<'a> {
    /// What it stands for.
    pub(super) label: &'a str,
    /// The colour of the text.
    pub(super) colour: Colour,
    /// The sign before the text.
    pub(super) sign: Sign,
}

/// What a legend shows before a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A piece of a line.
    Line(Stroke),
    /// A marker of that shape.
    Marker(usize),
}

/// Draws title and subtitle; returns the y below them.
pub(super) fn head(sheet: &mut Sheet, caption: &Caption, width: f64) -> f64 {
    let mut y = MARGIN - 4.0;
    for (text, style, leading) in
        [(&caption.title, TITLE, 26.0), (&caption.subtitle, SUBTITLE, 20.0)]
    {
        y = paragraph(sheet, text, style, leading, y, width);
    }
    y
}

/// An empty sheet for a chart of that kind.
pub(super) fn sheet(kind: &str, caption: &Caption) -> Sheet {
    Sheet::new(&format!("{kind} {} {}", caption.title, caption.subtitle))
}

/// Draws the note from `y` on, and makes a document of the sheet.
pub(super) fn finish(
    mut sheet: Sheet,
    caption: &Caption,
    description: &str,
    y: f64,
    width: f64,
) -> String {
    let height = match caption.note.is_empty() {
        true => y + MARGIN - 8.0,
        false => paragraph(&mut sheet, &caption.note, SMALL, 16.0, y + 10.0, width) + MARGIN - 6.0,
    };
    sheet.finish(width, height, &caption.title, description)
}

fn paragraph(
    sheet: &mut Sheet,
    text: &str,
    style: Style,
    leading: f64,
    mut y: f64,
    width: f64,
) -> f64 {
    for line in sheet.fonts.wrap(text, style.size, style.weight, width - 2.0 * MARGIN) {
        y += leading;
        sheet.text(MARGIN, y - leading * 0.25, Anchor::Start, style, &line);
    }
    y
}

/// Draws a legend from `y` on, in as many lines as it needs; returns the y below it.
pub(super) fn legend(sheet: &mut Sheet, keys: &[Key<'_>], y: f64, width: f64) -> f64 {
    if keys.is_empty() {
        return y;
    }
    let mut x = MARGIN;
    let mut baseline = y + 20.0;
    for key in keys {
        let sign = if matches!(key.sign, Sign::Line(_)) { 26.0 } else { 18.0 };
        let length = sign + sheet.width(key.label, LEGEND);
        if x > MARGIN && x + length > width - MARGIN {
            x = MARGIN;
            baseline += 20.0;
        }
        let middle = baseline - 4.5;
        match key.sign {
            Sign::Line(stroke) => sheet.stroked(stroke, |sheet| {
                sheet.line(&[(x, middle), (x + 20.0, middle)], key.colour.mark, 3.0);
            }),
            Sign::Marker(shape) => {
                let centre = at((x + 6.0, middle));
                sheet.ground(|ground| marker(ground, centre, 5.0, shape, key.colour.mark));
            }
        }
        let style = Style { colour: key.colour.text, ..LEGEND };
        sheet.text(x + sign, baseline, Anchor::Start, style, key.label);
        x += length + 20.0;
    }
    baseline + 6.0
}
