//! Charts: from plain data to one SVG document, the same bytes every time.
//!
//! Eight forms: [`Lines`] over time, [`Scatter`] of two measures against each other, [`Bars`] of
//! rates, a [`Stack`] of bars made of parts, [`Phase`] diagrams, a [`Sequence`] of messages, a
//! [`Graph`] of nodes, and a [`Matrix`] of fields. `plotters` draws them: every background, grid
//! line, axis, series, band, bar, whisker, marker and leader line is an element on one of its
//! drawing areas, most of them in the coordinates of the data, and its `SVGBackend` writes them
//! (the `plot` module). What plotters leaves to its caller is done here: which ticks there are,
//! where labels go, and the texts themselves. Text is drawn as outlines of the embedded typeface
//! (Inter, OFL), so that a chart looks the same in a browser, in a README, in a converter to PDF
//! and in the pixels of [`png()`]; the `svg` module says why, and joins the two.
//!
//! What holds for all of them: a title that states what is seen; colours that colour-blind readers
//! can tell apart; labels at the data where they fit, a legend where they do not; no two texts
//! cover each other; each text, and each mark with its numbers, can be read aloud.

mod bars;
mod font;
mod frame;
mod graph;
mod lines;
mod marker;
mod matrix;
mod palette;
mod panel;
mod phase;
mod place;
mod plot;
mod png;
mod scale;
mod scatter;
mod sequence;
mod stack;
mod svg;

pub use bars::{Bar, BarGroup, BarRow, Bars};
pub use graph::{Graph, GraphLink, GraphNode, GraphPanel, GraphTone};
pub use lines::{Lines, Panel, Row, Series, Shaded, Stroke};
pub use matrix::{Matrix, MatrixField, MatrixRow, MatrixTone};
pub use phase::{Phase, PhaseColumn, PhasePanel};
pub use png::{PngError, png};
pub use scatter::{Axis, Point, Reference, Scatter};

pub use sequence::{Sequence, SequenceRow, Tone};
pub use stack::{Stack, StackRow};

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

impl Estimate {
    /// Whether an end of the interval is unknown.
    pub fn is_open(&self) -> bool {
        !(self.low.is_finite() && self.high.is_finite())
    }
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

#[cfg(test)]
mod tests;
