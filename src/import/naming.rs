//! Names of policies: what can stand in a model, and what tells policies of one name apart.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::Imported;
use crate::model::document::{Data, Value};

/// The longest name of a table.
const LENGTH_MAX: usize = 80;

/// A name that can stand in a model: letters, digits, `-` and `_`.
pub(super) fn table_name(name: &str) -> String {
    let name = words(name);
    let name: String = name.chars().take(LENGTH_MAX).collect();
    if name.is_empty() { "imported".to_owned() } else { name.trim_end_matches('-').to_owned() }
}

/// The words of a text with dashes between them; empty if there are none.
pub(super) fn words(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let text: String = text.chars().map(plain).collect();
    text.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// What calls look like, in words: the path that they match, their method, what is in headers.
pub(super) fn matched(path: Option<String>, more: &[Option<&Value>]) -> String {
    let mut words: Vec<String> = path.into_iter().collect();
    for value in more.iter().flatten() {
        texts(value, &mut words);
    }
    words.join(" ").chars().take(LENGTH_MAX / 2).collect()
}

/// Every text below a value that is no name and no kind of something.
fn texts(value: &Value, found: &mut Vec<String>) {
    match &value.data {
        Data::Table(fields) => {
            for (key, field) in fields {
                if !["name", "type"].contains(&key.as_str()) {
                    texts(&field.value, found);
                }
            }
        }
        Data::List(values) => values.iter().for_each(|value| texts(value, found)),
        Data::Text(text) => found.push(text.clone()),
        _ => {}
    }
}

/// Policies of the same name get what tells them apart, or else a number.
pub(super) fn tell_apart(policies: &mut [Imported]) {
    let mut groups: IndexMap<String, Vec<usize>> = IndexMap::new();
    for (index, policy) in policies.iter().enumerate() {
        groups.entry(policy.name.clone()).or_default().push(index);
    }
    for members in groups.values().filter(|members| members.len() > 1) {
        let most = members.iter().map(|&index| policies[index].apart.len()).max().unwrap_or(0);
        let suffix = |index: usize, level: usize| {
            let apart = &policies[index].apart;
            words(apart.get(level).or(apart.last()).map_or("", String::as_str))
        };
        // The first level that tells the most of them apart.
        let kinds = |level: usize| {
            let mut found: Vec<String> =
                members.iter().map(|&index| suffix(index, level)).collect();
            found.sort_unstable();
            found.dedup();
            found.len()
        };
        let best = (0..most).max_by_key(|&level| (kinds(level), std::cmp::Reverse(level)));
        let Some(best) = best else { continue };
        let names: Vec<(usize, String)> = members
            .iter()
            .map(|&index| (index, suffix(index, best)))
            .filter(|(_, suffix)| !suffix.is_empty())
            .map(|(index, suffix)| (index, format!("{}-{suffix}", policies[index].name)))
            .collect();
        for (index, name) in names {
            policies[index].name = table_name(&name);
        }
    }
    number(policies);
}

fn number(policies: &mut [Imported]) {
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    let mut taken: BTreeMap<String, ()> = BTreeMap::new();
    for policy in policies {
        let wanted = policy.name.clone();
        while taken.contains_key(&policy.name) {
            let number = next.entry(wanted.clone()).or_insert(1);
            *number += 1;
            policy.name = format!("{wanted}-{number}");
        }
        taken.insert(policy.name.clone(), ());
    }
}
