//! The shapes of points.

use plotters::prelude::*;

use super::plot::{Drawn, at, steps, stroke};

/// Draws marker number `shape`: disc, diamond, square, triangle, ring; then it begins again.
///
/// All shapes cover about the same area, so that none looks more important. A white rim keeps
/// markers apart where they touch. The radius is in pixels.
pub(super) fn marker<CT>(
    area: &DrawingArea<SVGBackend<'_>, CT>,
    centre: CT::From,
    radius: f64,
    shape: usize,
    fill: RGBColor,
) -> Drawn
where
    CT: CoordTranslate,
{
    let r = radius;
    let corners: &[(f64, f64)] = match shape % 5 {
        0 => return discs(area, centre, [(r + 0.5, WHITE), (r - 0.5, fill)]),
        1 => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        2 => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        3 => &[(0.0, -1.2), (1.14, 0.9), (-1.14, 0.9)],
        _ => return ring(area, centre, r - 1.0, 2.0, fill),
    };
    let corners: Vec<(i32, i32)> = corners.iter().map(|(x, y)| at((x * r, y * r))).collect();
    // One side twice, so that the corner where the rim began is as round as the others.
    let rim: Vec<(i32, i32)> = corners.iter().chain(&corners[..2]).copied().collect();
    area.draw(
        &(EmptyElement::at(centre)
            + Polygon::new(corners, fill.filled())
            + PathElement::new(rim, stroke(WHITE, 1.0))),
    )
}

/// Draws a circle with a white inside; `radius` is to the middle of the line.
pub(super) fn ring<CT: CoordTranslate>(
    area: &DrawingArea<SVGBackend<'_>, CT>,
    centre: CT::From,
    radius: f64,
    width: f64,
    colour: RGBColor,
) -> Drawn {
    discs(area, centre, [(radius + width / 2.0, colour), (radius - width / 2.0, WHITE)])
}

/// A smaller disc on a larger one: plotters' circles are either filled or have a line.
fn discs<CT: CoordTranslate>(
    area: &DrawingArea<SVGBackend<'_>, CT>,
    centre: CT::From,
    [(outer, below), (inner, above)]: [(f64, RGBColor); 2],
) -> Drawn {
    area.draw(
        &(EmptyElement::at(centre)
            + Circle::new((0, 0), steps(outer), below.filled())
            + Circle::new((0, 0), steps(inner), above.filled())),
    )
}
