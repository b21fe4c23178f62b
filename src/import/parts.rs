//! What a file consists of: documents, and values that took the place of placeholders.

use crate::model::document::{Location, Value};

/// A document and what is known of it beside its text.
#[derive(Debug)]
pub(super) struct Parsed {
    /// What its fields are called after, if that is not the kind of the object.
    pub(super) name: Option<String>,
    /// Which of the file's texts it is from: the file itself, or an entry of a ConfigMap.
    pub(super) part: usize,
    /// Whose the part is: the name of the ConfigMap.
    pub(super) owner: Option<String>,
    pub(super) value: Value,
}

/// Every document of a file, and the values in it that took the place of placeholders.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) documents: Vec<Parsed>,
    pub(super) replaced: Vec<Replaced>,
}

/// A value that took the place of a placeholder: where, and what was written.
pub(super) type Replaced = (Location, String);
