//! Imports by kind of configuration: where things stand, what is attached to what, what is said of
//! the rest, and that the same configuration written otherwise is the same policy.

mod arms;
mod envoy;
mod forms;
mod gateway;
mod istio;
mod linkerd;
mod mutations;
mod others;
mod same;
mod spring;

use stormglass::import::{self, Fate, Import, Imported};
use stormglass::model::document::Sources;
use stormglass::policy::{Outcome, Policy};

/// Reads a text under the name of a file; problems have line, column and words.
fn read_as(name: &str, text: &str) -> Result<Import, String> {
    let mut sources = Sources::default();
    let source = sources.add(name, text);
    import::read(&sources, source, None).map_err(|problems| {
        let told = problems.iter().map(|problem| {
            let at = problem.at.expect("every problem has a place");
            let before = &text[..at.start];
            let line = before.matches('\n').count() + 1;
            let column = at.start - before.rfind('\n').map_or(0, |end| end + 1) + 1;
            format!("{line}:{column}: {problem}\n")
        });
        told.collect()
    })
}

fn read(text: &str) -> Result<Import, String> {
    read_as("config", text)
}

fn ok(text: &str) -> Import {
    read(text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

fn names(import: &Import) -> Vec<&str> {
    import.policies.iter().map(|policy| policy.name.as_str()).collect()
}

fn imported<'a>(import: &'a Import, name: &str) -> &'a Imported {
    let found = import.policies.iter().find(|policy| policy.name == name);
    found.unwrap_or_else(|| panic!("no {name} among {:?}", names(import)))
}

fn policy(import: &Import, name: &str) -> Policy {
    imported(import, name).policy
}

fn attempts(import: &Import, name: &str) -> u32 {
    policy(import, name).retry.map_or(1, |rule| rule.attempts)
}

fn limit(import: &Import, name: &str) -> Option<u32> {
    policy(import, name).bulkhead.map(|rule| rule.limit)
}

fn in_a_row(import: &Import, name: &str) -> Option<u32> {
    policy(import, name).outlier.map(|rule| rule.consecutive)
}

/// Whether a policy retries an outcome.
fn retries(import: &Import, name: &str, outcome: Outcome) -> bool {
    policy(import, name).retry.is_some_and(|rule| rule.on.contains(outcome))
}

/// What is printed.
fn printed(import: &Import) -> String {
    import::toml(import, "config", 10_000).expect("it can be written")
}

/// Why a field is attached to nothing, if that is what became of it.
fn why_not<'a>(import: &'a Import, field: &str) -> Option<&'a str> {
    let note = import.rest.iter().find(|note| note.field.ends_with(field));
    match note.map(|note| &note.fate) {
        Some(Fate::Unattached(why)) => Some(why),
        _ => None,
    }
}

/// Why a field of a policy changes nothing, if that is what became of it.
fn ignored<'a>(import: &'a Import, name: &str, field: &str) -> Option<&'a str> {
    let notes = &imported(import, name).notes;
    let note = notes.iter().find(|note| note.field.ends_with(field));
    match note.map(|note| &note.fate) {
        Some(Fate::Ignored(why)) => Some(why),
        _ => None,
    }
}
