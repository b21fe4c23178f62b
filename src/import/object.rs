//! One object of a document, read key by key: every key that is asked for leaves a note, and a key
//! that nobody asked for is a mistake.

use std::fmt::Display;

use indexmap::IndexMap;

use super::note::{Notes, joined, shown};
use super::quantity::wrong;
use crate::model::document::{Data, Field, Location, Value};
use crate::model::problem::Problem;

/// An object that is there, or one that is not and has defaults only.
#[derive(Clone, Debug)]
pub(super) struct Object<'a> {
    /// Its path in the file.
    pub(super) path: String,
    fields: Option<&'a IndexMap<String, Field>>,
    at: Option<Location>,
    asked: Vec<&'static str>,
    /// Whether `max_requests`, `maxRequests` and `max-requests` are one key.
    is_relaxed: bool,
}

/// How a value is read.
pub(super) type Parse<T> = fn(&Value) -> Result<T, Problem>;

/// Words that an unknown key of an otherwise open object must not have.
const RESILIENCE: [&str; 8] =
    ["retr", "timeout", "hedg", "breaker", "outlier", "budget", "backoff", "ejection"];

impl<'a> Object<'a> {
    /// The object that a value is; `None` and a problem if it is something else.
    pub(super) fn new(path: &str, value: &'a Value, notes: &mut Notes) -> Object<'a> {
        let mut object = Object::absent(path);
        match &value.data {
            Data::Table(fields) => {
                (object.fields, object.at) = (Some(fields), Some(value.at));
                notes.at.get_or_insert(value.at);
            }
            _ => notes.problems.push(wrong(value, "an object with fields")),
        }
        object
    }

    /// An object that is not there.
    pub(super) fn absent(path: &str) -> Object<'a> {
        Object {
            path: path.to_owned(),
            fields: None,
            at: None,
            asked: Vec::new(),
            is_relaxed: false,
        }
    }

    /// The object with keys that may be written in several ways.
    pub(super) fn relaxed(self) -> Object<'a> {
        Object { is_relaxed: true, ..self }
    }

    pub(super) fn is_there(&self) -> bool {
        self.fields.is_some()
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Option<Location> {
        self.at
    }

    /// Whether a key is there and is 0.
    pub(super) fn is_zero(&self, key: &str) -> bool {
        let mut fields = self.fields.into_iter().flatten();
        let given = fields.find(|(written, _)| self.matches(written, key));
        given.is_some_and(|(_, field)| super::quantity::count(&field.value) == Ok(0))
    }

    fn matches(&self, written: &str, key: &str) -> bool {
        written == key || (self.is_relaxed && folded(written) == folded(key))
    }

    /// The value of a key, and the path with the key as it is written.
    pub(super) fn value(&mut self, key: &'static str) -> Option<(String, &'a Value)> {
        self.asked.push(key);
        let fields = self.fields?;
        let (written, field) = fields.iter().find(|(written, _)| self.matches(written, key))?;
        Some((joined(&self.path, written), &field.value))
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.is_some_and(|fields| fields.keys().any(|written| self.matches(written, key)))
    }

    /// A problem at the value of a key, or at the object where the key is not given.
    pub(super) fn problem(&self, key: &str, problem: Problem) -> Problem {
        let mut fields = self.fields.into_iter().flatten();
        let given = fields.find(|(written, _)| self.matches(written, key));
        match given.map(|(_, field)| field.value.at).or(self.at) {
            Some(at) => problem.at(at),
            None => problem,
        }
    }

    /// Reads a key that is given, and notes what it means.
    pub(super) fn given<T>(
        &mut self,
        notes: &mut Notes,
        key: &'static str,
        parse: Parse<T>,
        means: &str,
    ) -> Option<T> {
        let (path, value) = self.value(key)?;
        match parse(value) {
            Ok(read) => {
                notes.given(&path, shown(value), means);
                Some(read)
            }
            Err(problem) => {
                notes.problems.push(problem.at(value.at));
                None
            }
        }
    }

    /// Reads a key, or takes its default and notes where that was read.
    pub(super) fn read<T: Display>(
        &mut self,
        notes: &mut Notes,
        key: &'static str,
        parse: Parse<T>,
        (default, source): (T, &'static str),
        means: &str,
    ) -> T {
        if let Some(read) = self.given(notes, key, parse, means) {
            return read;
        }
        notes.defaulted(&joined(&self.path, key), default.to_string(), source);
        default
    }

    /// Reads a key without which there is no limit; `absent` says how that is written.
    pub(super) fn limit<T>(
        &mut self,
        notes: &mut Notes,
        key: &'static str,
        parse: Parse<T>,
        (absent, source): (&str, &'static str),
        means: &str,
    ) -> Option<T> {
        let read = self.given(notes, key, parse, means);
        if read.is_none() {
            notes.defaulted(&joined(&self.path, key), absent.to_owned(), source);
        }
        read
    }

    /// Notes that these keys, where they are given, change nothing.
    pub(super) fn ignore(&mut self, notes: &mut Notes, keys: &[&'static str], why: &str) {
        for key in keys {
            if let Some((path, value)) = self.value(key) {
                notes.ignored(&path, value, why);
            }
        }
    }

    pub(super) fn object(&mut self, notes: &mut Notes, key: &'static str) -> Object<'a> {
        let object = match self.value(key) {
            Some((path, value)) => {
                if matches!(&value.data, Data::Table(fields) if fields.is_empty()) {
                    notes.given(&path, "{}".to_owned(), "says nothing: the defaults");
                }
                Object::new(&path, value, notes)
            }
            None => Object::absent(&joined(&self.path, key)),
        };
        Object { is_relaxed: self.is_relaxed, ..object }
    }

    /// The objects of the list at a key.
    pub(super) fn objects(&mut self, notes: &mut Notes, key: &'static str) -> Vec<Object<'a>> {
        let Some((path, value)) = self.value(key) else { return Vec::new() };
        let Data::List(values) = &value.data else {
            notes.problems.push(wrong(value, "a list of objects"));
            return Vec::new();
        };
        let objects = values.iter().enumerate().map(|(index, value)| {
            let object = Object::new(&format!("{path}[{index}]"), value, notes);
            Object { is_relaxed: self.is_relaxed, ..object }
        });
        objects.collect()
    }

    /// Every key with its value, for objects whose keys are names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Field)> + use<'a> {
        self.fields.into_iter().flatten().map(|(key, field)| (key.as_str(), field))
    }

    /// Objects of which each may have what any of them was asked for.
    pub(super) fn share_asked(mut objects: Vec<Object<'a>>) -> Vec<Object<'a>> {
        let asked: Vec<&'static str> =
            objects.iter().flat_map(|object| object.asked.iter().copied()).collect();
        for object in &mut objects {
            object.asked.clone_from(&asked);
        }
        objects
    }

    /// Everything here is known: any other key is a mistake.
    pub(super) fn close(self, notes: &mut Notes) {
        self.refuse(notes, |_| true);
    }

    /// Much else may be here, but nothing that sounds like resilience.
    pub(super) fn close_open(self, notes: &mut Notes) {
        self.refuse(notes, |key| RESILIENCE.iter().any(|word| folded(key).contains(word)));
    }

    /// Much else may be here, but nothing that begins like this.
    pub(super) fn close_prefixed(self, notes: &mut Notes, prefixes: &[&str]) {
        self.refuse(notes, |key| prefixes.iter().any(|prefix| key.starts_with(prefix)));
    }

    fn refuse(self, notes: &mut Notes, is_mistake: impl Fn(&str) -> bool) {
        for (written, field) in self.fields.into_iter().flatten() {
            let mut asked: Vec<&str> = self.asked.clone();
            asked.sort_unstable();
            asked.dedup();
            let known = asked.iter().find(|key| self.matches(written, key));
            let problem = match known {
                None if is_mistake(written) => Problem::unknown("field", written, &asked),
                Some(key) => {
                    let fields = self.fields.into_iter().flatten();
                    let first = fields.map(|(name, _)| name).find(|name| self.matches(name, key));
                    if first == Some(written) {
                        continue;
                    }
                    Problem::new(format!("`{key}` is written twice"))
                        .expected("one place for each field")
                }
                None => continue,
            };
            notes.problems.push(problem.at(field.key_at));
        }
    }
}

/// A key without its spelling.
pub(super) fn folded(key: &str) -> String {
    key.chars().filter(|c| !"-_".contains(*c)).flat_map(char::to_lowercase).collect()
}
