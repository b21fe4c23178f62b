//! YAML as documents that know their places: several in one file, aliases and merge keys resolved.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Spanned, budget, options};

use super::continuation::{self, Shift};
use crate::model::document::{Data, Field, Location, Value};
use crate::model::problem::Problem;

/// No configuration of a client comes near.
const BYTES_MAX: usize = 16 << 20;
/// As deep as JSON may be.
const DEPTH_MAX: usize = 64;
/// More values than this, aliases counted as often as they are used, are refused.
const NODES_MAX: usize = 250_000;

/// A tag that the parser refuses.
const DATE: &str = "!!timestamp";

/// Every document of a text that is not empty, with places in `source`.
///
/// # Errors
/// What is no YAML, with the place of it.
pub(super) fn parse(text: &str, source: usize) -> Result<Vec<Value>, Problem> {
    let top = Location { source, start: 0, end: 0 };
    if text.len() > BYTES_MAX {
        return Err(Problem::new("this file is too large for a configuration")
            .at(top)
            .expected("at most 16 MiB"));
    }
    let problem = match (Written { text, shifts: &[], source }).parse() {
        Ok(values) => return Ok(values),
        Err(problem) => problem,
    };
    // Other parsers take further lines of quoted text that are indented less.
    // And a date is a text here, whatever its tag.
    if text.contains(DATE) {
        let text = text.replace(DATE, &" ".repeat(DATE.len()));
        return (Written { text: &text, shifts: &[], source }).parse().map_err(|_| problem);
    }
    match continuation::indented(text) {
        Some((text, shifts)) => {
            Written { text: &text, shifts: &shifts, source }.parse().map_err(|_| problem)
        }
        None => Err(problem),
    }
}

/// A text as it is parsed, and what was put into it.
struct Written<'a> {
    text: &'a str,
    shifts: &'a [Shift],
    source: usize,
}

impl Written<'_> {
    fn parse(&self) -> Result<Vec<Value>, Problem> {
        let options = options! {
            budget: budget! {
                max_depth: DEPTH_MAX,
                max_nodes: NODES_MAX,
                flow_nesting_limit: DEPTH_MAX,
            },
            // A key that is written twice is refused here, in our words and at its place.
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            with_snippet: false,
            non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
        };
        let read = serde_saphyr::from_multiple_with_options::<Spanned<Node>>(self.text, options);
        let documents = read.map_err(|error| {
            let start = Location { source: self.source, start: 0, end: 0 };
            let at = error.location().map_or(start, |location| self.place(location));
            let message = error.without_snippet().to_string();
            let (what, how) = said(&message);
            Problem::new(what).at(at).expected(how)
        })?;
        documents.into_iter().map(|node| self.value(node)).collect()
    }

    /// A key without a value is as if it were not written; a whole document needs one.
    fn value(&self, node: Spanned<Node>) -> Result<Value, Problem> {
        let at = self.place(node.referenced);
        let data = match node.value {
            Node::Scalar(data) => data,
            Node::Nothing => {
                return Err(Problem::new("nothing is written here").at(at).expected("a value"));
            }
            Node::List(list) => {
                // Nothing in a list is as if it were not written either.
                let there = list.into_iter().filter(|node| !matches!(node.value, Node::Nothing));
                Data::List(there.map(|node| self.value(node)).collect::<Result<_, _>>()?)
            }
            Node::Table(entries) => {
                let mut fields = IndexMap::new();
                for (key, node) in entries {
                    let key_at = self.place(key.referenced);
                    let key = key.value.0;
                    if matches!(node.value, Node::Nothing) {
                        continue;
                    }
                    let field = Field { key_at, value: self.value(node)? };
                    if fields.insert(key, field).is_some() {
                        let problem = Problem::new("this key is written twice").at(key_at);
                        return Err(problem.expected("one place for each key"));
                    }
                }
                Data::Table(fields)
            }
        };
        Ok(Value { data, at })
    }

    /// The bytes of a place; that of a table or list is its first character.
    fn place(&self, location: serde_saphyr::Location) -> Location {
        let span = location.span();
        let byte = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(self.text.len());
        // Errors of syntax know characters only.
        let characters = || self.text.char_indices().nth(span.offset() as usize);
        let mut start = span
            .byte_offset()
            .map_or_else(|| characters().map_or(self.text.len(), |(byte, _)| byte), byte);
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let length = span.byte_len().unwrap_or(0).max(1);
        let mut end = byte(start as u64 + length);
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let [start, end] = [start, end].map(|byte| continuation::original(self.shifts, byte));
        Location { source: self.source, start, end }
    }
}

/// A key as text: numbers and switches as they are shown.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_any(AnyKey)
    }
}

struct AnyKey;

impl Visitor<'_> for AnyKey {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NO_KEY)
    }

    fn visit_unit<E: Error>(self) -> Result<Key, E> {
        Ok(Key("null".to_owned()))
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<Key, E> {
        Ok(Key(boolean.to_string()))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Key, E> {
        Ok(Key(integer.to_string()))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Key, E> {
        Ok(Key(integer.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Key, E> {
        Ok(Key(number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Key, E> {
        Ok(Key(text.to_owned()))
    }
}

/// What stands before a colon; found in what the parser says where it is something else.
const NO_KEY: &str = "a plain key";

/// What the parser complains of, by the words in which it does, in words of ours.
const SAID: [(&[&str], &str, &str); 9] = [
    (&[NO_KEY], "a list or a table is no key", "a name before the colon"),
    (&["tab"], "a tab stands where spaces are indentation", "spaces"),
    (&["alias", "anchor"], "this alias has no anchor before it", "`&name` before `*name`"),
    (&["depth", "nest", "recursion"], "this is nested too deeply", "at most 64 levels"),
    (&["budget", "limit", "too many", "replay"], "aliases make too much of this", "fewer of them"),
    (&["quoted", "escape"], "this quoted text is not closed, or escapes what it cannot", "a quote"),
    (&["flow", "','", "']'", "'}'"], "a bracket is not closed, or a comma is missing", "`,`"),
    (&["key", "':'", "mapping"], "this is no key with a value", "`key: value`"),
    (&["indent", "block", "column"], "this line fits into nothing above it", "its indentation"),
];

fn said(message: &str) -> (&'static str, &'static str) {
    let message = message.split(" at line ").next().unwrap_or_default().to_lowercase();
    let known = SAID.iter().find(|(words, ..)| words.iter().any(|word| message.contains(word)));
    known.map_or(("this cannot be read as YAML", "a key, a list or a value"), |(_, what, how)| {
        (*what, *how)
    })
}

/// A YAML value of whatever kind.
enum Node {
    Nothing,
    Table(Vec<(Spanned<Key>, Spanned<Node>)>),
    List(Vec<Spanned<Node>>),
    Scalar(Data),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<Node, E> {
        Ok(Node::Scalar(Data::Boolean(boolean)))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Node, E> {
        Ok(Node::Scalar(Data::Integer(integer)))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Node, E> {
        Ok(Node::Scalar(match i64::try_from(integer) {
            Ok(integer) => Data::Integer(integer),
            Err(_) => Data::Float(integer as f64),
        }))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Scalar(Data::Float(number)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Scalar(Data::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            table.push(entry);
        }
        Ok(Node::Table(table))
    }
}
