//! The same picture in pixels.

use std::fmt;

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
    pixels.encode_png().map_err(|error| PngError::Encode(error.to_string()))
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
    fn what_cannot_be_drawn_is_refused() {
        assert!(matches!(png("no picture", 1.0), Err(PngError::NotSvg(_))));
        for scale in [0.0, -1.0, 1e9, f32::NAN] {
            assert_eq!(png(DOT, scale), Err(PngError::Size), "scale {scale}");
        }
    }
}
