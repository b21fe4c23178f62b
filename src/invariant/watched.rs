//! Which promises an experiment watches, in the order of results.

use indexmap::IndexMap;

use super::{CATALOGUE, Entry, InvariantTexts};
use crate::model::document::{Data, Field, Value};
use crate::model::problem::Problem;
use crate::model::read;

/// A promise that an experiment watches.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Its name in `[invariants]` and in results.
    pub name: String,
    /// What tables call what is counted when it breaks.
    pub label: String,
    /// What is promised.
    pub kind: &'static Entry,
    /// What it is about: of these texts its own is given and no other.
    pub(super) texts: InvariantTexts,
}

/// The promises that an experiment watches, in the order of results: that of the catalogue.
#[derive(Clone, Debug, Default)]
pub struct WatchList(Vec<Watched>);

impl WatchList {
    /// Reads `[invariants]`, one by one, so that an error in one does not hide the others.
    #[must_use]
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
        WatchList(list.into_iter().map(|(_, one)| one).collect())
    }

    /// The promises in the order of results.
    pub fn iter(&self) -> std::slice::Iter<'_, Watched> {
        self.0.iter()
    }

    /// The promise of this place in results.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&Watched> {
        self.0.get(place)
    }

    /// The place in results of the promise of this name.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|one| one.name == name)
    }

    /// The names in the order of results.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|one| one.name.as_str()).collect()
    }
}

/// Reads one promise; returns its place in the catalogue too.
fn watched(name: &str, field: &Field) -> Result<(usize, Watched), Problem> {
    let known: Vec<&str> = CATALOGUE.iter().map(|entry| entry.name).collect();
    let place = known.iter().position(|known| *known == name);
    let place = place.ok_or_else(|| Problem::unknown("key", name, &known).at(field.key_at))?;
    let kind = &CATALOGUE[place];
    let only = IndexMap::from([(kind.name.to_owned(), field.clone())]);
    let texts = read(&Value { data: Data::Table(only), at: field.value.at })?;
    Ok((place, Watched { name: name.to_owned(), label: kind.label.to_owned(), kind, texts }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_is_a_sentence() {
        for entry in CATALOGUE {
            let sentence = entry.promise();
            assert!(sentence.ends_with('.') && sentence.contains(' '), "{sentence}");
        }
    }
}
