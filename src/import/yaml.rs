//! YAML as documents that know their places: several in one file, aliases and merge keys resolved.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Spanned, budget, options};

use crate::model::document::{Data, Field, Location, Sources, Value};
use crate::model::problem::Problem;

/// No configuration of a client comes near.
const BYTES_MAX: usize = 16 << 20;
/// As deep as JSON may be.
const DEPTH_MAX: usize = 64;
/// More values than this, aliases counted as often as they are used, are refused.
const NODES_MAX: usize = 250_000;

/// Every document of a file that is not empty.
pub(super) fn parse(sources: &Sources, source: usize) -> Result<Vec<Value>, Problem> {
    let text = sources.text(source);
    let top = Location { source, start: 0, end: 0 };
    if text.len() > BYTES_MAX {
        return Err(Problem::new("this file is too large for a configuration")
            .at(top)
            .expected("at most 16 MiB"));
    }
    let options = options! {
        budget: budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            flow_nesting_limit: DEPTH_MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    let documents = serde_saphyr::from_multiple_with_options::<Spanned<Node>>(text, options)
        .map_err(|error| {
            let at = error.location().map_or(top, |location| place(text, source, location));
            let message = error.without_snippet().to_string();
            Problem::new(said(&message)).at(at).expected("valid YAML")
        })?;
    documents.into_iter().map(|node| value(text, source, node)).collect()
}

/// The first line of what the parser says, without its own idea of the place.
fn said(message: &str) -> String {
    let line = message.lines().next().unwrap_or("this is not YAML");
    let line = line.strip_prefix("error: ").unwrap_or(line);
    line.split(" at line ").next().unwrap_or(line).chars().take(200).collect()
}

/// A YAML value of whatever kind.
enum Node {
    Nothing,
    Table(Vec<(Spanned<String>, Spanned<Node>)>),
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

/// A key without a value is as if it were not written; elsewhere nothing has no meaning.
fn value(text: &str, source: usize, node: Spanned<Node>) -> Result<Value, Problem> {
    let at = place(text, source, node.referenced);
    let data = match node.value {
        Node::Scalar(data) => data,
        Node::Nothing => {
            return Err(Problem::new("nothing is written here").at(at).expected("a value"));
        }
        Node::List(list) => {
            let list = list.into_iter().map(|node| value(text, source, node));
            Data::List(list.collect::<Result<_, _>>()?)
        }
        Node::Table(entries) => {
            let mut fields = IndexMap::new();
            for (key, node) in entries {
                if matches!(node.value, Node::Nothing) {
                    continue;
                }
                let key_at = place(text, source, key.referenced);
                fields.insert(key.value, Field { key_at, value: value(text, source, node)? });
            }
            Data::Table(fields)
        }
    };
    Ok(Value { data, at })
}

/// The bytes of a place; that of a table or list is its first character.
fn place(text: &str, source: usize, location: serde_saphyr::Location) -> Location {
    let span = location.span();
    let byte = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
    let mut start = byte(span.byte_offset().unwrap_or(0));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let length = span.byte_len().unwrap_or(0).max(1);
    let mut end = byte(start as u64 + length);
    while !text.is_char_boundary(end) {
        end += 1;
    }
    Location { source, start, end }
}
