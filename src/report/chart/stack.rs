//! Horizontal bars, each of which is made of parts: what a whole comes from.

use plotters::prelude::*;

use super::font::Weight;
use super::frame::{self, Key, MARGIN, Sign};
use super::palette::{Colour, GREY, INK, colour};
use super::panel::{PanelLayout, Shown};
use super::plot::{at, stroke};
use super::scale::{Scale, enclosing};
use super::scatter::Reference;
use super::svg::{Anchor, Sheet, Style, style};
use super::{Caption, Estimate};
use crate::report::number::{Unit, number};

/// The name of a bar.
const NAME: Style = style(12.5, Weight::Regular, INK);
/// The number beside a bar.
const VALUE: Style = Style { halo: true, ..style(12.0, Weight::SemiBold, INK) };
/// The label of a reference line.
const REFERENCE: Style = Style { halo: true, ..style(11.5, Weight::Regular, GREY) };
/// The height of a row.
const ROW: f64 = 40.0;
/// The height of a bar, as a part of its row.
const BAR: f64 = 0.56;
/// From the end of a bar to its number.
const BESIDE: f64 = 9.0;

/// Bars of parts, one below the other, with one scale from zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stack {
    /// Title, subtitle and note.
    pub caption: Caption,
    /// The width of the whole chart in pixels; the height follows from the number of rows.
    pub width: f64,
    /// The label of the axis.
    pub axis: String,
    /// How its ticks are written.
    pub unit: Unit,
    /// What the parts are called, from the left.
    pub parts: Vec<String>,
    /// The bars, from the top.
    pub rows: Vec<StackRow>,
    /// Lines across the bars.
    pub references: Vec<Reference>,
}

/// One bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StackRow {
    /// The name at the left.
    pub label: String,
    /// The sizes of the parts, at least 0.
    pub parts: Vec<f64>,
    /// The whole with its interval, for a whisker; none without it.
    pub whole: Option<Estimate>,
    /// What is written beside it.
    pub text: String,
}

impl Stack {
    /// Draws the chart as an SVG document.
    pub fn svg(&self) -> String {
        let mut sheet = frame::sheet("stack", &self.caption);
        let y = frame::head(&mut sheet, &self.caption, self.width);
        let y = frame::legend(&mut sheet, &self.keys(), y + 4.0, self.width);
        let top = y + 14.0 + if self.references.is_empty() { 0.0 } else { 18.0 };
        let bottom = self.rows(&mut sheet, top);
        frame::finish(sheet, &self.caption, &self.description(), bottom, self.width)
    }

    /// The colour of a part: black is kept for lines.
    fn colour(part: usize) -> Colour {
        colour(part + 1)
    }

    fn keys(&self) -> Vec<Key<'_>> {
        let key = |(part, label)| Key { label, colour: Stack::colour(part), sign: Sign::Marker(2) };
        self.parts.iter().map(String::as_str).enumerate().map(key).collect()
    }

    /// Draws the bars from `top` on; returns the y below their axis.
    fn rows(&self, sheet: &mut Sheet, top: f64) -> f64 {
        let widest = self.rows.iter().map(|row| sheet.width(&row.label, NAME)).fold(60.0, f64::max);
        let beside = self.rows.iter().map(|row| sheet.width(&row.text, VALUE)).fold(0.0, f64::max);
        let (left, right) = (MARGIN + widest + 16.0, self.width - MARGIN);
        let greatest = self.rows.iter().map(StackRow::end).fold(0.0, f64::max);
        let greatest = self.references.iter().map(|it| it.at).fold(greatest, f64::max);
        let plain = right - left - beside - BESIDE;
        let high = if greatest > 0.0 { greatest * (right - left) / plain } else { 1.0 };
        let bottom = top + ROW * self.rows.len() as f64;
        let x = Scale { low: 0.0, high, start: left, end: right, log: false };
        let y =
            Scale { low: 0.0, high: self.rows.len() as f64, start: top, end: bottom, log: false };
        let ticks = enclosing(0.0, greatest.max(high * 0.5), 6, self.unit);
        let ticks: Vec<_> = ticks.into_iter().filter(|tick| tick.at <= high).collect();
        let panel = PanelLayout::of(x, y);
        panel.columns(sheet, &ticks);
        panel.below(sheet, &ticks, Shown::Before);
        for (index, row) in self.rows.iter().enumerate() {
            self.row(sheet, &panel, index, row);
        }
        for line in &self.references {
            let ends = [(line.at, 0.0), (line.at, y.high)];
            panel.plane(sheet, |plane| plane.draw(&PathElement::new(ends, stroke(GREY, 1.2))));
            sheet.text(x.at(line.at), top - 7.0, Anchor::Middle, REFERENCE, &line.label);
        }
        panel.name(sheet, &self.axis)
    }

    fn row(&self, sheet: &mut Sheet, panel: &PanelLayout, index: usize, row: &StackRow) {
        let PanelLayout { x, y, .. } = panel;
        let middle = index as f64 + 0.5;
        sheet.text(MARGIN, y.at(middle) + 4.3, Anchor::Start, NAME, &row.label);
        let mut from = 0.0;
        for (part, &size) in row.parts.iter().enumerate().filter(|(_, size)| **size > 0.0) {
            let name = self.parts.get(part).map_or("", String::as_str);
            sheet.open(&format!("{}, {name}: {}", row.label, number(size, self.unit)));
            let corners = [(from, middle - BAR / 2.0), (from + size, middle + BAR / 2.0)];
            let fill = Stack::colour(part).mark.filled();
            panel.plane(sheet, |plane| plane.draw(&Rectangle::new(corners, fill)));
            sheet.close();
            from += size;
        }
        if let Some(whole) = row.whole.filter(|whole| !whole.is_open() && whole.high > whole.low) {
            let ends = [(whole.low, middle), (whole.high, middle)];
            panel.plane(sheet, |plane| {
                // A white rim first, so that a whisker shows on a dark bar.
                for style in [stroke(WHITE, 2.8), stroke(INK, 1.3)] {
                    plane.draw(&PathElement::new(ends, style))?;
                    for cap in ends {
                        let line = PathElement::new([at((0.0, -4.0)), at((0.0, 4.0))], style);
                        plane.draw(&(EmptyElement::at(cap) + line))?;
                    }
                }
                Ok(())
            });
        }
        let end = x.at(row.end()) + BESIDE;
        sheet.text(end, y.at(middle) + 4.3, Anchor::Start, VALUE, &row.text);
    }

    fn description(&self) -> String {
        let row = |row: &StackRow| {
            let parts = self.parts.iter().zip(&row.parts);
            let parts: Vec<String> =
                parts.map(|(name, size)| format!("{name} {}", number(*size, self.unit))).collect();
            format!("{}: {} ({})", row.label, row.text, parts.join(", "))
        };
        let rows: Vec<String> = self.rows.iter().map(row).collect();
        format!("{} {}.", self.caption.subtitle, rows.join("; "))
    }
}

impl StackRow {
    /// Where the bar or its whisker ends.
    fn end(&self) -> f64 {
        let whole: f64 = self.parts.iter().filter(|size| **size > 0.0).sum();
        self.whole.filter(|it| !it.is_open()).map_or(whole, |it| it.high.max(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(rows: Vec<StackRow>) -> Stack {
        Stack {
            width: 820.0,
            unit: Unit::Percent,
            parts: vec!["one".into(), "two".into()],
            rows,
            references: vec![Reference { at: 1.0, label: "all of it".into() }],
            ..Stack::default()
        }
    }

    fn row(one: f64, two: f64) -> StackRow {
        let value = one + two;
        let whole = Some(Estimate { value, low: value - 0.1, high: value + 0.1 });
        StackRow { label: "arm".into(), parts: vec![one, two], whole, text: "half".into() }
    }

    /// The left edge and the width of each bar of this colour.
    fn drawn(svg: &str, colour: &str) -> Vec<(f64, f64)> {
        let number = |line: &str, key: &str| -> f64 {
            let (_, rest) = line.split_once(key).expect("an attribute");
            rest.split_once('"').expect("its end").0.parse().expect("a number")
        };
        let lines = svg.lines().filter(|line| line.starts_with("<rect") && line.contains(colour));
        lines.map(|line| (number(line, " x=\""), number(line, " width=\""))).collect()
    }

    #[test]
    fn parts_follow_each_other_and_are_as_long_as_their_sizes_say() {
        let svg = stack(vec![row(0.2, 0.4), row(0.4, 0.0)]).svg();
        let (one, two) = (drawn(&svg, "#D55E00"), drawn(&svg, "#E69F00"));
        assert_eq!((one.len(), two.len()), (2, 1), "nothing is drawn of nothing");
        assert!(
            (two[0].1 / one[0].1 - 2.0).abs() < 0.02 && (one[1].1 / one[0].1 - 2.0).abs() < 0.02
        );
        assert!((one[0].0 + one[0].1 - two[0].0).abs() <= 10.0, "{one:?} {two:?}");
        for label in ["all of it", "half", "one", "two", "100%"] {
            assert!(svg.contains(&format!("aria-label=\"{label}\"")), "{label}");
        }
    }

    #[test]
    fn a_stack_of_nothing_is_still_a_picture() {
        for stack in [stack(Vec::new()), stack(vec![StackRow::default()]), Stack::default()] {
            let svg = Stack { width: 820.0, ..stack }.svg();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            super::super::png(&svg, 1.0).expect("a picture");
        }
    }
}
