//! No two modules import each other, but a parent and its children.
//!
//! A circle cannot be read from its beginning: whoever wants to know one of its modules has to know
//! all of them. A module is a file; what it declares inside of itself, such as its tests, is left
//! out.

use std::collections::{BTreeMap, BTreeSet};

use super::architecture::{module_of, paths};
use super::source::{File, files};

type Graph = BTreeMap<String, BTreeSet<String>>;

/// The text of a file up to its tests.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests {").map_or(text, |start| &text[..start])
}

/// Which module of the crate a path leads to: the longest that is a file.
fn target(parts: &[String], modules: &BTreeSet<String>) -> Option<String> {
    let inner = parts.strip_prefix(&["crate".to_owned()])?;
    let prefixes = (1..=inner.len()).rev().map(|length| inner[..length].join("::"));
    prefixes.into_iter().find(|prefix| modules.contains(prefix))
}

fn are_family(one: &str, other: &str) -> bool {
    let is_inside = |inner: &str, outer: &str| {
        inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with("::"))
    };
    is_inside(one, other) || is_inside(other, one)
}

/// Who imports whom, where one is not inside of the other.
fn imports(files: &[File]) -> Graph {
    let name = |file: &File| module_of(&file.path).join("::");
    let modules: BTreeSet<String> = files.iter().map(name).collect();
    let of = |file: &File| {
        let own = name(file);
        let named = paths(&file.path, without_tests(&file.text));
        let others = named.iter().filter_map(|named| target(&named.parts, &modules));
        let others = others.filter(|other| !are_family(&own, other)).collect();
        (own, others)
    };
    files.iter().map(of).collect()
}

/// Everything that a module imports, also by way of others.
fn reached<'g>(graph: &'g Graph, from: &'g str) -> BTreeSet<&'g str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in graph.get(module).into_iter().flatten() {
            if found.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    found
}

/// The circles: modules each of which imports all others of its circle, also by way of others.
fn circles(graph: &Graph) -> Vec<Vec<&str>> {
    let all: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|module| (module.as_str(), reached(graph, module))).collect();
    let mut found: Vec<Vec<&str>> = Vec::new();
    for (&module, reached) in all.iter().filter(|(module, reached)| reached.contains(*module)) {
        if found.iter().all(|circle| !circle.contains(&module)) {
            let others = reached.iter().filter(|other| all[**other].contains(module));
            found.push(others.copied().collect());
        }
    }
    found
}

#[test]
fn no_two_modules_import_each_other() {
    let mut files = files("src");
    files.retain(|file| file.path.ends_with(".rs") && !module_of(&file.path).is_empty());
    let graph = imports(&files);
    let found = circles(&graph);
    assert!(found.is_empty(), "the circles are {found:#?}");
}

#[test]
fn a_planted_circle_is_found() {
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    let planted = [
        file("src/a/mod.rs", "mod one; mod two; use crate::b::B;"),
        file("src/a/one.rs", "use super::two::Two; use super::Parent;"),
        file("src/a/two.rs", "use crate::a::one::One;"),
        file("src/b.rs", "#[cfg(test)]\nmod tests {\n    use crate::a::one::One;\n}\n"),
    ];
    assert_eq!(circles(&imports(&planted)), [["a::one", "a::two"]]);
}
