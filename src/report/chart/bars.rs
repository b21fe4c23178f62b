//! Horizontal bars, one panel for each kind of thing counted.

use super::font::Weight;
use super::frame::{self, HEADING, MARGIN, SMALL};
use super::palette::{AXIS, Colour, GREY, GRID, INK, colour};
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
    /// One rate for each panel; `None` where it was not measured.
    pub cells: Vec<Option<Estimate>>,
}

impl Bars {
    /// Draws the chart as an SVG document.
    #[must_use]
    pub fn svg(&self) -> String {
        let name = format!("bars {} {}", self.caption.title, self.caption.subtitle);
        let mut sheet = Sheet::new(&name);
        let y = frame::head(&mut sheet, &self.caption, self.width);
        let columns = self.columns(&sheet);
        let top = self.titles(&mut sheet, &columns, y + 8.0) + 6.0;
        let bottom = self.rows(&mut sheet, &columns, top);
        let height = frame::foot(&mut sheet, &self.caption, bottom, self.width);
        sheet.finish(self.width, height, &self.caption.title, &self.description())
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
        let cells = || self.cells(panel).filter(|cell| cell.high.is_finite());
        let needed = cells().map(|cell| {
            let text = sheet.width(&text(&cell), VALUE) + BESIDE;
            cell.high * width / (width - text).max(width * 0.2)
        });
        let top = needed.fold(0.0, f64::max);
        // With nothing but zeros, a bound across the whole panel would look like a finding.
        let top = if cells().all(|cell| cell.value <= 0.0) { top * 4.0 } else { top };
        if top > 0.0 { top } else { 1.0 }
    }

    fn cells(&self, panel: usize) -> impl Iterator<Item = Estimate> {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.filter_map(move |row| row.cells.get(panel).copied().flatten())
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
            let bottom = y + ROW * group.rows.len() as f64;
            for column in columns {
                grid(sheet, column, y, bottom);
            }
            for row in &group.rows {
                row.draw(sheet, columns, y + ROW / 2.0, &self.unit);
                y += ROW;
            }
            y += 8.0;
        }
        y
    }

    fn description(&self) -> String {
        let mut out = format!("{} Values {}.", self.caption.subtitle, self.unit);
        for group in &self.groups {
            for row in &group.rows {
                let cells = self.panels.iter().zip(&row.cells).filter_map(|(panel, cell)| {
                    cell.as_ref().map(|cell| format!("{panel} {}", text(cell)))
                });
                let cells: Vec<String> = cells.collect();
                out += &format!(" {}, {}: {}.", group.heading, row.label, cells.join(", "));
            }
        }
        out
    }
}

impl BarRow {
    fn draw(&self, sheet: &mut Sheet, columns: &[Scale], middle: f64, unit: &str) {
        sheet.text(MARGIN, middle + 4.3, Anchor::Start, NAME, &self.label);
        for (cell, column) in self.cells.iter().zip(columns) {
            if let Some(cell) = cell {
                sheet.open(&format!("{}: {} {unit}", self.label, text(cell)));
                draw(sheet, column, cell, colour(self.colour), middle);
                sheet.close();
            } else {
                let style = Style { colour: GREY, ..VALUE };
                sheet.text(column.start + BESIDE, middle + 4.0, Anchor::Start, style, "–");
            }
        }
    }
}

fn ticks(column: &Scale) -> Vec<Tick> {
    within(0.0, column.high, 3, Unit::Plain)
}

/// Light lines at round numbers.
fn grid(sheet: &mut Sheet, column: &Scale, top: f64, bottom: f64) {
    for tick in ticks(column) {
        let x = column.at(tick.at);
        let stroke = if tick.at == 0.0 { AXIS } else { GRID };
        sheet.line((x, top), (x, bottom), stroke, 1.0);
    }
}

/// The number beside a bar.
fn text(cell: &Estimate) -> String {
    interval(cell.value, cell.low, cell.high, Unit::Plain)
}

/// One bar with its whisker and number, or a hollow mark for zero.
fn draw(sheet: &mut Sheet, column: &Scale, cell: &Estimate, colour: Colour, middle: f64) {
    let zero = cell.value <= 0.0;
    let (low, high) = (column.at(cell.low), column.at(cell.high));
    if !zero {
        let length = column.at(cell.value) - column.start;
        sheet.rect((column.start, middle - BAR / 2.0), (length.max(1.0), BAR), colour.mark);
    }
    if cell.high > cell.low {
        let from = if zero { column.start } else { low };
        let caps = if zero { vec![high] } else { vec![low, high] };
        // A white rim first, so that a whisker shows on a black bar.
        for (stroke, width) in [("#fff", 2.6), (INK, 1.2)] {
            sheet.line((from, middle), (high, middle), stroke, width);
            for &cap in &caps {
                sheet.line((cap, middle - 3.0), (cap, middle + 3.0), stroke, width);
            }
        }
    }
    let mut end = high;
    if zero {
        sheet.circle((column.start, middle), 3.8, "#fff", (colour.mark, 1.8));
        end = end.max(column.start + 4.0);
    }
    let style = Style { colour: if zero { GREY } else { INK }, ..VALUE };
    sheet.text(end + BESIDE, middle + 4.0, Anchor::Start, style, &text(cell));
}
