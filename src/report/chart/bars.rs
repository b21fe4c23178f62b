//! Horizontal bars, one panel for each kind of thing counted.

use super::{Caption, Estimate};

/// Rows of horizontal bars in side-by-side panels, each panel with its own scale from zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// Title, subtitle and note.
    pub caption: Caption,
    /// The width of the whole chart in pixels; the height follows from the number of rows.
    pub width: f64,
    /// The unit of all values, under the panels: "per 10,000 orders".
    pub unit: String,
    /// The title of each panel: "double charges".
    pub panels: Vec<String>,
    /// The rows, in groups, from the top.
    pub groups: Vec<BarGroup>,
}

/// Rows under one heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BarGroup {
    /// The heading; empty for none.
    pub heading: String,
    /// The rows, from the top.
    pub rows: Vec<BarRow>,
}

/// One row: an arm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BarRow {
    /// The name at the left.
    pub label: String,
    /// An index into the palette; 0 is black, for the baseline.
    pub colour: usize,
    /// One rate for each panel; `None` where it was not measured.
    pub cells: Vec<Option<Estimate>>,
}

impl Bars {
    /// Draws the chart as an SVG document.
    #[must_use]
    pub fn svg(&self) -> String {
        String::new()
    }
}
