//! Charts: from plain data to one SVG document, the same bytes every time.

mod bars;
mod font;
mod frame;
mod lines;
mod marker;
mod palette;
mod place;
mod png;
mod scale;
mod scatter;
mod svg;

pub use bars::{BarGroup, BarRow, Bars};
pub use lines::{Lines, Panel, Row, Series, Shaded};
pub use png::{PngError, png};
pub use scatter::{Axis, Point, Reference, Scatter};

/// A number with the interval it lies in; `low <= value <= high`, all in the unit of their axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The best single number.
    pub value: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// What stands above and below every chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caption {
    /// What is seen, as a sentence: "Without a key, every policy charges twice".
    pub title: String,
    /// What is plotted, with units; may be empty.
    pub subtitle: String,
    /// How to read it and where it comes from, below the chart: "Bands: 95% intervals over 40
    /// seeds"; may be empty.
    pub note: String,
}
