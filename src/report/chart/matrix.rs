//! Fields in rows and columns, each with a shade and a few words.

use plotters::prelude::*;

use super::Caption;
use super::font::Weight;
use super::frame::{self, MARGIN, SMALL};
use super::palette::{AXIS, GRID, INK, colour, ramp};
use super::plot::{self, at, stroke};
use super::svg::{Anchor, Sheet, Style, style};

const FIELD_WIDTH: f64 = 132.0;
const FIELD_HEIGHT: f64 = 50.0;
const GAP: f64 = 4.0;
/// The distance of two hatches.
const HATCH: f64 = 9.0;
/// The greatest shade of a field: darker, nothing could be read on it.
const DARKEST: f64 = 0.62;

const NAME: Style = style(13.0, Weight::SemiBold, INK);
const WORD: Style = style(13.5, Weight::SemiBold, INK);
const LINE: Style = style(11.0, Weight::Regular, INK);

/// A table of shaded fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Title, subtitle and note.
    pub caption: Caption,
    /// The columns, from the left.
    pub columns: Vec<String>,
    /// The rows, from the top.
    pub rows: Vec<MatrixRow>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatrixRow {
    pub name: String,
    /// What is said below the name.
    pub line: String,
    /// A field for each column.
    pub fields: Vec<MatrixField>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MatrixField {
    /// How it looks.
    pub tone: MatrixTone,
    /// What stands in it, at most two lines, the first of them bold.
    pub lines: Vec<String>,
    /// What is read aloud, and shown when the pointer rests on it.
    pub tip: String,
}

/// How a field looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MatrixTone {
    /// Grey: it has no meaning.
    Void,
    /// Hatched: nothing happened.
    Hatched,
    /// White with a rim.
    Empty,
    /// By a share from 0 to 1, with a bold rim if it is marked.
    Shade(f64, bool),
}

impl Matrix {
    /// Draws the table as an SVG document; it is as wide as its columns need.
    pub fn svg(&self) -> String {
        let mut sheet = Sheet::new(&format!("matrix {}", self.caption.title));
        let names = self.rows.iter().map(|row| sheet.width(&row.name, NAME));
        let names = names.fold(60.0, f64::max) + 14.0;
        let step = FIELD_WIDTH + GAP;
        let width = (2.0 * MARGIN + names + step * self.columns.len() as f64 - GAP).max(640.0);
        let mut y = frame::head(&mut sheet, &self.caption, width) + 26.0;
        let left = |column: usize| MARGIN + names + step * column as f64;
        for (column, name) in self.columns.iter().enumerate() {
            let middle = left(column) + FIELD_WIDTH / 2.0;
            sheet.text(middle, y, Anchor::Middle, NAME, name);
        }
        y += 9.0;
        for row in &self.rows {
            let middle = y + FIELD_HEIGHT / 2.0;
            sheet.text(MARGIN, middle - 1.0, Anchor::Start, NAME, &row.name);
            sheet.text(MARGIN, middle + 14.0, Anchor::Start, SMALL, &row.line);
            for (column, field) in row.fields.iter().enumerate() {
                field.draw(&mut sheet, (left(column), y));
            }
            y += FIELD_HEIGHT + GAP;
        }
        frame::finish(sheet, &self.caption, &self.description(), y + 4.0, width)
    }

    fn description(&self) -> String {
        let fields = self.rows.iter().flat_map(|row| &row.fields);
        fields.map(|field| field.tip.as_str()).collect::<Vec<_>>().join("; ")
    }
}

impl MatrixField {
    fn draw(&self, sheet: &mut Sheet, (x, y): (f64, f64)) {
        let (right, below) = (x + FIELD_WIDTH, y + FIELD_HEIGHT);
        let (fill, edge, width) = match self.tone {
            MatrixTone::Void => (GRID, GRID, 1.0),
            MatrixTone::Hatched | MatrixTone::Empty => (WHITE, AXIS, 1.0),
            MatrixTone::Shade(share, marked) => {
                let edge = if marked { colour(1).text } else { AXIS };
                (ramp(0.12 + share * (DARKEST - 0.12)), edge, if marked { 2.6 } else { 1.0 })
            }
        };
        sheet.open(&self.tip);
        let corners = [at((x, y)), at((right, below))];
        sheet.ground(|ground| ground.draw(&Rectangle::new(corners, fill.filled())));
        if self.tone == MatrixTone::Hatched {
            sheet.ground(|ground| plot::series(ground, hatches((x, y))));
        }
        let around = [(x, y), (right, y), (right, below), (x, below), (x, y)];
        sheet.line(&around, edge, width);
        sheet.close();
        let middle = x + FIELD_WIDTH / 2.0;
        let first = y + if self.lines.len() > 1 { 22.0 } else { 30.0 };
        for (index, line) in self.lines.iter().enumerate() {
            let style = if index == 0 { WORD } else { LINE };
            sheet.text(middle, first + 17.0 * index as f64, Anchor::Middle, style, line);
        }
    }
}

/// The diagonal lines over a field.
fn hatches((x, y): (f64, f64)) -> Vec<PathElement<(i32, i32)>> {
    let count = ((FIELD_WIDTH + FIELD_HEIGHT) / HATCH) as u32;
    let line = |number: u32| {
        // Where x + y is the same, as far as it lies in the field.
        let sum = f64::from(number) * HATCH;
        let (from, to) = ((sum - FIELD_HEIGHT).max(0.0), sum.min(FIELD_WIDTH));
        let ends = [(x + from, y + sum - from), (x + to, y + sum - to)].map(at);
        PathElement::new(ends.to_vec(), stroke(GRID, 1.4))
    };
    (1..=count).map(line).collect()
}
