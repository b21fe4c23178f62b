//! Bad input: every broken file and argument ends with exit code 2 and an error that shows where
//! and what was expected; nothing is written, nothing panics, nothing hangs.
//!
//! The cases are data: each file of `tests/data/bad-input` is a group, each case breaks the good
//! base beside it in one way, and the errors of a group are pinned by one snapshot.

mod explosions;
mod mutations;

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
    /// The file that is broken: `model.toml`, `model.json`, `experiment.toml` or `figures.csv`.
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
    for name in ["model.toml", "experiment.toml", "figures.csv"] {
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
    pin(group, &shown);
}

/// Compares with the snapshot of this name.
fn pin(name: &str, shown: &str) {
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(name, shown);
    });
}

#[test]
fn crashes() {
    check("crashes");
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
fn clients() {
    check("clients");
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
fn outcomes() {
    check("outcomes");
}

#[test]
fn overload() {
    check("overload");
}

#[test]
fn policy_parts() {
    check("policy_parts");
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
fn invariants_messages() {
    check("invariants_messages");
}

#[test]
fn searches() {
    check("searches");
}

#[test]
fn comparisons() {
    check("comparisons");
}

#[test]
fn promises() {
    check("promises");
}

#[test]
fn links() {
    check("links");
}

#[test]
fn messaging() {
    check("messaging");
}

#[test]
fn published() {
    check("published");
}

#[test]
fn theory() {
    check("theory");
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

/// Writes an experiment to the folder of a good base, and runs it.
fn refused_bytes(name: &str, bytes: &[u8]) -> String {
    let folder = folder();
    fs::write(folder.path().join(name), bytes).expect("the case can be written");
    refused(name, &stormglass(folder.path(), &["run", name]))
}

/// The first lines of an error, which is enough of one about a file of ten megabytes.
fn first_lines(error: &str) -> String {
    let lines: Vec<String> =
        error.lines().take(4).map(|line| line.chars().take(60).collect()).collect();
    lines.join("\n")
}

#[test]
fn ten_megabytes_of_nesting() {
    const SIZE: usize = 10_000_000;
    let cases = [
        ("lists.toml", format!("a = {}", "[".repeat(SIZE))),
        ("tables.toml", format!("a = {}", "{a=".repeat(SIZE / 3))),
        ("keys.toml", format!("{}a = 1", "a.".repeat(SIZE / 2))),
        ("header.toml", format!("[{}a]", "a.".repeat(SIZE / 2))),
        ("lists.json", "[".repeat(SIZE)),
        ("tables.json", "{\"a\":".repeat(SIZE / 5)),
    ];
    let shown = cases.map(|(name, text)| first_lines(&refused_bytes(name, text.as_bytes())));
    pin("ten_megabytes_of_nesting", &shown.join("\n\n"));
}

#[test]
fn ten_megabytes_of_one_name() {
    let long = "a".repeat(10_000_000);
    let base = base("experiment.toml");
    let cases = [
        ("key.toml", format!("{long} = 1\n{base}")),
        ("value.toml", base.replace("\"slow\"", &format!("\"{long}\""))),
        (
            "number.toml",
            base.replace("factor = 10", &format!("factor = 1{}", "0".repeat(10_000_000))),
        ),
        ("comment.toml", format!("{base}\nlimits = 3 # {long}")),
        ("key.json", format!("{{ \"model\": \"model.toml\", \"{long}\": 1 }}")),
    ];
    let shown = cases.map(|(name, text)| first_lines(&refused_bytes(name, text.as_bytes())));
    pin("ten_megabytes_of_one_name", &shown.join("\n\n"));
}

#[test]
fn of_many_problems_the_first_twenty_are_shown() {
    for (count, rest) in [(20, None), (21, Some("… and 1 more"))] {
        let arm = |number: u32| format!("[arms.a{number}.set]\n\"limits.events\" = \"x\"\n");
        let arms: String = (0..count).map(arm).collect();
        let text = base("experiment.toml") + &arms;
        let folder = folder();
        fs::write(folder.path().join("many.toml"), text).expect("the case can be written");
        let ran = stormglass(folder.path(), &["run", "many.toml"]);
        assert_eq!((ran.code, ran.error.matches("error: ").count()), (Some(2), 20));
        let last = ran.error.lines().last().filter(|line| line.starts_with('…'));
        assert_eq!(last, rest, "{}", ran.error);
    }
}

#[test]
fn the_largest_faults_are_taken() {
    let folder = folder();
    let faults = "[[faults]]\nkind = \"traffic_spike\"\ntarget = \"shoppers\"\n\
                  rate = \"1000000000/s\"\nat = \"1s\"\nfor = \"1ms\"\n[random_faults]\nuntil = \"1s\"\n\
                  kinds.slow = { strikes = \"1000/s\", for = \"1ms\", factor = [1.0, 2.0] }\n";
    let text = base("experiment.toml") + faults;
    let text = text.replace("factor = 10\n", "factor = 1000000\n");
    fs::write(folder.path().join("large.toml"), text).expect("the case can be written");
    let quick = ["run", "large.toml", "--quiet", "--set", "limits.events=1"];
    let ran = stormglass(folder.path(), &quick);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
}

#[test]
fn bytes_that_are_no_text() {
    let base = base("experiment.toml");
    let utf_16: Vec<u8> = "\u{feff}name".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, &[u8]); 6] = [
        ("latin-1.toml", b"name = \"b\xe4se\"\n"),
        ("late.toml", &[base.as_bytes(), b"# \xff\n"].concat()),
        ("utf-16.toml", &utf_16),
        ("nul.toml", &[0; 100]),
        ("nul.json", &[0; 100]),
        ("random.toml", &[0x80, 0x81, 0xfe, 0xff, 0x00, 0x7f]),
    ];
    let shown = cases.map(|(name, bytes)| refused_bytes(name, bytes));
    pin("bytes_that_are_no_text", &shown.join("\n"));
}

#[test]
fn files_that_are_none() {
    let folder = folder();
    fs::create_dir(folder.path().join("folder.toml")).expect("a folder can be made");
    let run = |name: &str| refused(name, &stormglass(folder.path(), &["run", name]));
    let shown = [
        run("folder.toml"),
        run("nowhere.toml"),
        run("nowhere/experiment.toml"),
        run(""),
        refused("no command", &stormglass(folder.path(), &["rnu"])),
        refused("no experiment", &stormglass(folder.path(), &["run"])),
    ];
    pin("files_that_are_none", &shown.join("\n"));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let folder = folder();
    for name in ["model.toml", "experiment.toml"] {
        let text = format!("\u{feff}{}", base(name).replace('\n', "\r\n"));
        fs::write(folder.path().join(name), text).expect("the file can be written");
    }
    let quick = ["run", "experiment.toml", "--quiet", "--set", "limits.events=1"];
    let ran = stormglass(folder.path(), &quick);
    assert_eq!((ran.code, ran.error.as_str()), (Some(0), ""));
    // The columns of errors are right as well.
    let wrong = stormglass(folder.path(), &["run", "experiment.toml", "--set", "seeds=x"]);
    assert!(wrong.error.contains("--set:1:7"), "{}", wrong.error);
}

#[test]
fn a_folder_that_cannot_be_written_is_found_out_first() {
    let folder = folder();
    fs::write(folder.path().join("taken"), "mine").expect("a file can be written");
    for out in ["taken", "taken/deeper"] {
        // With a limit that a run would take minutes to reach.
        let ran = stormglass(
            folder.path(),
            &["run", "experiment.toml", "--out", out, "--set", "arrivals=1000min"],
        );
        assert_eq!((ran.code, ran.out.as_str()), (Some(5), ""), "{}", ran.error);
        assert!(
            ran.error.starts_with("error: cannot write ")
                && ran.error.contains(&format!("`{out}`: ")),
            "{}",
            ran.error
        );
        assert_eq!(ran.written, Vec::<PathBuf>::new());
    }
    assert_eq!(fs::read_to_string(folder.path().join("taken")).expect("still there"), "mine");
}

#[test]
fn suspicious_parts_are_warnings() {
    let run = |change: &dyn Fn(String) -> String, arguments: &[&str]| {
        let folder = folder();
        let path = folder.path().join("model.toml");
        fs::write(path, change(base("model.toml"))).expect("the case can be written");
        let arguments =
            [&["run", "experiment.toml", "--json", "--set", "limits.events=1"], arguments];
        let ran = stormglass(folder.path(), &arguments.concat());
        assert_eq!(ran.code, Some(0), "{}", ran.error);
        ran.error
    };
    let two_queues = |model: String| {
        format!("{model}\n[queue.audits]\nvisibility = \"1s\"\n\n[cache.spare]\ncapacity = 5\n")
            .replace("takes = \"payments\"", "takes = \"audits\"")
    };
    let shown = [
        run(&two_queues, &[]),
        run(&|model| model, &["--set", "faults.0.at=1h"]),
        run(&two_queues, &["--quiet"]),
        run(&|model| model.replace("timeout = \"250ms\"", "preset = \"grpc\""), &[]),
        run(&|model| model.replace("timeout = \"1s\"", "timeout = \"1s\"\noutlier = {}"), &[]),
        run(&|model| model, &["--set", "policy.spare={ timeout = \"1s\" }"]),
    ];
    pin("suspicious_parts_are_warnings", &shown.join("\n"));
}

#[test]
fn shipped_experiments_have_no_warnings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = TempDir::new().expect("a temporary folder");
    let out = out.path().to_str().expect("a name in UTF-8");
    for path in entries(&root.join("experiments")).into_iter().filter(|path| path.is_file()) {
        let name = path.to_str().expect("a name in UTF-8");
        // A share of runs takes ten of them.
        let text = fs::read_to_string(&path).expect("it can be read");
        let seeds = if text.contains("\n[limit]") { "1..11" } else { "1..2" };
        let quick =
            ["run", name, "--json", "--out", out, "--set", "limits.events=1", "--seeds", seeds];
        let ran = stormglass(root, &quick);
        assert_eq!((ran.code, ran.error.as_str()), (Some(0), ""), "{name}");
    }
}
