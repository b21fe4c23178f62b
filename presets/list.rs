//! Lists the files of `presets/`, so that a new preset is one new file: names in their order, and
//! of a name the version first that its file calls the newest.

#![expect(clippy::print_stdout, reason = "cargo reads what a build script prints")]
#![expect(clippy::disallowed_methods, reason = "cargo tells a build script where things are")]

use std::cmp::Reverse;
use std::path::Path;
use std::{env, fs};

/// The line of a file that is meant by its name alone, if there are other versions of it.
const NEWEST: &str = "newest = true";

fn main() {
    let engine = env::var("CARGO_MANIFEST_DIR").expect("cargo says");
    let folder = Path::new(&engine).join("../../presets");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).expect("presets/ can be read") {
        let path = entry.expect("presets/ can be read").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let file = path.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8");
            let text = fs::read_to_string(&path).expect("a preset can be read");
            let (name, version) = file.split_once('@').expect("it is called NAME@VERSION.toml");
            let is_newest = text.lines().any(|line| line == NEWEST);
            let place = (name.to_owned(), !is_newest, Reverse(version.to_owned()));
            files.push((place, file.to_owned(), path));
        }
    }
    files.sort();
    let entries: Vec<String> = files
        .iter()
        .map(|(_, file, path)| format!("({file:?}, include_str!({path:?})),\n"))
        .collect();
    let list = Path::new(&env::var("OUT_DIR").expect("cargo says")).join("presets.rs");
    fs::write(list, format!("&[\n{}]\n", entries.concat())).expect("the list can be written");
}
