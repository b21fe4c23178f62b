//! A sheet to draw on, and the SVG document that comes of it.
//!
//! The document is made by two hands. Every shape is drawn by plotters, on layers of its
//! `SVGBackend` (the `plot` module). Added here are the texts, the `<title>` and `aria-label` that
//! make the chart readable without eyes, and the head of the document, which says how many pixels
//! the grid that plotters drew on stands for. Layers and texts follow one another in drawing order.
//!
//! Text is not plotters' because plotters leaves it to whoever opens the file: an SVG that names a
//! font looks different on every machine, and one that embeds a font as `@font-face` works in
//! browsers only; converters, editors and LaTeX ignore it, and its labels then overlap. So texts
//! are outlines of the embedded typeface, and what was measured here is what is seen everywhere.
//! Each glyph is stored once and used by reference, which is smaller than the font; each text
//! carries its words as `aria-label`, so it can still be read aloud and searched for.

use std::collections::BTreeSet;
use std::fmt::Write;

use plotters::prelude::*;

use super::super::escape::xml as escape;
use super::Stroke;
use super::font::{Fonts, Setting, Weight};
use super::plot::{self, Drawn, Ground, Plane, STEPS, at, stroke};
use super::scale::Scale;

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The point is at its left.
    Start,
    /// The point is in its middle.
    Middle,
    /// The point is at its right.
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// The size of an em in pixels.
    pub(super) size: f64,
    /// How heavy the letters are.
    pub(super) weight: Weight,
    /// The colour of the letters.
    pub(super) colour: RGBColor,
    /// Whether a white rim keeps the letters apart from lines below them.
    pub(super) halo: bool,
}

/// A style without halo.
pub(super) const fn style(size: f64, weight: Weight, colour: RGBColor) -> Style {
    Style { size, weight, colour, halo: false }
}

/// The sheet: elements in drawing order.
pub(super) struct Sheet {
    /// The typeface, for measuring before drawing.
    pub(super) fonts: Fonts,
    body: String,
    glyphs: BTreeSet<(Weight, u16)>,
    prefix: String,
}

impl Sheet {
    /// An empty sheet; `name` keeps its identifiers apart from those of other charts on a page.
    pub(super) fn new(name: &str) -> Sheet {
        let mut hash = 0x811c_9dc5_u32;
        for byte in name.bytes() {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
        Sheet {
            fonts: Fonts::new(),
            body: String::new(),
            glyphs: BTreeSet::new(),
            prefix: format!("g{hash:08x}"),
        }
    }

    /// The width of a text in pixels.
    pub(super) fn width(&self, text: &str, style: Style) -> f64 {
        self.fonts.width(text, style.size, style.weight)
    }

    /// Draws `text` with its baseline at `y`.
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, style: Style, text: &str) {
        let setting = self.fonts.set(text, style.weight);
        let scale = style.size / self.fonts.units(style.weight);
        let length = f64::from(setting.length) * scale;
        let x = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - length / 2.0,
            Anchor::End => x - length,
        };
        let _ = writeln!(
            self.body,
            r#"<g role="img" aria-label="{}" transform="translate({} {})scale({})" fill="{}">"#,
            escape(text),
            n(x * STEPS),
            n(y * STEPS),
            scaled(scale * STEPS),
            css(style.colour),
        );
        let glyphs = self.place(&setting, style.weight);
        if style.halo {
            // In a pass of its own, or the rim of each letter would cut into the one before.
            let rim = n(3.5 / scale);
            let _ = writeln!(
                self.body,
                r##"<g stroke="#fff" stroke-width="{rim}" stroke-linejoin="round">{glyphs}</g>"##
            );
        }
        self.body.push_str(&glyphs);
        self.body.push_str("</g>\n");
    }

    /// References to the glyphs of a text, each at its place.
    fn place(&mut self, setting: &Setting, weight: Weight) -> String {
        let mut out = String::new();
        for &(glyph, at) in &setting.glyphs {
            if !self.fonts.outline(glyph, weight).is_empty() {
                self.glyphs.insert((weight, glyph.0));
                let _ = write!(out, r##"<use href="#{}" x="{at}"/>"##, self.id(weight, glyph.0));
            }
        }
        out
    }

    /// Draws on the whole sheet with plotters.
    pub(super) fn ground(&mut self, draw: impl FnOnce(&Ground<'_>) -> Drawn) {
        self.body.push_str(&plot::layer(draw));
    }

    /// Draws with plotters on the panel that two axes span.
    pub(super) fn plane(&mut self, x: Scale, y: Scale, draw: impl FnOnce(&Plane<'_>) -> Drawn) {
        self.ground(|ground| draw(&plot::plane(ground, x, y)));
    }

    /// Draws a line through points given in pixels.
    pub(super) fn line(&mut self, points: &[(f64, f64)], colour: RGBColor, width: f64) {
        let points: Vec<(i32, i32)> = points.iter().copied().map(at).collect();
        self.ground(|ground| ground.draw(&PathElement::new(points, stroke(colour, width))));
    }

    /// Begins a group whose `title` a browser shows when the pointer rests on it.
    pub(super) fn open(&mut self, title: &str) {
        let _ = writeln!(self.body, r#"<g role="img"><title>{}</title>"#, escape(title));
    }

    /// Draws lines that are dashed or dotted.
    ///
    /// Plotters would cut each into a path for every dash; with a pattern they stay whole.
    pub(super) fn stroked(&mut self, stroke: Stroke, draw: impl FnOnce(&mut Sheet)) {
        let [dash, gap] = match stroke {
            Stroke::Solid => return draw(self),
            Stroke::Dashed => [5.0, 3.0],
            Stroke::Dotted => [1.5, 2.5],
        };
        let pattern = [dash, gap].map(|pixels| n(pixels * STEPS)).join(" ");
        let _ = writeln!(self.body, r#"<g stroke-dasharray="{pattern}">"#);
        draw(self);
        self.close();
    }

    /// Ends the group begun last.
    pub(super) fn close(&mut self) {
        self.body.push_str("</g>\n");
    }

    /// The document, `width` by `height` pixels or up to one more, on white.
    pub(super) fn finish(self, width: f64, height: f64, title: &str, desc: &str) -> String {
        // Whole pixels, or the last row of them would be half transparent.
        let (w, h, prefix) = (width.ceil(), height.ceil(), &self.prefix);
        let (x, y) = at((w, h));
        let mut out = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {x} {y}" role="graphics-document" aria-labelledby="{prefix}t {prefix}d" stroke-linejoin="round">
<title id="{prefix}t">{}</title>
<desc id="{prefix}d">{}</desc>
<defs>
"#,
            escape(title),
            escape(desc),
        );
        for &(weight, glyph) in &self.glyphs {
            let outline = self.fonts.outline(ttf_parser::GlyphId(glyph), weight);
            let _ = writeln!(out, r#"<path id="{}" d="{outline}"/>"#, self.id(weight, glyph));
        }
        out.push_str("</defs>\n");
        out.push_str(&plot::background((x, y), WHITE));
        out.push_str(&self.body);
        out.push_str("</svg>\n");
        out
    }

    fn id(&self, weight: Weight, glyph: u16) -> String {
        let weight = match weight {
            Weight::Regular => 'r',
            Weight::SemiBold => 's',
        };
        format!("{}{weight}{glyph}", self.prefix)
    }
}

/// A coordinate or a size: two decimals, no trailing zeros.
pub(super) fn n(value: f64) -> String {
    short(&format!("{value:.2}"))
}

fn short(text: &str) -> String {
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A factor of scale, which needs more decimals than a coordinate.
fn scaled(value: f64) -> String {
    short(&format!("{value:.7}"))
}

/// A colour as SVG writes it.
fn css(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        for (value, expected) in
            [(1.0, "1"), (1.005, "1"), (-0.001, "0"), (12.5, "12.5"), (100.0, "100")]
        {
            assert_eq!(n(value), expected);
        }
    }

    #[test]
    fn labels_from_a_model_cannot_break_the_document() {
        let mut sheet = Sheet::new("a");
        let hostile = "a<b & \"c\" 'd' \u{1} 漢\u{ffff}";
        sheet.text(0.0, 10.0, Anchor::Start, style(12.0, Weight::Regular, BLACK), hostile);
        let svg = sheet.finish(10.0, 10.0, hostile, hostile);
        assert!(super::super::png(&svg, 1.0).is_ok(), "{svg}");
    }
}
