//! Lines with interval bands in a grid of panels.

mod ends;

use std::fmt::Write;

use ends::EndLabel;
use plotters::prelude::*;

use super::Caption;
use super::font::Weight;
use super::frame::{self, HEADING, Key, LABEL, MARGIN, Sign};
use super::palette::{SHADE, SHADE_TEXT, colour};
use super::panel::{self, PanelLayout, Shown};
use super::plot::{self, Drawn, Plane, steps, stroke};
use super::scale::{Scale, Tick, enclosing, extent, within};
use super::svg::{Anchor, Sheet, Style, style};
use crate::report::number::Unit;

/// The part of the width that names at the ends of the lines may take.
const WIDEST_NAMES: f64 = 0.25;
/// The text of shaded intervals.
const SHADED: Style = style(11.5, Weight::Regular, SHADE_TEXT);

/// A grid of panels: the rows share a y axis, the columns share the x axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// Title, subtitle and note.
    pub caption: Caption,
    /// The width of the whole chart in pixels; the height follows from the number of rows.
    pub width: f64,
    /// The label of the x axis with its unit: "seconds since the start".
    pub x_label: String,
    /// The title of each column; empty strings (or an empty list) for no titles.
    pub columns: Vec<String>,
    /// The rows, from the top.
    pub rows: Vec<Row>,
    /// The x intervals shaded in every panel.
    pub shaded: Vec<Shaded>,
}

/// One row of panels with a common y axis, which starts at zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The label of the y axis with its unit: "goodput, orders per second".
    pub label: String,
    /// One panel for each column.
    pub panels: Vec<Panel>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// The lines, the first lowest in the drawing order.
    pub series: Vec<Series>,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stroke {
    /// Without gaps.
    #[default]
    Solid,
    Dashed,
    /// In dots.
    Dotted,
}

/// One line with its band; the vectors have the same length, and points that are not finite
/// interrupt the line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The name, the same in every panel.
    pub label: String,
    /// An index into the palette; 0 is black, for the baseline.
    pub colour: usize,
    /// What tells it apart from another of its colour; the same in every panel.
    pub stroke: Stroke,
    /// Whether it is drawn thinner than the others, because it stands for less.
    pub thin: bool,
    /// Where, ascending, in the unit of the x axis.
    pub x: Vec<f64>,
    /// The line, in the unit of the row.
    pub middle: Vec<f64>,
    /// The lower edge of the band; empty for no band.
    pub low: Vec<f64>,
    /// The upper edge of the band; empty for no band.
    pub high: Vec<f64>,
}

/// A shaded interval of x, such as the time a fault lasts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shaded {
    /// Where it begins, in the unit of the x axis.
    pub from: f64,
    /// Where it ends, in the unit of the x axis.
    pub to: f64,
    /// What it is: "provider brownout".
    pub label: String,
}

impl Lines {
    /// Draws the chart as an SVG document.
    pub fn svg(&self) -> String {
        let mut sheet = frame::sheet("lines", &self.caption);
        let axes: Vec<YAxis> = self.rows.iter().map(Row::axis).collect();
        let room = ends::width(&sheet, self.all_series().into_iter().map(|series| &*series.label));
        let direct = self.layout(&sheet, &axes, room);
        // A name shows the colour of its line, a key of a legend the stroke as well.
        let fits = room <= WIDEST_NAMES * self.width
            && self.all_series().iter().all(|series| series.stroke == Stroke::Solid);
        let labels: Vec<Vec<EndLabel>> = (0..self.rows.len())
            .map(|row| {
                self.end_labels(row, &axes[row], &direct).filter(|_| fits).unwrap_or_default()
            })
            .collect();
        let legend = labels.iter().all(Vec::is_empty);
        let layout = if legend { self.layout(&sheet, &axes, 0.0) } else { direct };

        let mut y = frame::head(&mut sheet, &self.caption, self.width);
        if legend {
            y = frame::legend(&mut sheet, &self.keys(), y + 4.0, self.width);
        }
        y = self.column_titles(&mut sheet, &layout, y + 8.0);
        for (index, row) in self.rows.iter().enumerate() {
            y += 22.0;
            sheet.text(MARGIN, y - 3.0, Anchor::Start, LABEL, &row.label);
            let strips = if index == 0 { self.shade_labels(&mut sheet, &layout, y) } else { 0.0 };
            y += strips + 6.0;
            self.row(&mut sheet, &layout, row, &axes[index], y);
            ends::draw(&mut sheet, &labels[index], y);
            y += layout.height + 14.0;
        }
        y = self.x_axis(&mut sheet, &layout, y - 14.0);
        frame::finish(sheet, &self.caption, &self.description(), y, self.width)
    }

    /// Where the panels lie if `labels` pixels at the right are kept for the ends of the lines.
    fn layout(&self, sheet: &Sheet, axes: &[YAxis], labels: f64) -> Layout {
        let rooms = axes.iter().map(|axis| panel::room(sheet, &axis.ticks));
        let left = MARGIN + rooms.fold(0.0, f64::max);
        let columns = self.rows.iter().map(|row| row.panels.len()).max().unwrap_or(0).max(1);
        let gap = 24.0;
        let right = self.width - MARGIN - labels;
        let width = (right - left - gap * (columns - 1) as f64) / columns as f64;
        let width = width.max(40.0);
        let all = self.rows.iter().flat_map(|row| &row.panels).flat_map(|panel| &panel.series);
        let ends = extent(all.flat_map(|series| series.x.iter().copied())).unwrap_or((0.0, 1.0));
        let high = if ends.1 > ends.0 { ends.1 } else { ends.0 + 1.0 };
        let panels = (0..columns)
            .map(|column| {
                let start = left + (width + gap) * column as f64;
                Scale { low: ends.0, high, start, end: start + width, log: false }
            })
            .collect();
        let height = (width * 0.56).clamp(150.0, 380.0);
        Layout { panels, height }
    }

    /// Every series once, in the order of first appearance, with its colour and stroke.
    fn all_series(&self) -> Vec<&Series> {
        let mut all: Vec<&Series> = Vec::new();
        for series in self.rows.iter().flat_map(|row| &row.panels).flat_map(|p| &p.series) {
            if !series.label.is_empty() && all.iter().all(|known| known.label != series.label) {
                all.push(series);
            }
        }
        all
    }

    fn keys(&self) -> Vec<Key<'_>> {
        self.all_series()
            .into_iter()
            .map(|series| Key {
                label: &series.label,
                colour: colour(series.colour),
                sign: Sign::Line(series.stroke),
            })
            .collect()
    }

    /// The names at the right of a row, if every series ends there and none strays from its line.
    fn end_labels(&self, row: usize, axis: &YAxis, layout: &Layout) -> Option<Vec<EndLabel>> {
        let last = layout.panels.len() - 1;
        let series = &self.rows[row].panels.get(last)?.series;
        let named = |label: &str| series.iter().any(|series| series.label == label);
        let all = self.all_series().into_iter().all(|series| named(&series.label));
        let y = axis.scale(layout.height, 0.0);
        if all { ends::place(series, &layout.panels[last], &y) } else { None }
    }

    fn column_titles(&self, sheet: &mut Sheet, layout: &Layout, y: f64) -> f64 {
        let mut bottom = y;
        for (title, panel) in self.columns.iter().zip(&layout.panels) {
            let width = panel.end - panel.start;
            for (k, line) in
                sheet.fonts.wrap(title, HEADING.size, HEADING.weight, width).iter().enumerate()
            {
                let baseline = y + 17.0 * (k + 1) as f64;
                sheet.text(panel.start, baseline, Anchor::Start, HEADING, line);
                bottom = bottom.max(baseline + 2.0);
            }
        }
        bottom
    }

    /// Writes the names of the shaded intervals above the panels, higher where they would touch;
    /// returns the height used.
    fn shade_labels(&self, sheet: &mut Sheet, layout: &Layout, y: f64) -> f64 {
        let mut placed: Vec<ShadeLabel> = Vec::new();
        for (column, panel) in layout.panels.iter().enumerate() {
            for shaded in &self.shaded {
                let half = sheet.width(&shaded.label, SHADED) / 2.0;
                let middle = f64::midpoint(panel.at(shaded.from), panel.at(shaded.to));
                let middle = middle.min(panel.end - half).max(panel.start + half);
                let touches = |other: &ShadeLabel, strip: usize| {
                    (other.column, other.strip) == (column, strip)
                        && (other.middle - middle).abs() < other.half + half + 10.0
                };
                let free = |strip: &usize| !placed.iter().any(|other| touches(other, *strip));
                let strip = (0..=placed.len()).find(free).unwrap_or(0);
                placed.push(ShadeLabel { column, strip, middle, half, text: &shaded.label });
            }
        }
        let strips = placed.iter().map(|label| label.strip + 1).max().unwrap_or(0);
        let height = 16.0 * strips as f64;
        for label in &placed {
            let baseline = y + height + 1.0 - 16.0 * label.strip as f64;
            sheet.text(label.middle, baseline, Anchor::Middle, SHADED, label.text);
        }
        height
    }

    fn row(&self, sheet: &mut Sheet, layout: &Layout, row: &Row, axis: &YAxis, top: f64) {
        for (column, x) in layout.panels.iter().enumerate() {
            let panel = PanelLayout::of(*x, axis.scale(layout.height, top));
            let series = row.panels.get(column).map_or(&[][..], |panel| &panel.series);
            panel.plane(sheet, |plane| {
                plot::series(plane, self.shaded.iter().map(|shaded| shaded.area(&panel.y)))
            });
            panel.rows(sheet, &axis.ticks);
            panel.plane(sheet, |plane| plot::series(plane, series.iter().flat_map(Series::bands)));
            for series in series {
                sheet.open(&series.label);
                sheet.stroked(series.stroke, |sheet| {
                    panel.plane(sheet, |plane| series.draw_line(plane));
                });
                sheet.close();
            }
            if column == 0 {
                panel.at_left(sheet, &axis.ticks, Shown::Before);
            }
        }
    }

    /// The axis below the panels, whose lower edge is at `y`; returns the y below it.
    fn x_axis(&self, sheet: &mut Sheet, layout: &Layout, y: f64) -> f64 {
        let edge = Scale { low: 0.0, high: 1.0, start: y, end: y, log: false };
        for x in &layout.panels {
            let count = ((x.end - x.start) / 42.0) as usize;
            let ticks = within(x.low, x.high, count, Unit::Plain);
            let panel = PanelLayout::of(*x, edge);
            panel.below(sheet, &ticks, Shown::Mark);
        }
        let (Some(first), Some(last)) = (layout.panels.first(), layout.panels.last()) else {
            return y;
        };
        PanelLayout::of(Scale { end: last.end, ..*first }, edge).name(sheet, &self.x_label)
    }

    fn description(&self) -> String {
        let mut out = String::new();
        let names: Vec<&str> = self.all_series().iter().map(|series| &*series.label).collect();
        let _ = write!(out, "{} Lines: {}.", self.caption.subtitle, names.join(", "));
        let rows: Vec<&str> = self.rows.iter().map(|row| row.label.as_str()).collect();
        let _ = write!(out, " Rows: {}. Across: {}.", rows.join("; "), self.x_label);
        for shaded in &self.shaded {
            let _ = write!(out, " {} from {} to {}.", shaded.label, shaded.from, shaded.to);
        }
        out
    }
}

/// Where the panels lie.
struct Layout {
    /// The x axis of each column.
    panels: Vec<Scale>,
    /// The height of each panel.
    height: f64,
}

/// The y axis of a row.
struct YAxis {
    ticks: Vec<Tick>,
    low: f64,
    high: f64,
}

impl YAxis {
    fn scale(&self, height: f64, top: f64) -> Scale {
        Scale { low: self.low, high: self.high, start: top + height, end: top, log: false }
    }
}

/// The name of a shaded interval above a panel.
struct ShadeLabel<'a> {
    column: usize,
    strip: usize,
    middle: f64,
    half: f64,
    text: &'a str,
}

impl Shaded {
    fn area(&self, y: &Scale) -> Rectangle<(f64, f64)> {
        Rectangle::new([(self.from, y.high), (self.to, y.low)], SHADE.filled())
    }
}

impl Row {
    /// The y axis: from zero to the data, or to the next tick if that is close.
    fn axis(&self) -> YAxis {
        let all = || self.panels.iter().flat_map(|panel| &panel.series);
        let values = all().flat_map(|s| s.middle.iter().chain(&s.low).chain(&s.high)).copied();
        let (low, high) = extent(values).unwrap_or((0.0, 1.0));
        let mut ticks = enclosing(low.min(0.0), high.max(0.0), 4, Unit::Plain);
        let (first, last) = (ticks[0].at, ticks[ticks.len() - 1].at);
        if last - first <= 1.12 * (high - first) || high <= 0.0 {
            return YAxis { ticks, low: first, high: last };
        }
        ticks.pop();
        YAxis { ticks, low: first, high: first + 1.04 * (high - first) }
    }
}

impl Series {
    /// The last point that is a number.
    fn end(&self) -> Option<(f64, f64)> {
        let points = self.x.iter().copied().zip(self.middle.iter().copied());
        points.rev().find(|(x, y)| x.is_finite() && y.is_finite())
    }

    /// The band between the bounds; what is not finite interrupts it.
    fn bands(&self) -> Vec<Polygon<(f64, f64)>> {
        let edges = self.x.iter().zip(self.low.iter().zip(&self.high));
        let points: Vec<[f64; 3]> = edges.map(|(x, (low, high))| [*x, *low, *high]).collect();
        let runs = points.split(|point| !point.iter().all(|v| v.is_finite()));
        let band = |run: &[[f64; 3]]| {
            let upper = run.iter().map(|[x, _, high]| (*x, *high));
            let lower = run.iter().rev().map(|[x, low, _]| (*x, *low));
            let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
            Polygon::new(outline, colour(self.colour).mark.mix(0.16).filled())
        };
        runs.filter(|run| run.len() > 1).map(band).collect()
    }

    fn draw_line(&self, plane: &Plane<'_>) -> Drawn {
        let (mark, width) = (colour(self.colour).mark, if self.thin { 1.0 } else { 1.9 });
        let points: Vec<(f64, f64)> =
            self.x.iter().copied().zip(self.middle.iter().copied()).collect();
        for run in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
            if let [only] = *run {
                plane.draw(&Circle::new(only, steps(1.5), mark.filled()))?;
            } else {
                plot::series(plane, LineSeries::new(run.iter().copied(), stroke(mark, width)))?;
            }
        }
        Ok(())
    }
}
