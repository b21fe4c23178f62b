//! What is wrong with a file: where, what was expected, and the nearest name that exists.

use std::fmt::Display;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::document::{Location, Sources};

/// One thing that is wrong, or suspicious, in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What is wrong, in a short sentence without a full stop.
    pub message: String,
    /// Where, if it is in a file.
    pub at: Option<Location>,
    /// What would have been right.
    pub expected: Option<String>,
}

impl Problem {
    /// A problem without a place.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), at: None, expected: None }
    }

    /// The problem at this place, unless it already has a more exact one.
    #[must_use]
    pub fn at(mut self, at: Location) -> Problem {
        self.at.get_or_insert(at);
        self
    }

    /// The problem with what would have been right.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Problem {
        self.expected = Some(expected.into());
        self
    }

    /// An unknown name, with the nearest known one.
    #[must_use]
    pub fn unknown(kind: &str, name: &str, known: &[&str]) -> Problem {
        let mut expected = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => format!("there is no {kind} here"),
            None => String::new(),
        };
        if !known.is_empty() {
            let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let gap = if expected.is_empty() { "" } else { " " };
            expected.push_str(&format!("{gap}known: {list}"));
        }
        Problem::new(format!("unknown {kind} `{name}`")).expected(expected)
    }

    /// The problem as text of several lines: message, file and line, excerpt, what was expected.
    #[must_use]
    pub fn render(&self, sources: &Sources, level: &Level<'_>, colour: bool) -> String {
        let mut group =
            level.clone().primary_title(self.message.as_str()).elements(self.at.map(|at| {
                let label = self.expected.as_deref().unwrap_or("here");
                Snippet::source(sources.text(at.source))
                    .path(sources.name(at.source))
                    .annotation(AnnotationKind::Primary.span(at.start..at.end).label(label))
            }));
        if let (None, Some(expected)) = (self.at, &self.expected) {
            group = group.element(Level::HELP.message(expected.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        self.expected.as_ref().map_or(Ok(()), |expected| write!(f, ": {expected}"))
    }
}

impl std::error::Error for Problem {}

impl serde::de::Error for Problem {
    fn custom<T: Display>(message: T) -> Problem {
        Problem::new(message.to_string())
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Problem {
        Problem::unknown("key", field, known)
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Problem {
        Problem::unknown("choice", variant, known)
    }

    fn missing_field(field: &'static str) -> Problem {
        Problem::new(format!("`{field}` is missing"))
            .expected(format!("`{field}` must be given here"))
    }

    fn invalid_type(
        found: serde::de::Unexpected<'_>,
        expected: &dyn serde::de::Expected,
    ) -> Problem {
        Problem::new(format!("expected {expected}, found {found}"))
            .expected(format!("expected {expected}"))
    }
}

/// The known name most like `name`, if any is like it at all.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|&candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|&(likeness, _)| likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
