//! Points with intervals in both directions.

use plotters::prelude::*;

use super::font::Weight;
use super::frame::{self, Key, LABEL, MARGIN, Sign};
use super::marker::marker;
use super::palette::{AXIS, Colour, GREY, INK, colour};
use super::panel::{self, PanelLayout, Shown};
use super::place::{Obstacle, Rect, Wish, beside, distance};
use super::plot::{self, at, steps, stroke};
use super::scale::{Scale, Tick, enclosing, extent, ratios};
use super::svg::{Anchor, Sheet, Style, style};
use super::{Caption, Estimate};
use crate::report::number::{Unit, interval};

/// Labels beside the points.
const NAME: Style = Style { halo: true, ..style(12.5, Weight::SemiBold, INK) };
/// Labels of reference lines.
const REFERENCE: Style = Style { halo: true, ..style(11.5, Weight::Regular, GREY) };
/// The radius of a marker.
const RADIUS: f64 = 5.5;
/// The space between the plot's edge and the outermost numbers of an axis.
const INSET: f64 = 14.0;

/// Points in a plane, coloured by one property and marked by another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scatter {
    /// Title, subtitle and note.
    pub caption: Caption,
    /// The width of the whole chart in pixels.
    pub width: f64,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What each marker index stands for, shown as a legend; empty for no legend.
    pub markers: Vec<String>,
    /// What each colour index stands for, shown as a legend where there are too many points to
    /// name each; empty for no legend.
    pub colours: Vec<String>,
    pub points: Vec<Point>,
    /// Lines across the plot at a fixed x.
    pub x_references: Vec<Reference>,
    /// Lines across the plot at a fixed y.
    pub y_references: Vec<Reference>,
}

/// One axis of a scatter chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// The label with its unit: "attempts per order at the provider".
    pub label: String,
    /// How the ticks are written.
    pub unit: Unit,
    /// Whether equal distances are equal ratios; points at or below zero are then left at the edge.
    pub log: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The horizontal position with its interval.
    pub x: Estimate,
    /// The vertical position with its interval.
    pub y: Estimate,
    /// The text beside it; empty for none.
    pub label: String,
    /// An index into the palette; 0 is black, for the baseline.
    pub colour: usize,
    /// An index into the marker shapes: disc, diamond, square, triangle, ring.
    pub marker: usize,
    /// Points of one group are joined by a thin line, in the order given.
    pub group: Option<usize>,
}

/// A line that gives the plot a fixed point to compare with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// Where, in the unit of its axis.
    pub at: f64,
    /// What it means: "no amplification".
    pub label: String,
}

impl Scatter {
    /// Draws the chart as an SVG document.
    pub fn svg(&self) -> String {
        let mut sheet = frame::sheet("scatter", &self.caption);
        let mut y = frame::head(&mut sheet, &self.caption, self.width);
        y = frame::legend(&mut sheet, &self.keys(), y + 4.0, self.width);
        y += 24.0;
        sheet.text(MARGIN, y, Anchor::Start, LABEL, &self.y.label);
        let plot = self.plot(&sheet, y + 8.0);
        self.grid(&mut sheet, &plot);
        self.references(&mut sheet, &plot);
        self.marks(&mut sheet, &plot);
        self.names(&mut sheet, &plot);
        let bottom = plot.panel.name(&mut sheet, &self.x.label);
        frame::finish(sheet, &self.caption, &self.description(), bottom, self.width)
    }

    fn keys(&self) -> Vec<Key<'_>> {
        // Grey, because the shape alone says which it is.
        let grey = Colour { mark: AXIS, text: GREY };
        let shape = |(shape, label)| Key { label, colour: grey, sign: Sign::Marker(shape) };
        let hue = |(index, label)| Key { label, colour: colour(index), sign: Sign::Marker(0) };
        let hues = self.colours.iter().map(String::as_str).enumerate().map(hue);
        hues.chain(self.markers.iter().map(String::as_str).enumerate().map(shape)).collect()
    }

    fn plot(&self, sheet: &Sheet, top: f64) -> Plot {
        let bottom = top + (self.width * 0.52).clamp(300.0, 560.0);
        let y_range = (bottom - INSET, top + INSET);
        let points = || self.points.iter();
        let (y, y_ticks) = self.y.scale(
            points().map(|p| p.y).collect::<Vec<_>>().as_slice(),
            &self.y_references,
            y_range,
            70.0,
        );
        let (left, right) = (MARGIN + panel::room(sheet, &y_ticks), self.width - MARGIN);
        let (x, x_ticks) = self.x.scale(
            points().map(|p| p.x).collect::<Vec<_>>().as_slice(),
            &self.x_references,
            (left + INSET, right - INSET),
            90.0,
        );
        let panel = PanelLayout { area: Rect { left, top, right, bottom }, x, y };
        Plot { panel, x_ticks, y_ticks }
    }

    fn grid(&self, sheet: &mut Sheet, plot: &Plot) {
        let (panel, area) = (plot.panel, plot.panel.area);
        panel.at_left(sheet, &plot.y_ticks, Shown::Grid);
        panel.below(sheet, &plot.x_ticks, Shown::Grid);
        sheet.line(&[(area.left, area.bottom), (area.right, area.bottom)], AXIS, 1.0);
    }

    fn references(&self, sheet: &mut Sheet, plot: &Plot) {
        for (line, label) in self.x_labels(sheet, plot) {
            let x = plot.panel.x.at(line.at);
            dashes(sheet, [(x, plot.panel.area.top), (x, plot.panel.area.bottom)]);
            sheet.text(label.left, label.bottom - 4.0, Anchor::Start, REFERENCE, &line.label);
        }
        for (line, label) in self.y_labels(sheet, plot) {
            let y = plot.panel.y.at(line.at);
            dashes(sheet, [(plot.panel.area.left, y), (plot.panel.area.right, y)]);
            sheet.text(label.left, label.bottom - 4.0, Anchor::Start, REFERENCE, &line.label);
        }
    }

    /// The labels of the vertical reference lines: at the foot, beside the line.
    fn x_labels<'a>(&'a self, sheet: &Sheet, plot: &Plot) -> Vec<(&'a Reference, Rect)> {
        let shown = self.x_references.iter().filter(|line| plot.panel.x.covers(line.at));
        let place = |line: &'a Reference| {
            let Reference { at, label } = line;
            let (x, width) = (plot.panel.x.at(*at), sheet.width(label, REFERENCE));
            let fits = x + 6.0 + width < plot.panel.area.right;
            let left = if fits { x + 6.0 } else { x - 6.0 - width };
            let bottom = plot.panel.area.bottom - 3.0;
            (line, Rect { left, right: left + width, top: bottom - 16.0, bottom })
        };
        shown.map(place).collect()
    }

    /// The labels of the horizontal reference lines: at the right end, above the line.
    fn y_labels<'a>(&'a self, sheet: &Sheet, plot: &Plot) -> Vec<(&'a Reference, Rect)> {
        let shown = self.y_references.iter().filter(|line| plot.panel.y.covers(line.at));
        let place = |line: &'a Reference| {
            let Reference { at, label } = line;
            let (y, width) = (plot.panel.y.at(*at), sheet.width(label, REFERENCE));
            let right = plot.panel.area.right - 2.0;
            (line, Rect { left: right - width, right, top: y - 17.0, bottom: y - 1.0 })
        };
        shown.map(place).collect()
    }

    fn marks(&self, sheet: &mut Sheet, plot: &Plot) {
        plot.panel.plane(sheet, |plane| {
            let link = |[from, to]: [&Point; 2]| {
                PathElement::new([from.at(), to.at()], stroke(colour(from.colour).mark, 1.0))
            };
            plot::series(plane, self.links().into_iter().map(link))?;
            plot::series(plane, self.points.iter().flat_map(Point::whiskers))
        });
        for point in &self.points {
            sheet.open(&self.tip(point));
            let fill = colour(point.colour).mark;
            plot.panel.plane(sheet, |plane| marker(plane, point.at(), RADIUS, point.marker, fill));
            sheet.close();
        }
    }

    /// The neighbours of each group, which a line joins.
    fn links(&self) -> Vec<[&Point; 2]> {
        let mut out = Vec::new();
        for (index, point) in self.points.iter().enumerate() {
            let same = |other: &&Point| point.group.is_some() && other.group == point.group;
            out.extend(self.points[index + 1..].iter().find(same).map(|next| [point, next]));
        }
        out
    }

    fn names(&self, sheet: &mut Sheet, plot: &Plot) {
        for (point, area) in self.placed(sheet, plot) {
            let colour = colour(point.colour);
            let at = plot.centre(point);
            if distance(at, &area) > RADIUS + 8.0 {
                let end = (at.0.clamp(area.left, area.right), at.1.clamp(area.top, area.bottom));
                let away = distance(at, &area);
                let part = (RADIUS + 1.0) / away;
                let start = (at.0 + (end.0 - at.0) * part, at.1 + (end.1 - at.1) * part);
                sheet.line(&[start, end], colour.text, 0.8);
            }
            let style = Style { colour: colour.text, ..NAME };
            sheet.text(area.left, area.bottom - 3.5, Anchor::Start, style, &point.label);
        }
    }

    /// The points that have a name, with the place of the name.
    fn placed<'a>(&'a self, sheet: &Sheet, plot: &Plot) -> Vec<(&'a Point, Rect)> {
        let named: Vec<&Point> = self.points.iter().filter(|p| !p.label.is_empty()).collect();
        let wish = |p: &&Point| Wish {
            at: plot.centre(p),
            radius: RADIUS,
            size: (sheet.width(&p.label, NAME), 15.0),
        };
        let wishes: Vec<Wish> = named.iter().map(wish).collect();
        let places = beside(&wishes, &self.obstacles(sheet, plot), &plot.panel.area);
        named.into_iter().zip(places).collect()
    }

    fn obstacles(&self, sheet: &Sheet, plot: &Plot) -> Vec<Obstacle> {
        let mut out = Vec::new();
        let mut add = |left: f64, top: f64, right: f64, bottom: f64, cost: f64| {
            out.push(Obstacle { area: Rect { left, top, right, bottom }, cost });
        };
        for point in &self.points {
            let (x, y) = plot.centre(point);
            let r = RADIUS + 1.0;
            add(x - r, y - r, x + r, y + r, 50.0);
            add(plot.panel.x.at(point.x.low), y - 1.0, plot.panel.x.at(point.x.high), y + 1.0, 2.0);
            add(x - 1.0, plot.panel.y.at(point.y.high), x + 1.0, plot.panel.y.at(point.y.low), 2.0);
        }
        for link in self.links() {
            let [from, to] = link.map(|point| plot.centre(point));
            // A slanted line as a chain of small squares.
            let steps = (((to.0 - from.0).abs() + (to.1 - from.1).abs()) / 3.0).ceil().max(1.0);
            for step in 0..=steps as u32 {
                let part = f64::from(step) / steps;
                let (x, y) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
                add(x - 1.5, y - 1.5, x + 1.5, y + 1.5, 1.0);
            }
        }
        for (line, label) in self.x_labels(sheet, plot) {
            let x = plot.panel.x.at(line.at);
            add(x - 1.5, plot.panel.area.top, x + 1.5, plot.panel.area.bottom, 2.0);
            add(label.left, label.top, label.right, label.bottom, 50.0);
        }
        for (line, label) in self.y_labels(sheet, plot) {
            let y = plot.panel.y.at(line.at);
            add(plot.panel.area.left, y - 1.5, plot.panel.area.right, y + 1.5, 2.0);
            add(label.left, label.top, label.right, label.bottom, 50.0);
        }
        out
    }

    /// One point in words.
    fn tip(&self, point: &Point) -> String {
        let x = interval(point.x.value, point.x.low, point.x.high, self.x.unit);
        let y = interval(point.y.value, point.y.low, point.y.high, self.y.unit);
        let marker = self.markers.get(point.marker).map_or("", String::as_str);
        let named = self.colours.get(point.colour).map_or("", String::as_str);
        let own = if point.label.is_empty() { named } else { &point.label };
        let names: Vec<&str> = [own, marker].into_iter().filter(|s| !s.is_empty()).collect();
        format!("{}: {} {x}, {} {y}", names.join(", "), self.x.label, self.y.label)
    }

    fn description(&self) -> String {
        let points: Vec<String> = self.points.iter().map(|point| self.tip(point)).collect();
        format!("{} {}.", self.caption.subtitle, points.join("; "))
    }
}

impl Point {
    fn at(&self) -> (f64, f64) {
        (self.x.value, self.y.value)
    }

    /// The intervals as lines.
    fn whiskers(&self) -> [PathElement<(f64, f64)>; 2] {
        let Point { x, y, .. } = self;
        let line = |from, to| PathElement::new([from, to], stroke(colour(self.colour).mark, 1.4));
        [line((x.low, y.value), (x.high, y.value)), line((x.value, y.low), (x.value, y.high))]
    }
}

/// Draws a reference line between two points given in pixels.
fn dashes(sheet: &mut Sheet, ends: [(f64, f64); 2]) {
    let (dash, gap) = (steps(4.0), steps(3.0));
    let line = DashedLineSeries::new(ends.map(at), dash, gap, stroke(GREY, 1.2));
    sheet.ground(|ground| plot::series(ground, line));
}

/// The plot, with the ticks of its axes.
struct Plot {
    panel: PanelLayout,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
}

impl Plot {
    fn centre(&self, point: &Point) -> (f64, f64) {
        (self.panel.x.at(point.x.value), self.panel.y.at(point.y.value))
    }
}

impl Axis {
    /// An axis that holds all the estimates and references, with a tick about every `every` pixels.
    fn scale(
        &self,
        estimates: &[Estimate],
        references: &[Reference],
        (start, end): (f64, f64),
        every: f64,
    ) -> (Scale, Vec<Tick>) {
        let values = estimates.iter().flat_map(|e| [e.value, e.low, e.high]);
        let values = values.chain(references.iter().map(|line| line.at));
        let count = ((end - start).abs() / every) as usize;
        if self.log {
            let (low, high) = extent(values.filter(|v| *v > 0.0)).unwrap_or((1.0, 10.0));
            let high = if high > low { high } else { low * 2.0 };
            let ticks = ratios(low, high, count, self.unit);
            return (Scale { low, high, start, end, log: true }, ticks);
        }
        let (low, high) = extent(values).unwrap_or((0.0, 1.0));
        let ticks = enclosing(low, high, count, self.unit);
        let (low, high) = (ticks[0].at, ticks[ticks.len() - 1].at);
        (Scale { low, high, start, end, log: false }, ticks)
    }
}
