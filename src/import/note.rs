//! What became of each field of a document: given, defaulted, or ignored and why.

use crate::model::document::{Data, Location, Value};
use crate::model::problem::Problem;

/// What became of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was given; what it became in the policy.
    Given(String),
    /// It was not given; where its default was read.
    Defaulted(&'static str),
    /// It was given and changes nothing; why.
    Ignored(String),
    /// It says how calls are made, and no call was found to which that is attached; why.
    Unattached(String),
    /// It says nothing about calls.
    Elsewhere,
}

/// One field of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it stands: `spec.http[0].retries.attempts`.
    pub field: String,
    /// The value that is used, as the document writes it.
    pub value: String,
    /// What became of it.
    pub fate: Fate,
}

/// The notes and problems of one reading.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) notes: Vec<Note>,
    pub(super) problems: Vec<Problem>,
    /// Where the first thing that was read stands.
    pub(super) at: Option<Location>,
    /// What one must know to use the policy.
    pub(super) caveats: Vec<String>,
    /// The paths of what limits retries over many calls.
    budgets: Vec<String>,
}

impl Notes {
    /// What is noted below this path limits retries.
    pub(super) fn of_budget(&mut self, path: impl Into<String>) {
        self.budgets.push(path.into());
    }

    /// Nothing is retried, so what was given as a limit of retries changes nothing.
    pub(super) fn drop_budget(&mut self) {
        let Notes { notes, budgets, .. } = self;
        let is_of_budget = |field: &str| {
            budgets.iter().any(|path| {
                let rest = field.strip_prefix(path.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
        };
        for note in notes.iter_mut().filter(|note| is_of_budget(&note.field)) {
            if let Fate::Given(_) = note.fate {
                let why = "limits retries, and nothing is retried";
                note.fate = Fate::Ignored(why.to_owned());
            }
        }
        notes.retain(|note| !matches!(note.fate, Fate::Defaulted(_)) || !is_of_budget(&note.field));
    }

    pub(super) fn given(&mut self, field: &str, value: String, means: impl Into<String>) {
        self.add(field, value, Fate::Given(means.into()));
    }

    pub(super) fn defaulted(&mut self, field: &str, value: String, source: &'static str) {
        self.add(field, value, Fate::Defaulted(source));
    }

    /// Notes every leaf of a value as ignored.
    pub(super) fn ignored(&mut self, field: &str, value: &Value, why: &str) {
        leaves(field, value, &mut |field, value| {
            self.add(field, shown(value), Fate::Ignored(why.to_owned()));
        });
    }

    fn add(&mut self, field: &str, value: String, fate: Fate) {
        self.notes.push(Note { field: field.to_owned(), value, fate });
    }
}

/// Calls `each` with every value below `value` that has nothing below itself.
pub fn leaves(field: &str, value: &Value, each: &mut impl FnMut(&str, &Value)) {
    match &value.data {
        Data::Table(fields) if !fields.is_empty() => {
            for (key, inner) in fields {
                leaves(&joined(field, key), &inner.value, each);
            }
        }
        Data::List(values) if !values.is_empty() => {
            for (index, inner) in values.iter().enumerate() {
                leaves(&format!("{field}[{index}]"), inner, each);
            }
        }
        _ => each(field, value),
    }
}

/// The path of a key of a table.
pub(super) fn joined(field: &str, key: &str) -> String {
    if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") }
}

/// A value as it is shown beside its field.
pub(super) fn shown(value: &Value) -> String {
    match &value.data {
        Data::Text(text) => text.clone(),
        Data::Integer(integer) => integer.to_string(),
        Data::Float(number) => number.to_string(),
        Data::Boolean(flag) => flag.to_string(),
        Data::List(values) => {
            format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Data::Table(fields) => {
            let fields =
                fields.iter().map(|(key, field)| format!("{key}: {}", shown(&field.value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}
