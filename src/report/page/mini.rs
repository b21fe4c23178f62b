//! A panel of the timeline as a small picture, for readers without script.

use serde::Serialize;

use super::charts::{Kind, Lane, Panel};

/// The size of the picture and the edges of its plot, in pixels.
const WIDTH: f64 = 300.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 292.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 84.0;

/// A small picture; all places in pixels.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Mini {
    pub(super) label: String,
    /// Where faults act: from, and how wide.
    pub(super) shades: Vec<(f64, f64)>,
    /// The lines of the vertical axis: where, and the number.
    pub(super) levels: Vec<(f64, String)>,
    /// The marks of the horizontal axis: where, and the time.
    pub(super) times: Vec<(f64, String)>,
    pub(super) shapes: Vec<Shape>,
}

/// A line or an area.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shape {
    /// Which colour, from 1.
    pub(super) colour: usize,
    pub(super) form: &'static str,
    pub(super) points: String,
}

/// Draws a panel whose values go up to `most` over times up to `end`, in seconds.
pub(super) fn mini(panel: &Panel, lanes: &[Lane], x: &[f64], (end, most): (f64, f64)) -> Mini {
    let plot = Plot { x, end: end.max(1e-9), most: if most > 0.0 { most } else { 1.0 } };
    let shade = |lane: &Lane| {
        let from = plot.across(lane.from);
        (from, one_decimal(plot.across(lane.to.min(end)) - from).max(1.0))
    };
    let level = |part: f64| (plot.up(plot.most * part), short(plot.most * part));
    let time = |part: f64| (plot.across(end * part), format!("{} s", short(end * part)));
    Mini {
        label: panel.title.clone(),
        shades: lanes.iter().filter(|lane| lane.from < end).map(shade).collect(),
        levels: [0.0, 0.5, 1.0].map(level).to_vec(),
        times: [0.0, 0.5, 1.0].map(time).to_vec(),
        shapes: plot.shapes(panel),
    }
}

struct Plot<'a> {
    x: &'a [f64],
    end: f64,
    most: f64,
}

impl Plot<'_> {
    fn across(&self, seconds: f64) -> f64 {
        one_decimal(LEFT + seconds / self.end * (RIGHT - LEFT))
    }

    fn up(&self, value: f64) -> f64 {
        one_decimal(BOTTOM - value / self.most * (BOTTOM - TOP))
    }

    fn points(&self, values: &[f64]) -> String {
        let point = |(&x, &value): (&f64, &f64)| format!("{},{}", self.across(x), self.up(value));
        self.x.iter().zip(values).map(point).collect::<Vec<_>>().join(" ")
    }

    /// The outline of what lies between two lines.
    fn between(&self, low: &[f64], high: &[f64]) -> String {
        let point = |(&x, &value): (&f64, &f64)| format!("{},{}", self.across(x), self.up(value));
        let back: Vec<String> = self.x.iter().zip(low).map(point).collect();
        let back = back.into_iter().rev().collect::<Vec<_>>().join(" ");
        format!("{} {back}", self.points(high))
    }

    fn shapes(&self, panel: &Panel) -> Vec<Shape> {
        let known = |values: &[Option<f64>]| -> Vec<f64> {
            values.iter().map(|value| value.unwrap_or(0.0)).collect()
        };
        let mut shapes = Vec::new();
        let mut below = vec![0.0; self.x.len()];
        for (index, series) in panel.series.iter().enumerate() {
            let (colour, values) = (index + 1, known(&series.values));
            match panel.kind {
                Kind::Stacked => {
                    let top: Vec<f64> = below.iter().zip(&values).map(|(a, b)| a + b).collect();
                    let points = self.between(&below, &top);
                    shapes.push(Shape { colour, form: "polygon", points });
                    below = top;
                }
                Kind::Line => {
                    if !series.low.is_empty() {
                        let points = self.between(&known(&series.low), &known(&series.high));
                        shapes.push(Shape { colour, form: "band", points });
                    }
                    shapes.push(Shape { colour, form: "polyline", points: self.points(&values) });
                }
            }
        }
        shapes
    }
}

/// The greatest value that a panel draws.
pub(super) fn greatest(panel: &Panel) -> f64 {
    let at = |values: &[Option<f64>], index: usize| values.get(index).copied().flatten();
    let points = panel.series.first().map_or(0, |series| series.values.len());
    let of_point = |index: usize| {
        let values = panel.series.iter().map(|series| match panel.kind {
            Kind::Line if !series.high.is_empty() => at(&series.high, index).unwrap_or(0.0),
            _ => at(&series.values, index).unwrap_or(0.0),
        });
        match panel.kind {
            Kind::Stacked => values.sum(),
            Kind::Line => values.fold(0.0, f64::max),
        }
    };
    (0..points).map(of_point).fold(0.0, f64::max)
}

fn one_decimal(value: f64) -> f64 {
    (value.clamp(-WIDTH, 2.0 * WIDTH) * 10.0).round() / 10.0
}

/// A number with three digits at most.
fn short(value: f64) -> String {
    let text = if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") };
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
