//! Which promises an experiment watches: each of the catalogue as often as it likes, by names and
//! labels of its own.

#[cfg(feature = "schema")]
use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
#[cfg(feature = "schema")]
use serde_json::json;

use super::CATALOGUE;
use super::promise::{Entry, Text};
use crate::model::document::{Data, Field, Value};
use crate::model::hidden::in_line;
use crate::model::problem::Problem;
use crate::model::{plain_name, read};

/// A promise that an experiment watches.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Its name in `[invariants]` and in results.
    pub name: String,
    /// What tables call what is counted when it breaks.
    pub label: String,
    /// Whether the experiment gives the label.
    is_labelled: bool,
    /// What is promised.
    pub kind: &'static Entry,
    /// What it is about.
    pub(super) text: Arc<dyn Text>,
}

/// The promises that an experiment watches, in the order of results: that of the catalogue, and of
/// one kind that of the file.
#[derive(Clone, Debug, Default)]
pub struct WatchList(Vec<Watched>);

/// The key that says what a promise of a name of the user's own is.
const KIND: &str = "promise";
/// The key of what tables call it.
const LABEL: &str = "label";
/// The most letters of a label: it heads a column.
const LETTERS_MAX: usize = 60;

impl Watched {
    /// What it promises, in one sentence, with the label that the experiment gives it.
    pub fn sentence(&self) -> String {
        let sentence = self.kind.sentence;
        if !self.is_labelled {
            return sentence.to_owned();
        }
        let mut letters = sentence.trim_end_matches('.').chars();
        let first: String = letters.next().into_iter().flat_map(char::to_lowercase).collect();
        format!("{} ({first}{}).", self.label.trim_end_matches('.'), letters.as_str())
    }
}

impl WatchList {
    /// Reads `[invariants]`, one by one, so that an error in one does not hide the others.
    pub fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> WatchList {
        let Some(value) = value else { return WatchList::default() };
        let Data::Table(fields) = &value.data else {
            let found = value.data.describe();
            let problem = Problem::new(format!("expected a table of promises, found {found}"));
            problems.push(problem.expected("[invariants.NAME] for each promise").at(value.at));
            return WatchList::default();
        };
        let mut list: Vec<(usize, Watched)> = Vec::new();
        for (name, field) in fields {
            match watched(name, field) {
                Ok(one) => list.push(one),
                Err(problem) => problems.push(problem),
            }
        }
        list.sort_by_key(|(place, _)| *place);
        let list: Vec<Watched> = list.into_iter().map(|(_, one)| one).collect();
        for (index, one) in list.iter().enumerate() {
            if let Some(other) = list[..index].iter().find(|other| other.label == one.label) {
                let problem =
                    Problem::new(format!("`{}` has the label of `{}`", one.name, other.name));
                let problem = problem
                    .expected("a label that no other promise has: tables tell them apart by it");
                problems.push(problem.located(value, &[&one.name, LABEL]));
            }
        }
        WatchList(list)
    }

    /// The promises in the order of results.
    pub fn iter(&self) -> std::slice::Iter<'_, Watched> {
        self.0.iter()
    }

    /// The promise of this place in results.
    pub fn get(&self, place: usize) -> Option<&Watched> {
        self.0.get(place)
    }

    /// The place in results of the promise of this name.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|one| one.name == name)
    }

    /// The names in the order of results.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|one| one.name.as_str()).collect()
    }
}

/// Reads one promise; returns its place in the catalogue too.
fn watched(name: &str, field: &Field) -> Result<(usize, Watched), Problem> {
    plain_name("a promise", name).map_err(|problem| problem.at(field.key_at))?;
    let Data::Table(keys) = &field.value.data else {
        let found = field.value.data.describe();
        let problem = Problem::new(format!("expected a table with keys, found {found}"));
        return Err(problem.expected("what the promise is about").at(field.value.at));
    };
    let place = place_of(name, field, keys)?;
    let kind = &CATALOGUE[place];
    let given = label_of(keys)?;
    let is_labelled = given.is_some();
    let label = given.unwrap_or_else(|| match name == kind.name {
        true => kind.label.to_owned(),
        false => format!("{} ({name})", kind.label),
    });
    let own = keys.iter().filter(|(key, _)| *key != KIND && *key != LABEL);
    let own = own.map(|(key, field)| (key.clone(), field.clone())).collect();
    let text = (kind.read)(&Value { data: Data::Table(own), at: field.value.at })?;
    Ok((place, Watched { name: name.to_owned(), label, is_labelled, kind, text }))
}

/// The label that is given, if one is.
fn label_of(keys: &IndexMap<String, Field>) -> Result<Option<String>, Problem> {
    let Some(field) = keys.get(LABEL) else { return Ok(None) };
    let label: String = read(&field.value)?;
    if label.trim().is_empty() || label.chars().count() > LETTERS_MAX {
        let problem = Problem::new("this cannot be what tables call a promise");
        let expected = format!("a label of 1 to {LETTERS_MAX} letters");
        return Err(problem.expected(expected).at(field.value.at));
    }
    match in_line(&label) {
        Some(problem) => Err(problem.at(field.value.at)),
        None => Ok(Some(label)),
    }
}

/// The place in the catalogue of what a promise is, by its key `promise` or by its own name.
fn place_of(name: &str, field: &Field, keys: &IndexMap<String, Field>) -> Result<usize, Problem> {
    let known: Vec<&str> = CATALOGUE.iter().map(|entry| entry.name).collect();
    let place = |name: &str| known.iter().position(|known| *known == name);
    let Some(given) = keys.get(KIND) else {
        return place(name).ok_or_else(|| {
            let problem = Problem::unknown("promise", name, &known).at(field.key_at);
            let expected = problem.expected.clone().unwrap_or_default();
            problem.expected(format!("{expected}; or `{KIND} = \"…\"` in it: what it promises"))
        });
    };
    let kind: String = read(&given.value)?;
    if place(name).is_some() && name != kind {
        let problem = Problem::new(format!("`{name}` is the name of another promise"));
        let expected = format!("another name for this one, or `{KIND} = \"{name}\"`");
        return Err(problem.expected(expected).at(given.value.at));
    }
    let unknown = || Problem::unknown("promise", &kind, &known).at(given.value.at);
    place(&kind).ok_or_else(unknown)
}

#[cfg(feature = "schema")]
impl JsonSchema for WatchList {
    fn schema_name() -> Cow<'static, str> {
        "Invariants".into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let mut properties = serde_json::Map::new();
        let mut others = Vec::new();
        for entry in CATALOGUE {
            let own = (entry.schema)(schemas);
            let reference = own.get("$ref").expect("a text has a name");
            others.push(json!({
                "$ref": reference,
                "properties": { KIND: { "const": entry.name } },
                "required": [KIND],
            }));
            let name = reference.as_str().and_then(|path| path.rsplit('/').next());
            let text = name.and_then(|name| schemas.definitions_mut().get_mut(name));
            if let Some(keys) = text.and_then(|text| text.pointer_mut("/properties")) {
                keys[KIND] = json!({
                    "type": "string",
                    "description": "What it promises, where its name is one of your own.",
                });
                keys[LABEL] = json!({
                    "type": "string",
                    "description": "What tables call what is counted when it breaks.",
                });
            }
            let property = json!({ "$ref": reference, "description": entry.sentence });
            properties.insert(entry.name.to_owned(), property);
        }
        json_schema!({
            "description": "The promises that an experiment watches, by name: one of these, or a \
                            name of your own with `promise`.",
            "type": "object",
            "properties": properties,
            "additionalProperties": { "anyOf": others },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::example;

    fn listed(text: &str) -> Result<WatchList, Vec<String>> {
        example::listed(text).map_err(|problems| {
            assert!(problems.iter().all(|problem| problem.at.is_some()), "{problems:?}");
            problems.iter().map(|problem| problem.message.clone()).collect()
        })
    }

    #[test]
    fn a_promise_stands_under_its_own_name_and_under_several_of_the_users() {
        let list = "[fencing]\ndatabase = 'db'\n[mails_once]\npromise = 'one_charge'\n\
                    effect = 'mail'\n[one_charge]\neffect = 'charge'\nlabel = 'paid twice'\n";
        let list = listed(list).unwrap();
        let row = |one: &Watched| (one.name.clone(), one.label.clone(), one.kind.name);
        let expected = [
            ("mails_once", "double charges (mails_once)", "one_charge"),
            ("one_charge", "paid twice", "one_charge"),
            ("fencing", "stale writes taken", "fencing"),
        ];
        let expected = expected.map(|(name, label, kind)| (name.into(), label.into(), kind));
        assert_eq!(list.iter().map(row).collect::<Vec<_>>(), expected);
        assert_eq!(list.get(0).unwrap().sentence(), "At most one charge per order.");
        let labelled = "paid twice (at most one charge per order).";
        assert_eq!(list.get(1).unwrap().sentence(), labelled);
    }

    #[test]
    fn every_promise_is_a_sentence() {
        for entry in CATALOGUE {
            let sentence = entry.sentence;
            assert!(sentence.ends_with('.') && sentence.contains(' '), "{sentence}");
        }
    }

    #[test]
    fn what_is_no_name_no_label_or_no_promise_is_refused() {
        let refused = |text: &str| listed(text).unwrap_err().join("; ");
        assert!(
            refused("'a b' = { promise = 'fencing', database = 'db' }").contains("cannot name")
        );
        assert!(refused("[mine]\ndatabase = 'db'").contains("unknown promise `mine`"));
        assert!(refused("[mine]\npromise = 'fence'\ndatabase = 'db'").contains("`fence`"));
        assert!(refused("[one_charge]\npromise = 'fencing'\ndatabase = 'db'").contains("another"));
        assert!(refused("[fencing]\ndatabase = 'db'\nlabel = ' '").contains("what tables call"));
        assert!(refused("[fencing]\ndatabase = 'db'\nlabel = \"a\\nb\"").contains("U+000A"));
        let of = |letters| format!("[fencing]\ndatabase = 'db'\nlabel = '{}'", "x".repeat(letters));
        assert!(refused(&of(LETTERS_MAX + 2)).contains("what tables call"));
        assert!(listed(&of(LETTERS_MAX)).is_ok(), "as long as it may be");
        assert!(refused("[fencing]\ndatabase = 'db'\neffect = 'x'").contains("effect"));
        assert!(refused("fencing = true").contains("expected a table"));
        let same = "[fencing]\ndatabase = 'a'\nlabel = 'x'\n\
                    [mine]\npromise = 'fencing'\ndatabase = 'b'\nlabel = 'x'";
        assert!(refused(same).contains("has the label of"));
    }
}
