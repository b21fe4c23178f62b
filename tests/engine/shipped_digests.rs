//! The digest of every experiment that is shipped, under its first seed.
//!
//! `cargo test` runs a few of them. `STORMGLASS_DIGESTS=all` runs them all, which takes minutes and
//! wants `--release`, and `STORMGLASS_DIGESTS=write` pins anew what they come to.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One line for each experiment: its digest and its file.
const PINNED: &str = "tests/data/digests.txt";

/// Those that are over in a moment.
const QUICK: [&str; 3] = [
    "experiments/canary.toml",
    "experiments/promises/payments.toml",
    "experiments/validation/erlang-b.toml",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What is asked for by the environment.
#[expect(clippy::disallowed_methods, reason = "how much is tried, not what comes out")]
fn asked() -> String {
    std::env::var("STORMGLASS_DIGESTS").unwrap_or_default()
}

/// Every experiment below `experiments/`, in the order of names: files that name a model.
fn shipped() -> Vec<String> {
    let mut folders = vec![PathBuf::from("experiments")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).expect("a folder") {
            let path = folder.join(entry.expect("an entry").file_name());
            let name = path.to_str().expect("a name").to_owned();
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if name.ends_with(".toml") && is_experiment(&name) {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}

/// Reproductions of single runs are replayed by tests of their own.
fn is_experiment(name: &str) -> bool {
    if name.starts_with("experiments/regressions/") {
        return false;
    }
    let text = std::fs::read_to_string(root().join(name)).expect(name);
    text.lines().any(|line| line.starts_with("seeds = "))
}

/// What an experiment comes to under its first seed.
fn digest(experiment: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let run = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .current_dir(root())
        .args(["run", experiment, "--quiet", "--seeds", "1..2", "--out"])
        .arg(folder.path())
        .output()
        .expect("the program starts");
    let manifest = std::fs::read_to_string(folder.path().join("manifest.json"));
    let Ok(manifest) = manifest else {
        panic!("{experiment}: {}", String::from_utf8_lossy(&run.stderr));
    };
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    manifest["digest"].as_str().expect("a digest").to_owned()
}

#[test]
fn shipped_experiments_come_to_the_digests_that_are_pinned() {
    let asked = asked();
    let all = !asked.is_empty();
    let names = if all { shipped() } else { QUICK.map(str::to_owned).to_vec() };
    let mut lines = String::new();
    for name in &names {
        writeln!(lines, "{} {name}", digest(name)).expect("a line");
    }
    if asked == "write" {
        return std::fs::write(root().join(PINNED), lines).expect("a file");
    }
    let pinned = std::fs::read_to_string(root().join(PINNED)).expect(PINNED);
    let is_asked = |line: &&str| all || QUICK.iter().any(|name| line.ends_with(name));
    let pinned: Vec<&str> = pinned.lines().filter(is_asked).collect();
    assert_eq!(pinned, lines.lines().collect::<Vec<_>>());
}
