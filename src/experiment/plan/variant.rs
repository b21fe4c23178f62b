//! Arms and levels: what stands beside each other in an experiment.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::document::{Data, Field, Patch, Value};
use crate::model::hidden::in_line;
use crate::model::problem::{Problem, shortened};
use crate::model::read_each;

/// An arm, or a level of a factor: a name and what it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name in results.
    pub name: String,
    /// What pictures and tables call it.
    pub label: String,
    /// What it changes.
    pub set: Vec<Patch>,
}

/// A factor: what is swept.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// Its name.
    pub name: String,
    /// Its levels.
    pub levels: Vec<Variant>,
}

/// What is wrong with arms, or levels of one factor, that tables and pictures would call the same:
/// each with the path to its place from theirs.
pub(in crate::experiment) fn same_labels<'v>(
    kind: &str,
    variants: &'v [Variant],
) -> Vec<(&'v str, Problem)> {
    let mut first: BTreeMap<&str, &Variant> = BTreeMap::new();
    let mut problems = Vec::new();
    for variant in variants {
        let other = *first.entry(&variant.label).or_insert(variant);
        if !std::ptr::eq(other, variant) {
            let (name, other) = (shortened(&variant.name), shortened(&other.name));
            let problem = Problem::new(format!("`{name}` has the label of `{other}`")).expected(
                format!("a label that no other {kind} has: tables tell them apart by it"),
            );
            problems.push((variant.name.as_str(), problem));
        }
    }
    problems
}

/// The text of an arm or level.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VariantText {
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    from: Option<String>,
    /// Read from the document instead, with the places of its values.
    #[serde(default, rename = "set")]
    _set: serde::de::IgnoredAny,
}

/// The arms, or the levels of a factor, in their order; each of this `kind`.
pub(in crate::experiment) fn read_variants(
    kind: &str,
    table: Option<&Value>,
    problems: &mut Vec<Problem>,
) -> Vec<Variant> {
    let texts = read_each::<VariantText>(table, problems);
    let from: Vec<Option<String>> = texts.iter().map(|(_, text)| text.from.clone()).collect();
    let read = |(name, text): (String, VariantText)| {
        let set = table.and_then(|table| table.find(&[name.clone(), "set".to_owned()]));
        let label = text.label.unwrap_or_else(|| name.clone());
        if let Some(problem) = in_line(&label) {
            let at = table.map(|table| table.locate(&[name.clone(), "label".to_owned()]));
            problems.push(at.map_or(problem.clone(), |at| problem.at(at)));
        }
        Variant { name, label, set: read_set(set, problems) }
    };
    let own: Vec<Variant> = texts.into_iter().map(read).collect();
    let begun = (0..own.len()).map(|index| {
        begun(kind, &own, &from, index).unwrap_or_else(|problem| {
            let path = [own[index].name.clone(), "from".to_owned()];
            let at = table.map(|table| table.locate(&path));
            problems.push(at.map_or(problem.clone(), |at| problem.at(at)));
            own[index].clone()
        })
    });
    begun.collect()
}

/// One of several variants with the changes of the one that it begins with, and of the one with
/// which that begins, and so on. What it changes itself wins.
fn begun(
    kind: &str,
    own: &[Variant],
    from: &[Option<String>],
    index: usize,
) -> Result<Variant, Problem> {
    let mut line = vec![index];
    while let Some(name) = &from[line[line.len() - 1]] {
        let Some(next) = own.iter().position(|variant| variant.name == *name) else {
            let known: Vec<&str> = own.iter().map(|variant| variant.name.as_str()).collect();
            return Err(Problem::unknown(kind, name, &known));
        };
        if line.contains(&next) {
            let name = shortened(name);
            let problem = Problem::new(format!("`{name}` begins with what begins with it"));
            return Err(problem.expected(format!("another {kind}, which does not")));
        }
        line.push(next);
    }
    let mut set: Vec<Patch> = Vec::new();
    for patch in line.iter().rev().flat_map(|&place| &own[place].set) {
        match set.iter_mut().find(|known| known.path == patch.path) {
            Some(known) => *known = patch.clone(),
            None => set.push(patch.clone()),
        }
    }
    Ok(Variant { set, ..own[index].clone() })
}

/// The patches of a `set` table.
pub fn read_set(set: Option<&Value>, problems: &mut Vec<Problem>) -> Vec<Patch> {
    match set.map(|set| (&set.data, set.at)) {
        None => Vec::new(),
        Some((Data::Table(fields), _)) => {
            let patch = |(path, field): (&String, &Field)| Patch {
                path: path.clone(),
                path_at: field.key_at,
                value: field.value.clone(),
            };
            fields.iter().map(patch).collect()
        }
        Some((other, at)) => {
            let found = other.describe();
            let problem =
                Problem::new(format!("expected a table of paths and values, found {found}")).at(at);
            problems.push(problem.expected("set = { \"policy.checkout.timeout\" = \"1s\" }"));
            Vec::new()
        }
    }
}
