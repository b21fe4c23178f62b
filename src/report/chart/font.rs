//! The embedded typeface: how wide a text is, and the outlines of its glyphs.

use std::fmt::Write;

use ttf_parser::gpos::{PairAdjustment, PositioningSubtable};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

const REGULAR: &[u8] = include_bytes!("../fonts/Inter-Regular.otf");
const SEMIBOLD: &[u8] = include_bytes!("../fonts/Inter-SemiBold.otf");

/// How heavy the letters are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// For labels and running text.
    #[default]
    Regular,
    /// For titles and headings.
    SemiBold,
}

/// A text set in type: its glyphs with their places, and its length, in font units.
pub(super) struct Setting {
    /// Each glyph with its distance from the start of the text.
    pub(super) glyphs: Vec<(GlyphId, i32)>,
    /// The length of the whole text.
    pub(super) length: i32,
}

/// Both weights of the typeface.
pub(super) struct Fonts {
    regular: Face<'static>,
    semibold: Face<'static>,
}

impl Fonts {
    /// Reads the embedded typeface.
    pub(super) fn new() -> Fonts {
        let face = |bytes| Face::parse(bytes, 0).expect("the embedded font is a font");
        Fonts { regular: face(REGULAR), semibold: face(SEMIBOLD) }
    }

    /// Font units for each em.
    pub(super) fn units(&self, weight: Weight) -> f64 {
        f64::from(self.face(weight).units_per_em())
    }

    /// The width in pixels of `text` set at `size` pixels.
    pub(super) fn width(&self, text: &str, size: f64, weight: Weight) -> f64 {
        f64::from(self.set(text, weight).length) * size / self.units(weight)
    }

    /// Sets `text` on one line, with kerning; a letter the font lacks is shown as a box.
    pub(super) fn set(&self, text: &str, weight: Weight) -> Setting {
        let face = self.face(weight);
        let mut setting = Setting { glyphs: Vec::with_capacity(text.len()), length: 0 };
        for letter in text.chars() {
            let glyph = face.glyph_index(letter).unwrap_or(GlyphId(0));
            if let Some(&(before, _)) = setting.glyphs.last() {
                setting.length += i32::from(kerning(face, before, glyph));
            }
            setting.glyphs.push((glyph, setting.length));
            setting.length += i32::from(face.glyph_hor_advance(glyph).unwrap_or(0));
        }
        setting
    }

    /// The outline of a glyph as SVG path data in font units, y downwards; empty for a space.
    pub(super) fn outline(&self, glyph: GlyphId, weight: Weight) -> String {
        let mut path = Path(String::new());
        let _ = self.face(weight).outline_glyph(glyph, &mut path);
        path.0
    }

    /// Breaks `text` between words into lines no wider than `width` pixels.
    pub(super) fn wrap(&self, text: &str, size: f64, weight: Weight, width: f64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if self.width(&format!("{line} {word}"), size, weight) <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }

    fn face(&self, weight: Weight) -> &Face<'static> {
        match weight {
            Weight::Regular => &self.regular,
            Weight::SemiBold => &self.semibold,
        }
    }
}

/// How much closer together two glyphs stand than their widths say, in font units.
fn kerning(face: &Face<'_>, left: GlyphId, right: GlyphId) -> i16 {
    let Some(gpos) = face.tables().gpos else { return 0 };
    for lookup in gpos.lookups {
        for pair in lookup.subtables.into_iter::<PositioningSubtable<'_>>() {
            if let PositioningSubtable::Pair(pair) = pair
                && let Some(adjustment) = pair_adjustment(&pair, left, right)
            {
                return adjustment;
            }
        }
    }
    0
}

fn pair_adjustment(pair: &PairAdjustment<'_>, left: GlyphId, right: GlyphId) -> Option<i16> {
    let covered = pair.coverage().get(left)?;
    let (first, _) = match pair {
        PairAdjustment::Format1 { sets, .. } => sets.get(covered)?.get(right)?,
        PairAdjustment::Format2 { classes, matrix, .. } => {
            matrix.get((classes.0.get(left), classes.1.get(right)))?
        }
    };
    Some(first.x_advance)
}

/// Collects an outline as relative SVG commands, in whole font units.
struct Path(String);

impl Path {
    fn push(&mut self, command: char, points: &[(f32, f32)]) {
        self.0.push(command);
        for (index, (x, y)) in points.iter().enumerate() {
            let (x, y) = (f64::from(*x).round() + 0.0, 0.0 - f64::from(*y).round());
            let gap = if index > 0 && x >= 0.0 { " " } else { "" };
            let comma = if y >= 0.0 { " " } else { "" };
            let _ = write!(self.0, "{gap}{x}{comma}{y}");
        }
    }
}

impl OutlineBuilder for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        self.push('M', &[(x, y)]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.push('L', &[(x, y)]);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.push('Q', &[(x1, y1), (x, y)]);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.push('C', &[(x1, y1), (x2, y2), (x, y)]);
    }

    fn close(&mut self) {
        self.0.push('Z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kerning_closes_the_gap_between_letters_that_lean() {
        let fonts = Fonts::new();
        let alone = fonts.set("T", Weight::Regular).length + fonts.set("o", Weight::Regular).length;
        assert!(fonts.set("To", Weight::Regular).length < alone);
    }

    #[test]
    fn every_symbol_the_reports_use_has_a_glyph() {
        let fonts = Fonts::new();
        for letter in "aZ09 ×–—±≤≥→µ−…<>%()/,.:;·éüøß".chars() {
            for weight in [Weight::Regular, Weight::SemiBold] {
                let glyph = fonts.set(&letter.to_string(), weight).glyphs[0].0;
                assert_ne!(glyph, GlyphId(0), "{letter} is missing");
            }
        }
    }

    #[test]
    fn wrapped_lines_fit_and_keep_every_word() {
        let fonts = Fonts::new();
        let text = "Retrying at once turns a brownout of twenty seconds into an outage";
        let lines = fonts.wrap(text, 14.0, Weight::SemiBold, 180.0);
        assert!(lines.iter().all(|line| fonts.width(line, 14.0, Weight::SemiBold) <= 180.0));
        assert_eq!(lines.join(" "), text);
    }
}
