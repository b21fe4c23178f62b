//! Every fact that an invariant listens to reaches it: most facts concern no promise, so a list in
//! `src/invariant/mod.rs` says which do, and whoever listens to another one must add it there.

use std::collections::BTreeSet;

use super::source;

/// The kinds of facts that a text names: what follows `Fact::`.
fn named(text: &str) -> BTreeSet<String> {
    let kinds = text.split("Fact::").skip(1);
    let kind =
        |rest: &str| -> String { rest.chars().take_while(char::is_ascii_alphanumeric).collect() };
    kinds.map(kind).filter(|kind| kind.starts_with(|c: char| c.is_ascii_uppercase())).collect()
}

/// The part of a file that is no test.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default()
}

/// The kinds that the list lets through.
fn let_through(text: &str) -> BTreeSet<String> {
    let list = text.split("fn concerns_a_promise").nth(1).expect("the list");
    named(list.split("\n}").next().unwrap_or_default())
}

#[test]
fn whatever_an_invariant_listens_to_reaches_it() {
    let listed = let_through(&source::read("src/invariant/mod.rs"));
    let mut heard = BTreeSet::new();
    let is_of_tests = |path: &str| path.ends_with("example.rs") || path.ends_with("fixture.rs");
    let files = source::files("src/invariant").into_iter();
    for source::File { path, text } in files.filter(|file| !is_of_tests(&file.path)) {
        if path == "src/invariant/mod.rs" {
            continue;
        }
        let kinds = named(without_tests(&text));
        let forgotten: Vec<_> = kinds.difference(&listed).collect();
        assert!(forgotten.is_empty(), "{path} listens to {forgotten:?}: `concerns_a_promise`");
        heard.extend(kinds);
    }
    let idle: Vec<_> = listed.difference(&heard).collect();
    assert!(idle.is_empty(), "nobody listens to {idle:?}");
}

#[test]
fn a_planted_listener_is_found() {
    let list = "fn concerns_a_promise(fact: &Fact) {\n    matches!(fact, Fact::Effect { .. })\n}\n";
    assert_eq!(let_through(list), BTreeSet::from(["Effect".to_owned()]));
    let listener = "match fact {\n Fact::Sent(_) => {}\n}\n#[cfg(test)]\nmod tests { Fact::Lost }";
    assert_eq!(named(without_tests(listener)), BTreeSet::from(["Sent".to_owned()]));
}
