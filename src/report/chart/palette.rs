//! The colours: Okabe and Ito's palette, which colour-blind readers can tell apart.

use plotters::style::RGBColor;

/// One colour for marks, and a darker shade of it that is legible as text on white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour {
    /// For lines, bars and markers.
    pub(super) mark: RGBColor,
    /// For text; at least 4.5 to 1 against white.
    pub(super) text: RGBColor,
}

/// For titles and baselines.
pub(super) const INK: RGBColor = hex(0x1a1a1a);
/// For subtitles, axis labels and ticks.
pub(super) const GREY: RGBColor = hex(0x5c5f66);
/// For gridlines.
pub(super) const GRID: RGBColor = hex(0xe4e5e8);
/// For the axis at zero and for thin connections.
pub(super) const AXIS: RGBColor = hex(0x9a9da5);
/// For shaded intervals.
pub(super) const SHADE: RGBColor = hex(0xeeeae0);
/// For the text of shaded intervals.
pub(super) const SHADE_TEXT: RGBColor = hex(0x75684a);

// Blue comes late: beside sky blue it is the hardest pair to tell apart as text.
const PALETTE: [Colour; 8] = [
    Colour { mark: INK, text: INK },
    Colour { mark: hex(0xd55e00), text: hex(0xb84f00) },
    Colour { mark: hex(0xe69f00), text: hex(0x8f6300) },
    Colour { mark: hex(0x56b4e9), text: hex(0x1f78ad) },
    Colour { mark: hex(0x009e73), text: hex(0x007a59) },
    Colour { mark: hex(0xcc79a7), text: hex(0xa3487b) },
    Colour { mark: hex(0x0072b2), text: hex(0x0072b2) },
    Colour { mark: hex(0x8a8d94), text: hex(0x696c73) },
];

/// From nothing to all: Brewer's YlOrBr (<https://colorbrewer2.org>), whose lightness alone tells
/// the order, so that colour-blind readers and grey prints keep it.
const RAMP: [RGBColor; 9] = [
    hex(0xffffe5),
    hex(0xfff7bc),
    hex(0xfee391),
    hex(0xfec44f),
    hex(0xfe9929),
    hex(0xec7014),
    hex(0xcc4c02),
    hex(0x993404),
    hex(0x662506),
];

/// The colour of a share.
pub(super) fn ramp(share: f64) -> RGBColor {
    let along = share.clamp(0.0, 1.0) * (RAMP.len() - 1) as f64;
    let below = (along as usize).min(RAMP.len() - 2);
    let part = along - below as f64;
    let (RGBColor(r, g, b), RGBColor(red, green, blue)) = (RAMP[below], RAMP[below + 1]);
    let mix = |from: u8, to: u8| {
        (f64::from(from) + (f64::from(to) - f64::from(from)) * part).round() as u8
    };
    RGBColor(mix(r, red), mix(g, green), mix(b, blue))
}

/// The colour that HTML writes as `#rrggbb`.
const fn hex(rgb: u32) -> RGBColor {
    let [_, red, green, blue] = rgb.to_be_bytes();
    RGBColor(red, green, blue)
}

/// The colour of an index; after the last it begins again.
pub(super) fn colour(index: usize) -> Colour {
    PALETTE[index % PALETTE.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(RGBColor(red, green, blue): RGBColor) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
        };
        0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue)
    }

    #[test]
    fn more_is_darker() {
        let shades: Vec<f64> = (0..=40).map(|k| luminance(ramp(f64::from(k) / 40.0))).collect();
        assert!(shades.windows(2).all(|pair| pair[1] < pair[0]), "{shades:?}");
        assert_eq!(ramp(2.0), ramp(1.0));
    }

    #[test]
    fn text_is_legible_on_white() {
        let texts = PALETTE.iter().map(|c| c.text).chain([GREY, SHADE_TEXT]);
        for text in texts {
            let contrast = 1.05 / (luminance(text) + 0.05);
            assert!(contrast >= 4.5, "{text:?} has a contrast of {contrast:.2}");
        }
    }
}
