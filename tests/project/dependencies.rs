//! `docs/dependencies.md` tells of every dependency, and every dependency is used by the crate that
//! asks for it.

use super::architecture::{paths, rooms_of_the_engine};
use super::source;

/// A dependency as `Cargo.toml` or the document has it.
type Dependency = (String, String);

/// The crate of this workspace that others of it ask for.
const OWN: &str = "stormglass-engine";

/// Names and versions in a section of a `Cargo.toml`, such as `["workspace", "dependencies"]`.
fn declared(manifest: &str, section: &[&str]) -> Vec<Dependency> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let inner = |table: Option<toml::Table>, name: &&str| table?.get(*name)?.as_table().cloned();
    let Some(section) = section.iter().fold(Some(manifest), inner) else {
        return Vec::new();
    };
    let version = |value: &toml::Value| {
        let inner = value.get("version").unwrap_or(value);
        inner.as_str().unwrap_or_default().to_owned()
    };
    let others = section.iter().filter(|(name, _)| *name != OWN);
    others.map(|(name, value)| (name.clone(), version(value))).collect()
}

/// Names and versions in the tables of the document: rows such as "| `clap` | 4.6 | …".
fn described(document: &str) -> Vec<Dependency> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split('|');
        let name = cells.next()?.trim().trim_end_matches('`').to_owned();
        Some((name, cells.next()?.trim().to_owned()))
    };
    document.lines().filter_map(row).collect()
}

/// Dependencies that no file names in a path.
fn unused<'a>(dependencies: &'a [Dependency], files: &[(&str, &str)]) -> Vec<&'a str> {
    let named: Vec<String> = files
        .iter()
        .flat_map(|(path, text)| paths(path, text))
        .filter_map(|named| named.parts.into_iter().next())
        .collect();
    let is_used = |name: &str| named.iter().any(|first| *first == name.replace('-', "_"));
    dependencies.iter().map(|(name, _)| name.as_str()).filter(|name| !is_used(name)).collect()
}

#[test]
fn the_document_tells_of_every_dependency_and_its_version() {
    let mut declared = declared(&source::read("Cargo.toml"), &["workspace", "dependencies"]);
    let mut described = described(&source::read("docs/dependencies.md"));
    declared.sort();
    described.sort();
    assert_eq!(declared, described, "Cargo.toml on the left, docs/dependencies.md on the right");
}

/// What a crate asks for and does not name in its files: `[dependencies]` in those of the program,
/// `[dev-dependencies]` in those of its tests too.
fn unused_of(manifest: &str, program: &[(&str, &str)], all: &[(&str, &str)]) -> Vec<String> {
    let manifest = source::read(manifest);
    let dependencies = declared(&manifest, &["dependencies"]);
    assert!(dependencies.len() > 5);
    let mut found: Vec<&str> = unused(&dependencies, program);
    let of_tests = declared(&manifest, &["dev-dependencies"]);
    found.extend(unused(&of_tests, all));
    found.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_dependency_is_used() {
    let files = source::rust_files();
    let files: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
    let rooms = rooms_of_the_engine();
    let is_engine = |path: &str| {
        let room = path.strip_prefix("src/").and_then(|inner| inner.split(['/', '.']).next());
        rooms.iter().any(|one| room == Some(one.as_str()))
    };
    let (engine, others): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| is_engine(path));
    let program: Vec<_> =
        others.iter().copied().filter(|(path, _)| path.starts_with("src/")).collect();
    assert_eq!(unused_of("src/engine/Cargo.toml", &engine, &engine), [""; 0]);
    assert_eq!(unused_of("Cargo.toml", &program, &others), [""; 0]);
}

#[test]
fn a_planted_dependency_is_found() {
    let manifest =
        "[dependencies]\na-b = \"1\"\nc = { version = \"2.1\", features = [] }\nd = \"3\"";
    let dependencies = declared(manifest, &["dependencies"]);
    assert_eq!(dependencies[1], ("c".to_owned(), "2.1".to_owned()));
    let text = "use a_b::x; // d::y\nfn f() { c::z!() }";
    assert_eq!(unused(&dependencies, &[("src/e.rs", text)]), ["d"]);
    assert_eq!(described("| `c` | 2.1 | x |\n| c | d |"), [dependencies[1].clone()]);
}
