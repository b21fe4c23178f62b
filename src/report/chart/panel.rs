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

/// What shows where a tick is.
#[derive(Clone, Copy)]
pub(super) enum Shown {
    /// A line of the grid.
    Grid,
    /// A short mark at the edge.
    Mark,
    /// A line of the grid that is there before, under the data.
    Before,
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

    /// The texts at the ticks of its vertical axis, each after what shows where it is.
    pub(super) fn at_left(&self, sheet: &mut Sheet, ticks: &[Tick], shown: Shown) {
        let left = self.area.left;
        for tick in ticks {
            let y = self.y.at(tick.at);
            match shown {
                Shown::Grid => self.row(sheet, tick),
                Shown::Mark => sheet.line(&[(left - MARK, y), (left, y)], AXIS, 1.0),
                Shown::Before => {}
            }
            sheet.text(left - LEFT, y + 4.0, Anchor::End, SMALL, &tick.text);
        }
    }

    /// The texts at the ticks of its horizontal axis, each after what shows where it is; there is
    /// not always room for one.
    pub(super) fn below(&self, sheet: &mut Sheet, ticks: &[Tick], shown: Shown) {
        let bottom = self.area.bottom;
        for tick in ticks {
            let x = self.x.at(tick.at);
            match shown {
                Shown::Grid => self.column(sheet, tick),
                Shown::Mark => sheet.line(&[(x, bottom), (x, bottom + MARK)], AXIS, 1.0),
                Shown::Before => {}
            }
            if !tick.text.is_empty() {
                sheet.text(x, bottom + BELOW, Anchor::Middle, SMALL, &tick.text);
            }
        }
    }

    /// Lines across it at the ticks of the vertical axis, without texts.
    pub(super) fn rows(&self, sheet: &mut Sheet, ticks: &[Tick]) {
        ticks.iter().for_each(|tick| self.row(sheet, tick));
    }

    /// Lines down it at the ticks of the horizontal axis, without texts.
    pub(super) fn columns(&self, sheet: &mut Sheet, ticks: &[Tick]) {
        ticks.iter().for_each(|tick| self.column(sheet, tick));
    }

    fn row(&self, sheet: &mut Sheet, tick: &Tick) {
        let y = self.y.at(tick.at);
        sheet.line(&[(self.area.left, y), (self.area.right, y)], shade(tick), 1.0);
    }

    fn column(&self, sheet: &mut Sheet, tick: &Tick) {
        let x = self.x.at(tick.at);
        sheet.line(&[(x, self.area.top), (x, self.area.bottom)], shade(tick), 1.0);
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
