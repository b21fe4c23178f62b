//! A judge looks for no fact that it is not told: it names facts by the variants that its `hears!`
//! brings into its file, and never by the path `Fact::`, by which it could name any.

use super::source;

/// The kinds of facts that a text names by their path, outside its tests.
fn named_by_path(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let paths = code.match_indices("Fact::").map(|(place, _)| &code[place..]);
    let kind = |path: &'_ str| path.find(|c: char| !c.is_ascii_alphanumeric() && c != ':');
    paths.map(|path| &path[..kind(path).unwrap_or(path.len())]).collect()
}

#[test]
fn a_judge_names_no_fact_that_it_does_not_hear() {
    let is_of_tests = |path: &str| path.ends_with("example.rs") || path.ends_with("fixture.rs");
    let files = source::files("src/invariant").into_iter();
    let judges: Vec<source::File> = files.filter(|file| !is_of_tests(&file.path)).collect();
    let hearing = judges.iter().filter(|file| file.text.contains("hears!(")).count();
    assert!(hearing > 20, "only {hearing} files say what they hear");
    for source::File { path, text } in judges {
        let named = named_by_path(&text);
        assert!(named.is_empty(), "{path} names {named:?}: put them into its `hears!`");
    }
}

#[test]
fn a_planted_path_is_found() {
    let judge = "match fact {\n Fact::Sent(_) => {}\n}\n#[cfg(test)]\nmod tests { Fact::Lost }";
    assert_eq!(named_by_path(judge), ["Fact::Sent"]);
    assert_eq!(named_by_path("let Sent(_) = fact else { return };"), [""; 0]);
}
