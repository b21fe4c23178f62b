//! A phase diagram: the share of runs to which something happens, by two quantities.

use plotters::prelude::*;

use super::font::Weight;
use super::frame::{self, HEADING, LABEL, MARGIN, SMALL};
use super::palette::{AXIS, GREY, INK, ramp};
use super::panel::{self, PanelLayout, Shown};
use super::place::spread;
use super::plot::{self, at, steps, stroke};
use super::scale::{Scale, Tick, extent, ratios, within};
use super::svg::{Anchor, Sheet, Style, style};
use super::{Axis, Caption, Estimate, Reference};
use crate::report::number::{Unit, interval, number};

/// Names at the ends of contours.
const CONTOUR: Style = Style { halo: true, ..style(12.5, Weight::SemiBold, INK) };
/// Names of vertical lines.
const LINE: Style = style(11.5, Weight::Regular, GREY);
/// Into how many shades a column is cut.
const SLICES: u32 = 120;
/// How many colours there are.
const SHADES: f64 = 40.0;
/// How wide the edges of a band are, in pixels.
const EDGE: f64 = 0.7;
/// The room for names at the right of a panel.
const NAMES: f64 = 40.0;
/// The height of a name of a vertical line.
const STRIP: f64 = 16.0;

/// Panels with the same axes: a column of colour for each x, and contours across the columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Phase {
    /// Title, subtitle and note.
    pub caption: Caption,
    /// The width of the whole chart in pixels.
    pub width: f64,
    /// The horizontal axis. Ticks are the columns.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What the colour is the share of: "runs that stay down".
    pub share: String,
    /// The names of the contours, such as `D50`.
    pub contours: Vec<String>,
    /// Which contour is drawn bold, with its interval as a band.
    pub bold: usize,
    /// The panels, from the left and then downwards.
    pub panels: Vec<PhasePanel>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhasePanel {
    /// What stands above it; may be empty.
    pub title: String,
    /// The columns, by x.
    pub columns: Vec<PhaseColumn>,
    /// What stands in it where no contour does, such as "never up to 1 min"; may be empty.
    pub remark: String,
    /// Vertical lines.
    pub lines: Vec<Reference>,
}

/// What is known at one x.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseColumn {
    pub x: f64,
    /// What it is called.
    pub label: String,
    /// The y that were tried with the share at each, ascending; at least one.
    pub shares: Vec<(f64, f64)>,
    /// Where each contour crosses; `None` if it does not. An end of an interval may be infinite:
    /// the point is then hollow.
    pub crossings: Vec<Option<Estimate>>,
}

impl Phase {
    /// Draws the chart as an SVG document.
    pub fn svg(&self) -> String {
        let mut sheet = frame::sheet("phase", &self.caption);
        let mut y = frame::head(&mut sheet, &self.caption, self.width);
        y = self.key(&mut sheet, y + 14.0);
        let across = if self.panels.len() > 1 { 2 } else { 1 };
        let gap = 30.0;
        let width = (self.width - 2.0 * MARGIN + gap) / across as f64 - gap;
        for panels in self.panels.chunks(across) {
            let strips = panels.iter().map(|panel| panel.lines.len()).max().unwrap_or(0);
            let titled = panels.iter().any(|panel| !panel.title.is_empty());
            let title = y + if titled { 26.0 } else { 6.0 };
            let top = title + STRIP * strips as f64 + 26.0;
            let mut bottom = top;
            for (index, panel) in panels.iter().enumerate() {
                let left = MARGIN + (width + gap) * index as f64;
                let place = self.place(&sheet, left, top, width);
                sheet.text(left, title, Anchor::Start, HEADING, &panel.title);
                self.panel(&mut sheet, panel, &place, title + STRIP);
                // Above the lines that lead to the names of vertical lines.
                let label = Style { halo: true, ..LABEL };
                sheet.text(left, top - 9.0, Anchor::Start, label, &self.y.label);
                bottom = place.area.bottom;
            }
            y = bottom + 44.0;
        }
        frame::finish(sheet, &self.caption, &self.description(), y, self.width)
    }

    /// What the colours mean; returns the y below it.
    fn key(&self, sheet: &mut Sheet, y: f64) -> f64 {
        let (left, width, height) = (MARGIN + 10.0, 180.0, 12.0);
        let scale = Scale { low: 0.0, high: 1.0, start: left, end: left + width, log: false };
        let shade = |k: u32| {
            let part = |k: u32| scale.at(f64::from(k) / SHADES);
            let corners = [(part(k), y), (part(k + 1), y + height)].map(at);
            Rectangle::new(corners, ramp(f64::from(k) / (SHADES - 1.0)).filled())
        };
        sheet.ground(|ground| plot::series(ground, (0..SHADES as u32).map(shade)));
        for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let text = number(part, Unit::Percent);
            sheet.text(scale.at(part), y + height + 15.0, Anchor::Middle, SMALL, &text);
        }
        sheet.text(left + width + 22.0, y + 11.0, Anchor::Start, LABEL, &self.share);
        y + height + 20.0
    }

    fn place(&self, sheet: &Sheet, left: f64, top: f64, width: f64) -> PanelLayout {
        let bottom = top + (width * 0.5).clamp(240.0, 460.0);
        let (low, high) = self.y_range();
        let y = Scale { low, high, start: bottom, end: top, log: self.y.log };
        let ticks = self.y_ticks(&y);
        let (start, end) = (left + panel::room(sheet, &ticks), left + width - NAMES);
        let (low, high) = self.x_range();
        let x = Scale { low, high, start, end, log: false };
        PanelLayout::of(x, y)
    }

    fn columns(&self) -> impl Iterator<Item = &PhaseColumn> {
        self.panels.iter().flat_map(|panel| &panel.columns)
    }

    fn y_range(&self) -> (f64, f64) {
        let tried = self.columns().flat_map(|column| column.shares.iter().map(|(y, _)| *y));
        extent(tried).filter(|(low, high)| low < high).unwrap_or((1.0, 10.0))
    }

    /// From half a gap before the first column to half a gap after the last.
    fn x_range(&self) -> (f64, f64) {
        let columns = self.panels.iter().flat_map(|panel| edges(&panel.columns));
        extent(columns.flat_map(|(left, right)| [left, right])).unwrap_or((0.0, 1.0))
    }

    fn y_ticks(&self, y: &Scale) -> Vec<Tick> {
        let count = ((y.start - y.end).abs() / 36.0) as usize;
        match self.y.log {
            true => ratios(y.low, y.high, count, self.y.unit),
            false => within(y.low, y.high, count, self.y.unit),
        }
    }

    fn panel(&self, sheet: &mut Sheet, panel: &PhasePanel, place: &PanelLayout, names: f64) {
        for (column, edges) in panel.columns.iter().zip(edges(&panel.columns)) {
            // Each reaches on under the next one: side by side, white would shine through.
            let edges = (edges.0, place.x.high);
            sheet.open(&self.tip(column));
            place.plane(sheet, |plane| plot::series(plane, slices(column, edges, &place.y)));
            sheet.close();
        }
        self.axes(sheet, panel, place);
        self.band(sheet, panel, place);
        lines(sheet, panel, place, names);
        self.contours(sheet, panel, place);
        let (x, y) = (f64::midpoint(place.area.left, place.area.right), place.y.middle());
        sheet.text(x, y, Anchor::Middle, Style { halo: true, ..LABEL }, &panel.remark);
    }

    fn axes(&self, sheet: &mut Sheet, panel: &PhasePanel, place: &PanelLayout) {
        let area = place.area;
        place.at_left(sheet, &self.y_ticks(&place.y), Shown::Mark);
        let room = (area.right - area.left) / panel.columns.len().max(1) as f64;
        let widest = panel.columns.iter().map(|column| sheet.width(&column.label, SMALL));
        let every = ((widest.fold(0.0, f64::max) + 8.0) / room).ceil().max(1.0) as usize;
        let tick = |(index, column): (usize, &PhaseColumn)| Tick {
            at: column.x,
            text: if index % every == 0 { column.label.clone() } else { String::new() },
        };
        let ticks: Vec<Tick> = panel.columns.iter().enumerate().map(tick).collect();
        place.below(sheet, &ticks, Shown::Mark);
        place.name(sheet, &self.x.label);
        let frame = [
            (area.left, area.top),
            (area.right, area.top),
            (area.right, area.bottom),
            (area.left, area.bottom),
            (area.left, area.top),
        ];
        sheet.line(&frame, AXIS, 1.0);
    }

    /// The interval of the bold contour.
    fn band(&self, sheet: &mut Sheet, panel: &PhasePanel, place: &PanelLayout) {
        let crossing = |column: &PhaseColumn| {
            let crossing = column.crossings.get(self.bold).copied().flatten()?;
            Some((column.x, crossing.low.max(place.y.low), crossing.high.min(place.y.high)))
        };
        let crossings: Vec<Option<(f64, f64, f64)>> = panel.columns.iter().map(crossing).collect();
        for run in crossings.split(Option::is_none) {
            let run: Vec<(f64, f64, f64)> = run.iter().flatten().copied().collect();
            let [(x, low, high)] = run[..] else {
                let upper = run.iter().map(|(x, _, high)| (*x, *high));
                let lower = run.iter().rev().map(|(x, low, _)| (*x, *low));
                let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
                if !outline.is_empty() {
                    let edges = [&outline[..run.len()], &outline[run.len()..]]
                        .map(|edge| PathElement::new(edge, stroke(INK, EDGE)));
                    let band = Polygon::new(&*outline, WHITE.mix(0.8).filled());
                    place.plane(sheet, |plane| {
                        plane.draw(&band)?;
                        plot::series(plane, edges)
                    });
                }
                continue;
            };
            let x = place.x.at(x);
            let ends = [(x, place.y.at(low)), (x, place.y.at(high))];
            sheet.line(&ends, INK, 6.0 + 2.0 * EDGE);
            sheet.line(&ends, WHITE, 6.0);
        }
    }

    fn contours(&self, sheet: &mut Sheet, panel: &PhasePanel, place: &PanelLayout) {
        let mut names: Vec<(f64, f64, &str)> = Vec::new();
        for (index, name) in self.contours.iter().enumerate() {
            let bold = index == self.bold;
            let width = if bold { 2.6 } else { 1.5 };
            let crossing = |column: &PhaseColumn| column.crossings.get(index).copied().flatten();
            let point = |column: &PhaseColumn| {
                Some((place.x.at(column.x), place.y.at(crossing(column)?.value)))
            };
            let points: Vec<Option<(f64, f64)>> = panel.columns.iter().map(point).collect();
            for run in points.split(Option::is_none) {
                let run: Vec<(f64, f64)> = run.iter().flatten().copied().collect();
                if run.len() > 1 {
                    sheet.line(&run, WHITE, width + 2.4);
                    match bold {
                        true => sheet.line(&run, INK, width),
                        false => dashes(sheet, &run, INK, width),
                    }
                }
            }
            let marks = points.iter().zip(panel.columns.iter().map(crossing));
            for (centre, crossing) in marks.filter_map(|(at, crossing)| Some(((*at)?, crossing?))) {
                mark(sheet, centre, if bold { 4.0 } else { 3.0 }, crossing.is_open());
            }
            if let Some((x, y)) = points.into_iter().flatten().next_back() {
                names.push((x, y, name));
            }
        }
        let wanted: Vec<f64> = names.iter().map(|(_, y, _)| *y).collect();
        let placed = spread(&wanted, 15.0, place.area.top, place.area.bottom).unwrap_or(wanted);
        for ((x, at_line, name), y) in names.into_iter().zip(placed) {
            let start = place.area.right + 8.0;
            let ends_at_edge = x >= place.x.at(panel.columns.last().map_or(x, |last| last.x)) - 1.0;
            if ends_at_edge {
                sheet.line(&[(x, at_line), (start - 2.0, y)], INK, 0.8);
                sheet.text(start, y + 4.0, Anchor::Start, CONTOUR, name);
            } else {
                sheet.text(x + 8.0, at_line + 4.0, Anchor::Start, CONTOUR, name);
            }
        }
    }

    /// One column in words.
    fn tip(&self, column: &PhaseColumn) -> String {
        let crossings = self.contours.iter().zip(&column.crossings);
        let crossings = crossings.filter_map(|(name, crossing)| {
            let crossing = (*crossing)?;
            let text = interval(crossing.value, crossing.low, crossing.high, self.y.unit);
            Some(format!("{name} {text}"))
        });
        let crossings: Vec<String> = crossings.collect();
        match crossings.is_empty() {
            true => format!("{} {}: no boundary", self.x.label, column.label),
            false => format!("{} {}: {}", self.x.label, column.label, crossings.join(", ")),
        }
    }

    fn description(&self) -> String {
        let tips: Vec<String> = self.columns().map(|column| self.tip(column)).collect();
        format!("{} {}.", self.caption.subtitle, tips.join("; "))
    }
}

/// From where to where each column reaches: half way to its neighbours.
fn edges(columns: &[PhaseColumn]) -> Vec<(f64, f64)> {
    let middle = |from: usize| f64::midpoint(columns[from].x, columns[from + 1].x);
    let edge = |index: usize| {
        let x = columns[index].x;
        let before = (index > 0).then(|| middle(index - 1));
        let after = (index + 1 < columns.len()).then(|| middle(index));
        match (before, after) {
            (Some(before), Some(after)) => (before, after),
            (Some(before), None) => (before, x + (x - before)),
            (None, Some(after)) => (x - (after - x), after),
            (None, None) => (x - 0.5, x + 0.5),
        }
    };
    (0..columns.len()).map(edge).collect()
}

/// The shades of a column, each from where it begins to the top, under the next one.
fn slices(
    column: &PhaseColumn,
    (left, right): (f64, f64),
    y: &Scale,
) -> Vec<Rectangle<(f64, f64)>> {
    let edge = |slice: u32| {
        let part = f64::from(slice) / f64::from(SLICES);
        match y.log {
            true => y.low * libm::pow(y.high / y.low, part),
            false => y.low + (y.high - y.low) * part,
        }
    };
    let shade = |slice: u32| {
        let middle = f64::midpoint(y.part(edge(slice)), y.part(edge(slice + 1)));
        (share_at(column, middle, y) * (SHADES - 1.0)).round()
    };
    let mut shades: Vec<(f64, u32)> = (0..SLICES).map(|slice| (shade(slice), slice)).collect();
    shades.dedup_by_key(|(shade, _)| *shade);
    let rectangle = |(shade, from): (f64, u32)| {
        let corners = [(left, y.high), (right, edge(from))];
        Rectangle::new(corners, ramp(shade / (SHADES - 1.0)).filled())
    };
    shades.into_iter().map(rectangle).collect()
}

/// The share at a part of the axis, on a straight line between what was tried.
fn share_at(column: &PhaseColumn, part: f64, y: &Scale) -> f64 {
    let shares = &column.shares;
    let after = shares.iter().position(|(tried, _)| y.part(*tried) >= part);
    match after {
        Some(0) => shares[0].1,
        None => shares.last().map_or(0.0, |last| last.1),
        Some(after) => {
            let ((low, from), (high, to)) = (shares[after - 1], shares[after]);
            let (low, high) = (y.part(low), y.part(high));
            from + (to - from) * (part - low) / (high - low)
        }
    }
}

/// Vertical lines, with their names above the panel: one to each strip, from the left downwards.
fn lines(sheet: &mut Sheet, panel: &PhasePanel, place: &PanelLayout, names: f64) {
    let mut shown: Vec<&Reference> =
        panel.lines.iter().filter(|line| place.x.covers(line.at)).collect();
    shown.sort_by(|a, b| a.at.total_cmp(&b.at));
    for (strip, line) in shown.into_iter().enumerate() {
        let x = place.x.at(line.at);
        let baseline = names + STRIP * strip as f64 + 4.0;
        sheet.line(&[(x, baseline - 9.0), (x, place.area.top)], GREY, 0.8);
        sheet.line(&[(x, place.area.top), (x, place.area.bottom)], WHITE, 3.0);
        dashes(sheet, &[(x, place.area.top), (x, place.area.bottom)], GREY, 1.4);
        let fits = x + 5.0 + sheet.width(&line.label, LINE) < place.area.right + NAMES;
        let (x, anchor) = if fits { (x + 5.0, Anchor::Start) } else { (x - 5.0, Anchor::End) };
        sheet.text(x, baseline, anchor, LINE, &line.label);
    }
}

/// A disc with a white rim, hollow if it stands for less than a point is.
fn mark(sheet: &mut Sheet, centre: (f64, f64), radius: f64, hollow: bool) {
    let disc =
        |(radius, colour): (f64, RGBColor)| Circle::new(at(centre), steps(radius), colour.filled());
    let hole = hollow.then_some((radius - 1.3, WHITE));
    let discs = [(radius + 1.2, WHITE), (radius, INK)].into_iter().chain(hole).map(disc);
    sheet.ground(|ground| plot::series(ground, discs));
}

fn dashes(sheet: &mut Sheet, points: &[(f64, f64)], colour: RGBColor, width: f64) {
    let line = DashedLineSeries::new(
        points.iter().copied().map(at),
        steps(5.0),
        steps(3.0),
        stroke(colour, width),
    );
    sheet.ground(|ground| plot::series(ground, line));
}
