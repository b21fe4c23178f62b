//! What is wrong with a file: where, what was expected, and the nearest name that exists.

use std::fmt::Display;

use crate::policy::keys::Wrong;

/// A place in a source: which file, and its first and last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The index of the file in [`super::document::Sources`].
    pub source: usize,
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// One thing that is wrong, or suspicious, in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What is wrong, in a short sentence without a full stop.
    pub message: String,
    /// Where, if it is in a file.
    pub at: Option<Location>,
    /// What would have been right.
    pub expected: Option<String>,
    /// Keys and list positions that lead from the thing that was judged to what is wrong with it.
    pub inside: Vec<String>,
}

impl Problem {
    /// A problem without a place.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), at: None, expected: None, inside: Vec::new() }
    }

    /// The problem at this place, unless it already has a more exact one.
    pub fn at(mut self, at: Location) -> Problem {
        self.at.get_or_insert(at);
        self
    }

    /// The problem with what would have been right.
    pub fn expected(mut self, expected: impl Into<String>) -> Problem {
        self.expected = Some(expected.into());
        self
    }

    /// The problem one key or list position further inside.
    pub fn inside(mut self, key: impl Into<String>) -> Problem {
        self.inside.insert(0, key.into());
        self
    }

    /// Whether another problem has the same message and place, whatever it expects.
    pub fn is_about_the_same(&self, other: &Problem) -> bool {
        (&self.message, self.at) == (&other.message, other.at)
    }

    /// An unknown name, with the nearest known one.
    pub fn unknown(kind: &str, name: &str, known: &[&str]) -> Problem {
        let expected = match nearest(name, known) {
            _ if known.is_empty() => format!("there is no {kind} here"),
            Some(near) if known.len() > 1 => {
                format!("did you mean `{}`? known: {}", shortened(near), list(known))
            }
            Some(near) => format!("did you mean `{}`?", shortened(near)),
            None => format!("known: {}", list(known)),
        };
        Problem::new(format!("unknown {kind} `{}`", shortened(name))).expected(expected)
    }

    /// A name of something else than what was asked for.
    pub fn wrong_kind(kind: &str, name: &str, known: &[&str]) -> Problem {
        let expected = match known {
            [] => format!("the name of a {kind}; there is none"),
            _ => format!("the name of a {kind}: {}", list(known)),
        };
        Problem::new(format!("`{}` is not a {kind}", shortened(name))).expected(expected)
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        self.expected.as_ref().map_or(Ok(()), |expected| write!(f, ": {expected}"))
    }
}

impl std::error::Error for Problem {}

impl From<Wrong> for Problem {
    fn from(wrong: Wrong) -> Problem {
        serde::de::Error::custom(wrong)
    }
}

impl serde::de::Error for Problem {
    /// What a part of a policy finds wrong has up to three lines: what, what was expected, and the
    /// key ([`crate::policy::keys::Wrong`]).
    fn custom<T: Display>(message: T) -> Problem {
        let message = message.to_string();
        let mut lines = message.split('\n');
        let problem = Problem::new(lines.next().unwrap_or_default());
        let problem = lines.next().into_iter().fold(problem, Problem::expected);
        lines.next().into_iter().fold(problem, Problem::inside)
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
        let expected = expected.to_string();
        let (what, how) = plain(&expected);
        Problem::new(format!("expected {what}, found {}", found_text(found)))
            .expected(how.unwrap_or(what))
    }

    fn invalid_value(
        found: serde::de::Unexpected<'_>,
        expected: &dyn serde::de::Expected,
    ) -> Problem {
        Problem::invalid_type(found, expected)
    }
}

/// What was expected, in the words of the language instead of those of Rust, and how it is written
/// if that is more than its name.
fn plain(expected: &str) -> (&str, Option<&str>) {
    match expected {
        "u32" => ("a whole number", Some("a whole number from 0 to 4294967295")),
        "u64" => ("a whole number", Some("a whole number of at least 0")),
        "f64" => ("a number", None),
        "a string" => ("text", Some("text in quotes")),
        "a boolean" => ("true or false", None),
        "a sequence" => ("a list", Some("a list: [ … ]")),
        "a map" => ("a table", Some("a table: { … }")),
        _ if expected.starts_with("struct ") => ("a table", Some("a table: { … }")),
        _ => match expected.split_once(": ") {
            Some((what, how)) => (what, Some(how)),
            None => (expected, None),
        },
    }
}

fn found_text(found: serde::de::Unexpected<'_>) -> String {
    use serde::de::Unexpected;
    match found {
        Unexpected::Str(text) => format!("\"{}\"", shortened(text)),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Float(number) => number_text(number),
        Unexpected::Bool(boolean) => boolean.to_string(),
        Unexpected::Map => "a table".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        other => other.to_string(),
    }
}

/// A number in a message: with its power of ten where it would have as many digits.
pub fn number_text(number: f64) -> String {
    match number == 0.0 || (1e-9..1e15).contains(&number.abs()) {
        true => number.to_string(),
        false => format!("{number:e}"),
    }
}

/// A text that may be in a message: no message is as long as a file.
pub fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    let text = text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Names in backquotes; a long list ends early.
fn list(names: &[&str]) -> String {
    const MOST: usize = 16;
    let shown: Vec<String> =
        names.iter().take(MOST).map(|name| format!("`{}`", shortened(name))).collect();
    let more = if names.len() > MOST {
        format!(" and {} more", names.len() - MOST)
    } else {
        String::new()
    };
    shown.join(", ") + &more
}

/// The known name most like `name`, if any is like it at all.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = &shortened(name);
    // An operation whose node alone was named is meant more likely than one that looks like it.
    let likeness = |candidate: &str| match candidate.strip_prefix(name.as_str()) {
        Some(rest) if rest.starts_with('.') => 1.0,
        _ => strsim::jaro_winkler(name, candidate),
    };
    known
        .iter()
        .map(|&candidate| (likeness(candidate), candidate))
        .filter(|&(likeness, _)| likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
