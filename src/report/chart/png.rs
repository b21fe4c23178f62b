//! The same picture in pixels.

use std::collections::BTreeMap;
use std::fmt;

use png::{BitDepth, ColorType, DeflateCompression, Encoder, EncodingError, Filter};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// The most pixels a picture may have along one side.
const LARGEST: f32 = 20_000.0;

/// Why a picture could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PngError {
    /// The text is not an SVG document; the reason is what the parser says.
    NotSvg(String),
    /// The picture would have no pixels, or more than can be held.
    Size,
    /// The pixels could not be encoded; the reason is what the encoder says.
    Encode(String),
}

impl fmt::Display for PngError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PngError::NotSvg(reason) => write!(f, "not an SVG document: {reason}"),
            PngError::Size => write!(f, "the picture has no pixels, or too many"),
            PngError::Encode(reason) => write!(f, "the pixels could not be encoded: {reason}"),
        }
    }
}

impl std::error::Error for PngError {}

/// Renders a chart's SVG as a PNG, `scale` pixels for each unit of the SVG (2 for sharp screens).
///
/// # Errors
///
/// When `svg` is not an SVG document or the picture would be too large.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>, PngError> {
    let tree = Tree::from_str(svg, &Options::default())
        .map_err(|error| PngError::NotSvg(error.to_string()))?;
    let (width, height) = (side(tree.size().width() * scale)?, side(tree.size().height() * scale)?);
    let mut pixels = Pixmap::new(width, height).ok_or(PngError::Size)?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    encoded(&pixels).map_err(|error| PngError::Encode(error.to_string()))
}

/// The pixels as a PNG file. A chart has few colours, so that a byte for each pixel is enough: it
/// is packed in a third of the instructions that four bytes take, and the file is smaller. Other
/// pictures have all four.
fn encoded(pixels: &Pixmap) -> Result<Vec<u8>, EncodingError> {
    let Some((palette, indices)) = indexed(pixels) else { return pixels.encode_png() };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette);
    // Neighbours with equal colours have equal indices, and neighbouring indices mean nothing.
    encoder.set_filter(Filter::NoFilter);
    encoder.set_deflate_compression(DeflateCompression::Level(1));
    encoder.write_header()?.write_image_data(&indices)?;
    Ok(bytes)
}

/// The colours of a picture in the order of their pixels, three bytes each, and which one each
/// pixel has; `None` if there are more than a byte can tell apart, or one that is not opaque.
fn indexed(pixels: &Pixmap) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut palette, mut known) = (Vec::new(), BTreeMap::new());
    let mut indices = Vec::with_capacity(pixels.pixels().len());
    let mut last = None;
    for &pixel in pixels.pixels() {
        let index = match last {
            Some((colour, index)) if colour == pixel => index,
            _ => {
                let colour = [pixel.red(), pixel.green(), pixel.blue()];
                let next = u8::try_from(known.len()).ok().filter(|_| pixel.is_opaque());
                match known.get(&colour).filter(|_| pixel.is_opaque()) {
                    Some(&index) => index,
                    None => {
                        palette.extend(colour);
                        known.insert(colour, next?);
                        next?
                    }
                }
            }
        };
        last = Some((pixel, index));
        indices.push(index);
    }
    Some((palette, indices))
}

fn side(pixels: f32) -> Result<u32, PngError> {
    let pixels = pixels.ceil();
    // The range makes the conversion exact, and refuses what is not a number.
    if (1.0..=LARGEST).contains(&pixels) { Ok(pixels as u32) } else { Err(PngError::Size) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOT: &str = concat!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2">"#,
        r#"<rect width="3" height="2"/></svg>"#,
    );

    #[test]
    fn the_scale_sets_the_number_of_pixels() {
        let bytes = png(DOT, 2.0).unwrap();
        assert_eq!(&bytes[1..4], b"PNG");
        assert_eq!(&bytes[16..24], [0, 0, 0, 6, 0, 0, 0, 4]);
        assert_eq!(png(DOT, 2.0).unwrap(), bytes);
    }

    #[test]
    fn few_colours_make_a_palette_and_more_or_transparent_ones_do_not() {
        // Byte 25 is the type of the colours: 3 for a palette, 6 for red, green, blue and opacity.
        assert_eq!(png(DOT, 1.0).unwrap()[25], 3);
        let transparent = DOT.replace("/></svg>", " opacity=\"0.5\"/></svg>");
        assert_eq!(png(&transparent, 1.0).unwrap()[25], 6);
        let stripes = |count: usize| {
            let stripe = |at: usize| {
                let (red, green) = (at % 256, at / 256);
                format!("<rect y=\"{at}\" width=\"1\" height=\"1\" fill=\"rgb({red},{green},0)\"/>")
            };
            let all: String = (0..count).map(stripe).collect();
            let namespace = "http://www.w3.org/2000/svg";
            format!("<svg xmlns=\"{namespace}\" width=\"1\" height=\"{count}\">{all}</svg>")
        };
        assert_eq!(png(&stripes(256), 1.0).unwrap()[25], 3);
        assert_eq!(png(&stripes(257), 1.0).unwrap()[25], 6);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert!(matches!(png("no picture", 1.0), Err(PngError::NotSvg(_))));
        for scale in [0.0, -1.0, 1e9, f32::NAN] {
            assert_eq!(png(DOT, scale), Err(PngError::Size), "scale {scale}");
        }
    }
}
