//! Where plotters draws: its drawing areas, over whole sheets and over panels.
//!
//! The coordinates of a plotters backend are whole numbers, and whole pixels would show as steps
//! in every line. So a sheet has [`STEPS`] grid steps for each pixel, and the `svg` module gives
//! the document its real size in pixels.

use std::io;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting};
use plotters::element::{Drawable, PointCollection};
use plotters::prelude::*;

use super::scale::Scale;

/// Grid steps for each pixel, along both axes.
pub(super) const STEPS: f64 = 10.0;
/// How deep a layer may be, in grid steps: the height of a chart is known only when all is drawn.
const DEEP: u32 = 1 << 30;

/// A whole sheet; its coordinates are grid steps from the upper left corner.
pub(super) type Ground<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A panel on a sheet; its coordinates are data.
pub(super) type Plane<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<Scale, Scale>>;
/// What drawing comes to.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// The elements that plotters writes for what `draw` draws on a sheet that has no end.
pub(super) fn layer(draw: impl FnOnce(&Ground<'_>) -> Drawn) -> String {
    elements((DEEP, DEEP), draw)
}

/// The elements of a sheet that is all `colour`.
pub(super) fn background(size: (i32, i32), colour: RGBColor) -> String {
    elements((size.0.unsigned_abs(), size.1.unsigned_abs()), |ground| ground.fill(&colour))
}

fn elements(size: (u32, u32), draw: impl FnOnce(&Ground<'_>) -> Drawn) -> String {
    let mut document = String::new();
    let ground = SVGBackend::with_string(&mut document, size).into_drawing_area();
    draw(&ground).and_then(|()| ground.present()).expect("a string takes all that is written");
    drop(ground);
    // The first line opens the document and the last one closes it.
    let (_, rest) = document.split_once('\n').unwrap_or_default();
    rest.strip_suffix("</svg>\n").unwrap_or(rest).to_owned()
}

/// The panel that two axes span.
pub(super) fn plane<'a>(ground: &Ground<'a>, x: Scale, y: Scale) -> Plane<'a> {
    let pixels = (steps(x.start)..steps(x.end), steps(y.start)..steps(y.end));
    ground.apply_coord_spec(Cartesian2d::new(x, y, pixels))
}

/// Draws the elements of a series.
pub(super) fn series<'a, CT, E>(
    area: &DrawingArea<SVGBackend<'a>, CT>,
    elements: impl IntoIterator<Item = E>,
) -> Drawn
where
    CT: CoordTranslate,
    E: Drawable<SVGBackend<'a>>,
    for<'e> &'e E: PointCollection<'e, CT::From>,
{
    elements.into_iter().try_for_each(|element| area.draw(&element))
}

/// Pixels in grid steps.
pub(super) fn steps(pixels: f64) -> i32 {
    (pixels * STEPS).round() as i32
}

/// A point given in pixels.
pub(super) fn at((x, y): (f64, f64)) -> (i32, i32) {
    (steps(x), steps(y))
}

/// A line of that colour, `width` pixels wide.
pub(super) fn stroke(colour: RGBColor, width: f64) -> ShapeStyle {
    colour.stroke_width(steps(width).unsigned_abs())
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        start + (f64::from(end - start) * self.part(*value)).round() as i32
    }

    /// None: which ticks a chart has also depends on the room for their texts.
    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        Vec::new()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.low..self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_what_plotters_draws_without_its_document() {
        let style = stroke(BLACK, 1.9);
        let line = PathElement::new([at((0.0, 0.04)), at((12.34, 1.06))], style);
        let elements = layer(|ground| ground.draw(&line));
        assert_eq!(elements.lines().count(), 1);
        assert!(elements.contains(r#"points="0,0 123,11 ""#), "{elements}");
        assert!(elements.contains(r#"stroke-width="19""#), "{elements}");
        assert_eq!(layer(|_| Ok(())), "");
    }

    #[test]
    fn plotters_and_the_labels_agree_on_where_a_value_is() {
        for log in [false, true] {
            for (start, end) in [(83.37, 431.99), (512.5, 130.04)] {
                let scale = Scale { low: 0.3, high: 170.0, start, end, log };
                for value in [0.0, 0.3, 1.0, 33.3, 169.0, 170.0, 1e9] {
                    let step = scale.map(&value, (steps(start), steps(end)));
                    let away = (f64::from(step) / STEPS - scale.at(value)).abs();
                    assert!(away < 0.1, "{value} is {away} pixels off");
                }
            }
        }
    }
}
