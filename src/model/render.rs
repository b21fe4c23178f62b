//! Problems as text: the excerpt of the file, and what is wrong where.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, normalize_untrusted_str};

use super::document::Sources;
use super::problem::{Location, Problem};

impl Problem {
    /// The problem as text of several lines: message, file and line, excerpt, what was expected.
    pub fn render(&self, sources: &Sources, level: &Level<'_>, colour: bool) -> String {
        let excerpt = self.at.map(|at| Excerpt::new(sources.text(at.source), at));
        let mut group = level.clone().primary_title(self.message.as_str()).elements(
            self.at.zip(excerpt.as_ref()).map(|(at, excerpt)| {
                // Of a label the renderer shows every character as it is.
                let label = normalize_untrusted_str(self.expected.as_deref().unwrap_or("here"));
                let span = excerpt.start..excerpt.end;
                Snippet::source(excerpt.text)
                    .line_start(excerpt.line)
                    .path(normalize_untrusted_str(sources.name(at.source)))
                    .annotation(AnnotationKind::Primary.span(span).label(label))
            }),
        );
        if let (None, Some(expected)) = (self.at, &self.expected) {
            group = group.element(Level::HELP.message(expected.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

/// The lines around a place, cut where a line is longer than any terminal.
struct Excerpt<'a> {
    text: &'a str,
    /// The number of its first line.
    line: usize,
    start: usize,
    end: usize,
}

impl Excerpt<'_> {
    fn new(text: &str, at: Location) -> Excerpt<'_> {
        const WIDEST: usize = 1_000;
        let bytes = text.as_bytes();
        let line_start = text[..at.start].rfind('\n').map_or(0, |end| end + 1);
        let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |end| from + end);
        let mut from = line_start;
        if at.start - from > WIDEST {
            from = at.start - WIDEST;
            while !text.is_char_boundary(from) {
                from += 1;
            }
        }
        let mut end = at.end;
        let mut to = line_end(end);
        if to - at.start > 2 * WIDEST {
            to = at.start + 2 * WIDEST;
            while !text.is_char_boundary(to) {
                to -= 1;
            }
            end = end.min(to);
        }
        let line = 1 + bytes[..from].iter().filter(|&&byte| byte == b'\n').count();
        Excerpt { text: &text[from..to], line, start: at.start - from, end: end - from }
    }
}
