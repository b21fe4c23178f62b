//! The colours: Okabe and Ito's palette, which colour-blind readers can tell apart.

/// One colour for marks, and a darker shade of it that is legible as text on white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour {
    /// For lines, bars and markers.
    pub(super) mark: &'static str,
    /// For text; at least 4.5 to 1 against white.
    pub(super) text: &'static str,
}

/// For titles and baselines.
pub(super) const INK: &str = "#1a1a1a";
/// For subtitles, axis labels and ticks.
pub(super) const GREY: &str = "#5c5f66";
/// For gridlines.
pub(super) const GRID: &str = "#e4e5e8";
/// For the axis at zero and for thin connections.
pub(super) const AXIS: &str = "#9a9da5";
/// For shaded intervals.
pub(super) const SHADE: &str = "#eeeae0";
/// For the text of shaded intervals.
pub(super) const SHADE_TEXT: &str = "#75684a";

// Blue comes late: beside sky blue it is the hardest pair to tell apart as text.
const PALETTE: [Colour; 8] = [
    Colour { mark: INK, text: INK },
    Colour { mark: "#d55e00", text: "#b84f00" },
    Colour { mark: "#e69f00", text: "#8f6300" },
    Colour { mark: "#56b4e9", text: "#1f78ad" },
    Colour { mark: "#009e73", text: "#007a59" },
    Colour { mark: "#cc79a7", text: "#a3487b" },
    Colour { mark: "#0072b2", text: "#0072b2" },
    Colour { mark: "#8a8d94", text: "#696c73" },
];

/// The colour of an index; after the last it begins again.
pub(super) fn colour(index: usize) -> Colour {
    PALETTE[index % PALETTE.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn text_is_legible_on_white() {
        let texts = PALETTE.iter().map(|c| c.text).chain([GREY, SHADE_TEXT]);
        for text in texts {
            let contrast = 1.05 / (luminance(text) + 0.05);
            assert!(contrast >= 4.5, "{text} has a contrast of {contrast:.2}");
        }
    }
}
