//! Bad input: every broken file and argument ends with exit code 2 and an error that shows where
//! and what was expected; nothing is written, nothing panics, nothing hangs.
//!
//! The cases are data: each file of `tests/data/bad-input` is a group, each case breaks the good
//! base beside it in one way, and the errors of a group are pinned by one snapshot.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

/// One broken input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What is wrong.
    name: String,
    /// The file that is broken: `model.toml`, `model.json` or `experiment.toml`.
    #[serde(default, rename = "in")]
    file: Option<String>,
    /// Text of the base that stands there once, and what replaces it.
    #[serde(default)]
    replace: Option<String>,
    #[serde(default)]
    by: String,
    /// Text that is added at the end of the base.
    #[serde(default)]
    add: String,
    /// A text instead of the base.
    #[serde(default)]
    whole: Option<String>,
    /// Arguments after `run experiment.toml`.
    #[serde(default)]
    arguments: Vec<String>,
}

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    case: Vec<Case>,
}

/// What a process left behind.
struct Ran {
    code: Option<i32>,
    out: String,
    error: String,
    /// What is in the folder that was not there before.
    written: Vec<PathBuf>,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bad-input")
}

fn base(name: &str) -> String {
    fs::read_to_string(data().join("base").join(name)).expect("the base is there")
}

/// A folder with the base in it.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for name in ["model.toml", "experiment.toml"] {
        fs::write(folder.path().join(name), base(name)).expect("the base can be copied");
    }
    folder
}

/// Runs the command in a folder. It has a minute; then it hangs, and the test fails.
fn stormglass(folder: &Path, arguments: &[&str]) -> Ran {
    let logs = TempDir::new().expect("a temporary folder");
    let log = |name: &str| File::create(logs.path().join(name)).expect("a log can be written");
    let before = entries(folder);
    let mut process = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(log("out"))
        .stderr(log("error"))
        .spawn()
        .expect("the command starts");
    let mut code = None;
    for _ in 0..6_000 {
        if let Some(status) = process.try_wait().expect("the process can be asked") {
            code = Some(status);
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    if code.is_none() {
        process.kill().expect("the process can be killed");
        process.wait().expect("the process ends");
        panic!("{arguments:?} hangs");
    }
    let read = |name: &str| fs::read_to_string(logs.path().join(name)).expect("UTF-8 output");
    let written = entries(folder).into_iter().filter(|path| !before.contains(path)).collect();
    Ran { code: code.and_then(|code| code.code()), out: read("out"), error: read("error"), written }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// The error of an input that must be refused: exit code 2, and nothing anywhere else.
fn refused(name: &str, ran: &Ran) -> String {
    assert_eq!(ran.code, Some(2), "{name}: {}{}", ran.out, ran.error);
    assert_eq!(ran.out, "", "{name}: nothing on standard output");
    assert_eq!(ran.written, Vec::<PathBuf>::new(), "{name}: nothing is written");
    assert!(ran.error.len() < 4_000, "{name}: {} bytes of error", ran.error.len());
    assert!(ran.error.starts_with("error: "), "{name}: {}", ran.error);
    ran.error.clone()
}

impl Case {
    fn run(&self) -> Ran {
        let folder = folder();
        if let Some(name) = &self.file {
            let text = self.whole.clone().unwrap_or_else(|| self.broken(&base(name)));
            assert_ne!(fs::read_to_string(folder.path().join(name)).ok(), Some(text.clone()));
            fs::write(folder.path().join(name), text).expect("the case can be written");
            if name == "model.json" {
                let experiment = base("experiment.toml").replace("model.toml", name);
                let path = folder.path().join("experiment.toml");
                fs::write(path, experiment).expect("the case can be written");
            }
        }
        let arguments = ["run", "experiment.toml"].into_iter();
        let arguments: Vec<&str> =
            arguments.chain(self.arguments.iter().map(String::as_str)).collect();
        stormglass(folder.path(), &arguments)
    }

    fn broken(&self, base: &str) -> String {
        let mut text = base.to_owned();
        if let Some(old) = &self.replace {
            assert_eq!(base.matches(old.as_str()).count(), 1, "{}: `{old}` once", self.name);
            text = base.replace(old.as_str(), &self.by);
        }
        text + &self.add
    }
}

/// Runs a group of cases; pins their errors.
fn check(group: &str) {
    let path = data().join(group).with_extension("toml");
    let text = fs::read_to_string(path).expect("the group is there");
    let cases: Group = toml::from_str(&text).expect("the group can be read");
    let mut shown = String::new();
    for case in &cases.case {
        let error = refused(&case.name, &case.run());
        shown.push_str(&format!("## {}\n{}\n\n", case.name, error.trim_end()));
    }
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(group, shown);
    });
}

#[test]
fn syntax() {
    check("syntax");
}

#[test]
fn json() {
    check("json");
}

#[test]
fn quantities() {
    check("quantities");
}

#[test]
fn names() {
    check("names");
}

#[test]
fn steps() {
    check("steps");
}

#[test]
fn policies() {
    check("policies");
}

#[test]
fn experiments() {
    check("experiments");
}

#[test]
fn limits() {
    check("limits");
}

#[test]
fn arguments() {
    check("arguments");
}

#[test]
fn the_base_is_good() {
    let folder = folder();
    let ran = stormglass(folder.path(), &["run", "experiment.toml", "--quiet"]);
    assert_eq!((ran.code, ran.error.as_str(), ran.out.as_str()), (Some(0), "", ""));
    assert_eq!(ran.written, [folder.path().join("out")]);
}
