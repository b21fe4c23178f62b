//! The shapes of points.

use super::svg::Sheet;

/// Draws marker number `shape`: disc, diamond, square, triangle, ring; then it begins again.
///
/// All shapes cover about the same area, so that none looks more important. A white rim keeps
/// markers apart where they touch.
pub(super) fn marker(
    sheet: &mut Sheet,
    (x, y): (f64, f64),
    radius: f64,
    shape: usize,
    fill: &'static str,
) {
    let rim = ("#fff", 1.0);
    match shape % 5 {
        0 => sheet.circle((x, y), radius, fill, rim),
        1 => {
            let r = radius * 1.3;
            sheet.shape(&[(x, y - r), (x + r, y), (x, y + r), (x - r, y)], fill, rim);
        }
        2 => {
            let r = radius * 0.9;
            let corners = [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)];
            sheet.shape(&corners, fill, rim);
        }
        3 => {
            let r = radius * 1.2;
            let corners = [(x, y - r), (x + r * 0.95, y + r * 0.75), (x - r * 0.95, y + r * 0.75)];
            sheet.shape(&corners, fill, rim);
        }
        _ => sheet.circle((x, y), radius - 1.0, "#fff", (fill, 2.0)),
    }
}
