//! `docs/dependencies.md` tells of every dependency, and every dependency is used.

use super::architecture::paths;
use super::source;

/// A dependency as `Cargo.toml` or the document has it.
type Dependency = (String, String);

/// Names and versions in a section of `Cargo.toml`.
fn declared(manifest: &str, section: &str) -> Vec<Dependency> {
    let table: toml::Table = manifest.parse().unwrap();
    let Some(section) = table.get(section).and_then(toml::Value::as_table) else {
        return Vec::new();
    };
    let version = |value: &toml::Value| {
        let inner = value.get("version").unwrap_or(value);
        inner.as_str().unwrap_or_default().to_owned()
    };
    section.iter().map(|(name, value)| (name.clone(), version(value))).collect()
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
    let manifest = source::read("Cargo.toml");
    let mut declared: Vec<Dependency> = ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .flat_map(|section| declared(&manifest, section))
        .collect();
    let mut described = described(&source::read("docs/dependencies.md"));
    declared.sort();
    described.sort();
    assert_eq!(declared, described, "Cargo.toml on the left, docs/dependencies.md on the right");
}

#[test]
fn every_dependency_is_used() {
    let manifest = source::read("Cargo.toml");
    let files = source::rust_files();
    let texts = |folders: &[&str]| -> Vec<(&str, &str)> {
        let files = files.iter().map(|file| (file.path.as_str(), file.text.as_str()));
        files.filter(|(path, _)| folders.iter().any(|folder| path.starts_with(folder))).collect()
    };
    let dependencies = declared(&manifest, "dependencies");
    assert!(dependencies.len() > 5);
    assert_eq!(unused(&dependencies, &texts(&["src/"])), [""; 0]);
    let all = texts(&["src/", "tests/", "benches/", "examples/"]);
    assert_eq!(unused(&declared(&manifest, "dev-dependencies"), &all), [""; 0]);
}

#[test]
fn a_planted_dependency_is_found() {
    let manifest =
        "[dependencies]\na-b = \"1\"\nc = { version = \"2.1\", features = [] }\nd = \"3\"";
    let dependencies = declared(manifest, "dependencies");
    assert_eq!(dependencies[1], ("c".to_owned(), "2.1".to_owned()));
    let text = "use a_b::x; // d::y\nfn f() { c::z!() }";
    assert_eq!(unused(&dependencies, &[("src/e.rs", text)]), ["d"]);
    assert_eq!(described("| `c` | 2.1 | x |\n| c | d |"), [dependencies[1].clone()]);
}
