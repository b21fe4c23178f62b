//! Horizontal bars, one panel for each kind of thing counted.

use plotters::prelude::*;

use super::font::Weight;
use super::frame::{self, HEADING, MARGIN, SMALL};
use super::marker::ring;
use super::palette::{GREY, INK, colour};
use super::panel::PanelLayout;
use super::plot::{Drawn, Plane, at, stroke};
use super::scale::{Scale, Tick, within};
use super::svg::{Anchor, Sheet, Style, style};
use super::{Caption, Estimate};
use crate::report::number::{Unit, interval};

/// The name of a row.
const NAME: Style = style(12.5, Weight::Regular, INK);
/// The heading of a group.
const GROUP: Style = style(12.5, Weight::SemiBold, INK);
/// The number beside a bar.
const VALUE: Style = Style { halo: true, ..style(11.5, Weight::Regular, INK) };
/// The height of a row and of a group's heading.
const ROW: f64 = 21.0;
/// The height of a bar.
const BAR: f64 = 11.0;
/// The space between panels.
const GAP: f64 = 26.0;
/// From the end of a whisker to its number.
const BESIDE: f64 = 7.0;

/// Rows of horizontal bars in side-by-side panels, each panel with its own scale from zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// Title, subtitle and note.
    pub caption: Caption,
    /// The width of the whole chart in pixels; the height follows from the number of rows.
    pub width: f64,
    /// The unit of all values, under the panels: "per 10,000 orders".
    pub unit: String,
    /// The title of each panel: "double charges".
    pub panels: Vec<String>,
    /// The rows, in groups, from the top.
    pub groups: Vec<BarGroup>,
}

/// Rows under one heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BarGroup {
    /// The heading; empty for none.
    pub heading: String,
    /// The rows, from the top.
    pub rows: Vec<BarRow>,
}

/// One row: an arm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BarRow {
    /// The name at the left.
    pub label: String,
    /// An index into the palette; 0 is black, for the baseline.
    pub colour: usize,
    /// One rate for each panel.
    pub cells: Vec<Bar>,
}

/// A rate, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Bar {
    /// A rate, and what is written beside it.
    Rate(Estimate, String),
    /// None was measured; what is written instead.
    Missing(String),
}

impl Bar {
    /// A rate with its interval beside it.
    pub fn with_interval(rate: Estimate) -> Bar {
        Bar::Rate(rate, interval(rate.value, rate.low, rate.high, Unit::Plain))
    }

    fn text(&self) -> &str {
        match self {
            Bar::Rate(_, text) | Bar::Missing(text) => text,
        }
    }
}

impl Bars {
    /// Draws the chart as an SVG document.
    pub fn svg(&self) -> String {
        let mut sheet = frame::sheet("bars", &self.caption);
        let y = frame::head(&mut sheet, &self.caption, self.width);
        let columns = self.columns(&sheet);
        let top = self.titles(&mut sheet, &columns, y + 8.0) + 6.0;
        let bottom = self.rows(&mut sheet, &columns, top);
        frame::finish(sheet, &self.caption, &self.description(), bottom, self.width)
    }

    /// The x axis of each panel: as long as leaves room for the number beside the longest bar.
    fn columns(&self, sheet: &Sheet) -> Vec<Scale> {
        let names = self.groups.iter().flat_map(|group| &group.rows).map(|row| &row.label);
        let widest = names.map(|name| sheet.width(name, NAME)).fold(60.0, f64::max);
        // The unit stands above the names; a long one is broken rather than given more room.
        let widest = widest.max(sheet.width(&self.unit, SMALL).min(110.0));
        let left = MARGIN + widest + 16.0;
        let count = self.panels.len().max(1) as f64;
        let width = ((self.width - MARGIN - left - GAP * (count - 1.0)) / count).max(60.0);
        (0..self.panels.len())
            .map(|panel| {
                let start = left + (width + GAP) * panel as f64;
                Scale {
                    low: 0.0,
                    high: self.top(sheet, panel, width),
                    start,
                    end: start + width,
                    log: false,
                }
            })
            .collect()
    }

    /// The number at the right edge of a panel `width` pixels wide.
    fn top(&self, sheet: &Sheet, panel: usize, width: f64) -> f64 {
        let cells = || self.cells(panel).filter(|(cell, _)| cell.high.is_finite());
        let needed = cells().map(|(cell, text)| {
            let text = sheet.width(text, VALUE) + BESIDE;
            cell.high * width / (width - text).max(width * 0.2)
        });
        let top = needed.fold(0.0, f64::max);
        // With nothing but zeros, a bound across the whole panel would look like a finding.
        let top = if cells().all(|(cell, _)| cell.value <= 0.0) { top * 4.0 } else { top };
        if top > 0.0 { top } else { 1.0 }
    }

    fn cells(&self, panel: usize) -> impl Iterator<Item = (&Estimate, &str)> {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.filter_map(move |row| match row.cells.get(panel)? {
            Bar::Rate(rate, text) => Some((rate, text.as_str())),
            Bar::Missing(_) => None,
        })
    }

    fn titles(&self, sheet: &mut Sheet, columns: &[Scale], y: f64) -> f64 {
        let titles: Vec<Vec<String>> = self
            .panels
            .iter()
            .zip(columns)
            .map(|(title, at)| {
                sheet.fonts.wrap(title, HEADING.size, HEADING.weight, at.end - at.start + GAP - 8.0)
            })
            .collect();
        let lines = titles.iter().map(Vec::len).max().unwrap_or(0);
        let bottom = y + 17.0 * lines as f64;
        for (title, column) in titles.iter().zip(columns) {
            for (k, line) in title.iter().rev().enumerate() {
                let baseline = bottom - 17.0 * k as f64;
                sheet.text(column.start, baseline, Anchor::Start, HEADING, line);
            }
            for tick in ticks(column) {
                sheet.text(column.at(tick.at), bottom + 20.0, Anchor::Middle, SMALL, &tick.text);
            }
        }
        if let Some(first) = columns.first() {
            let width = first.start - MARGIN - 10.0;
            let lines = sheet.fonts.wrap(&self.unit, SMALL.size, SMALL.weight, width);
            for (k, line) in lines.iter().rev().enumerate() {
                let baseline = bottom + 20.0 - 15.0 * k as f64;
                sheet.text(MARGIN, baseline, Anchor::Start, SMALL, line);
            }
        }
        bottom + 22.0
    }

    /// Draws the groups from `y` on; returns the y below them.
    fn rows(&self, sheet: &mut Sheet, columns: &[Scale], mut y: f64) -> f64 {
        for group in &self.groups {
            if !group.heading.is_empty() {
                sheet.text(MARGIN, y + 17.0, Anchor::Start, GROUP, &group.heading);
                y += ROW + 3.0;
            }
            let count = group.rows.len() as f64;
            let rows = Scale { low: 0.0, high: count, start: y, end: y + ROW * count, log: false };
            for column in columns {
                PanelLayout::of(*column, rows).columns(sheet, &ticks(column));
            }
            for (index, row) in group.rows.iter().enumerate() {
                row.draw(sheet, columns, &rows, index as f64 + 0.5, &self.unit);
            }
            y = rows.end + 8.0;
        }
        y
    }

    fn description(&self) -> String {
        let mut out = format!("{} Values {}.", self.caption.subtitle, self.unit);
        for group in &self.groups {
            for row in &group.rows {
                let cells = self.panels.iter().zip(&row.cells);
                let cells: Vec<String> =
                    cells.map(|(panel, cell)| format!("{panel} {}", cell.text())).collect();
                out += &format!(" {}, {}: {}.", group.heading, row.label, cells.join(", "));
            }
        }
        out
    }
}

impl BarRow {
    /// Draws the row whose middle is at `row` of the axis `rows`.
    fn draw(&self, sheet: &mut Sheet, columns: &[Scale], rows: &Scale, row: f64, unit: &str) {
        let middle = rows.at(row);
        sheet.text(MARGIN, middle + 4.3, Anchor::Start, NAME, &self.label);
        for (cell, column) in self.cells.iter().zip(columns) {
            let (cell, text) = match cell {
                Bar::Rate(rate, text) => (rate, text),
                Bar::Missing(text) => {
                    let style = Style { colour: GREY, ..VALUE };
                    sheet.text(column.start + BESIDE, middle + 4.0, Anchor::Start, style, text);
                    continue;
                }
            };
            sheet.open(&format!("{}: {text} {unit}", self.label));
            let mark = colour(self.colour).mark;
            sheet.plane(*column, *rows, |plane| draw(plane, column, cell, mark, row));
            let zero = cell.value <= 0.0;
            let least = if zero { column.start + 4.0 } else { column.start };
            let end = column.at(cell.high).max(least);
            let style = Style { colour: if zero { GREY } else { INK }, ..VALUE };
            sheet.text(end + BESIDE, middle + 4.0, Anchor::Start, style, text);
            sheet.close();
        }
    }
}

fn ticks(column: &Scale) -> Vec<Tick> {
    within(0.0, column.high, 3, Unit::Plain)
}

/// One bar with its whisker, or a hollow mark for zero.
fn draw(plane: &Plane<'_>, column: &Scale, cell: &Estimate, mark: RGBColor, row: f64) -> Drawn {
    let zero = cell.value <= 0.0;
    if !zero {
        let half = BAR / ROW / 2.0;
        // What is not zero is at least one pixel long.
        let length = cell.value.max(column.high / (column.end - column.start));
        plane.draw(&Rectangle::new([(0.0, row - half), (length, row + half)], mark.filled()))?;
    }
    if cell.high > cell.low {
        let from = if zero { 0.0 } else { cell.low };
        // A white rim first, so that a whisker shows on a black bar.
        for style in [stroke(WHITE, 2.6), stroke(INK, 1.2)] {
            plane.draw(&PathElement::new([(from, row), (cell.high, row)], style))?;
            for cap in [cell.low, cell.high].into_iter().skip(usize::from(zero)) {
                let line = PathElement::new([at((0.0, -3.0)), at((0.0, 3.0))], style);
                plane.draw(&(EmptyElement::at((cap, row)) + line))?;
            }
        }
    }
    if zero { ring(plane, (0.0, row), 3.8, 1.8, mark) } else { Ok(()) }
}
