//! Points with intervals in both directions.

use super::{Caption, Estimate};
use crate::report::number::Unit;

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
    /// The points.
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

/// One point.
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
    #[must_use]
    pub fn svg(&self) -> String {
        String::new()
    }
}
