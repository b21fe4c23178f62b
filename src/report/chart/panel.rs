//! A panel: the area that two axes span, its grid, and the texts at its ticks.

use plotters::prelude::*;

use super::frame::{LABEL, SMALL};
use super::palette::{AXIS, GRID};
use super::place::Rect;
use super::plot::{Drawn, Plane};
use super::scale::{Scale, Tick};
use super::svg::{Anchor, Sheet};

/// From the left edge to the texts of the ticks.
const LEFT: f64 = 7.0;
/// From the lower edge to the baseline of the texts of the ticks.
const BELOW: f64 = 17.0;
/// From the lower edge to the baseline of the name of the axis.
const NAME: f64 = 38.0;
/// From the lower edge to the end of that name.
const NAMED: f64 = 43.0;
/// The length of a mark at a tick, where no line of the grid shows it.
const MARK: f64 = 4.0;

/// Where data lie on a sheet.
#[derive(Clone, Copy)]
pub(super) struct PanelLayout {
    /// All of it, in pixels: it may reach beyond its axes.
    pub(super) area: Rect,
    /// The horizontal axis.
    pub(super) x: Scale,
    /// The vertical axis.
    pub(super) y: Scale,
}

/// The room that the texts at the left of a panel take.
pub(super) fn room(sheet: &Sheet, ticks: &[Tick]) -> f64 {
    ticks.iter().map(|tick| sheet.width(&tick.text, SMALL)).fold(0.0, f64::max) + LEFT + 1.0
}

impl PanelLayout {
    /// The panel that two axes span.
    pub(super) fn of(x: Scale, y: Scale) -> PanelLayout {
        let (top, bottom) = (y.start.min(y.end), y.start.max(y.end));
        PanelLayout { area: Rect { left: x.start, top, right: x.end, bottom }, x, y }
    }

    /// Draws in the coordinates of the data.
    pub(super) fn plane(&self, sheet: &mut Sheet, draw: impl FnOnce(&Plane<'_>) -> Drawn) {
        sheet.plane(self.x, self.y, draw);
    }

    /// Lines across it at the ticks of the vertical axis.
    pub(super) fn rows(&self, sheet: &mut Sheet, ticks: &[Tick]) {
        for tick in ticks {
            let y = self.y.at(tick.at);
            sheet.line(&[(self.area.left, y), (self.area.right, y)], shade(tick), 1.0);
        }
    }

    /// Lines down it at the ticks of the horizontal axis.
    pub(super) fn columns(&self, sheet: &mut Sheet, ticks: &[Tick]) {
        for tick in ticks {
            let x = self.x.at(tick.at);
            sheet.line(&[(x, self.area.top), (x, self.area.bottom)], shade(tick), 1.0);
        }
    }

    /// Short marks at its left edge, where no line crosses it.
    pub(super) fn marks_at_left(&self, sheet: &mut Sheet, ticks: &[Tick]) {
        for y in ticks.iter().map(|tick| self.y.at(tick.at)) {
            sheet.line(&[(self.area.left - MARK, y), (self.area.left, y)], AXIS, 1.0);
        }
    }

    /// Short marks at its lower edge, where no line goes down it.
    pub(super) fn marks_below(&self, sheet: &mut Sheet, values: impl Iterator<Item = f64>) {
        let bottom = self.area.bottom;
        for x in values.map(|value| self.x.at(value)) {
            sheet.line(&[(x, bottom), (x, bottom + MARK)], AXIS, 1.0);
        }
    }

    /// The texts at its left.
    pub(super) fn at_left(&self, sheet: &mut Sheet, ticks: &[Tick]) {
        for tick in ticks {
            let y = self.y.at(tick.at) + 4.0;
            sheet.text(self.area.left - LEFT, y, Anchor::End, SMALL, &tick.text);
        }
    }

    /// The texts below it.
    pub(super) fn below(&self, sheet: &mut Sheet, ticks: &[Tick]) {
        for tick in ticks {
            let (x, y) = (self.x.at(tick.at), self.area.bottom + BELOW);
            sheet.text(x, y, Anchor::Middle, SMALL, &tick.text);
        }
    }

    /// The name of its horizontal axis; returns the y below it.
    pub(super) fn name(&self, sheet: &mut Sheet, name: &str) -> f64 {
        let middle = f64::midpoint(self.area.left, self.area.right);
        sheet.text(middle, self.area.bottom + NAME, Anchor::Middle, LABEL, name);
        self.area.bottom + NAMED
    }
}

/// The colour of a line of the grid: where nothing is, it is the axis.
fn shade(tick: &Tick) -> RGBColor {
    if tick.at == 0.0 { AXIS } else { GRID }
}
