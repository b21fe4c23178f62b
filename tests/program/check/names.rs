//! Names from files cannot act on who shows them.

use std::path::{Path, PathBuf};

use super::{Ran, path, stormglass, with_environment};

const MODEL: &str = r#"
[clients.c]
arrivals = { constant = "5/s" }
flow = [{ call = "pay.c", policy = "p" }]

[provider.pay]
concurrency = 9
latency = "2ms"
effects = ["c"]

[policy.p]
timeout = "1ms"
retry = { attempts = 2 }
"#;

/// Writes an experiment with these arms or other tables, in which a promise breaks.
pub(super) fn experiment(folder: &Path, top: &str, tables: &str) -> PathBuf {
    std::fs::write(folder.join("model.toml"), MODEL).unwrap();
    let text = format!(
        "name = \"names\"\nmodel = \"model.toml\"\narrivals = \"3s\"\n{top}\n\
         [invariants]\none_charge = {{ effect = \"c\" }}\n{tables}"
    );
    let file = folder.join("names.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// That a file is refused for a control character, at its place, which is not shown as it is.
fn assert_refused(ran: &Ran, line: u32) {
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.error);
    assert!(ran.error.contains("control character U+"), "{}", ran.error);
    assert!(ran.error.contains(&format!("names.toml:{line}:")), "{}", ran.error);
    assert!(!ran.error.contains('\u{1b}'), "{}", ran.error);
}

#[test]
fn control_characters_are_refused_where_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let check = |top: &str, tables: &str| {
        let file = experiment(folder.path(), top, tables);
        stormglass(&["check", path(&file), "--seeds", "1..2"])
    };
    let arm = "[arms.\"x\\n::stop-commands::hush\\n\"]\n[arms.other]\n";
    assert_refused(&check("", arm), 7);
    assert_refused(&check("question = \"\\u001b[2J all tests passed\"", ""), 4);
    assert_refused(&check("title = \"two\\nlines\"", ""), 4);
    assert_refused(&check("", "[arms.a]\nlabel = \"\\u009b8m\"\n"), 8);
    assert_refused(&check("", "[factors.\"a\\u0007\".low]\n"), 7);
}

#[test]
fn the_nearest_name_is_shown_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let model = MODEL.replace("pay.c\"", "pay.\u{202e}cc\"");
    std::fs::write(folder.path().join("model.toml"), model).unwrap();
    let ran = stormglass(&["show", path(&folder.path().join("model.toml"))]);
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    assert!(!ran.error.contains('\u{202e}'), "{}", ran.error);
}

#[test]
fn a_log_of_github_has_no_commands_but_ours() {
    let folder = tempfile::tempdir().unwrap();
    // So long that the second word begins a line of its own.
    let long = "x".repeat(60);
    let arms = format!("[arms.\"{long} ::stop-commands::hush ##[error]forged\"]\n[arms.other]\n");
    let file = experiment(folder.path(), "", &arms);
    let summary = folder.path().join("summary.md");
    let environment =
        [("GITHUB_ACTIONS", Path::new("true")), ("GITHUB_STEP_SUMMARY", summary.as_path())];
    let ran = with_environment(&["check", path(&file), "--seeds", "1..2"], &environment);
    assert_eq!(ran.code, Some(1), "{}", ran.error);
    let commands: Vec<&str> =
        ran.out.lines().filter(|line| line.trim_start().starts_with("::")).collect();
    assert!(!commands.is_empty());
    assert!(commands.iter().all(|line| line.starts_with("::error file=")), "{commands:?}");
    let others = ran.out.lines().filter(|line| !line.starts_with("::error file="));
    assert!(others.clone().any(|line| line.contains("stop-commands")), "{}", ran.out);
    assert!(others.clone().all(|line| !line.contains("##[")), "{}", ran.out);
}

#[test]
fn a_summary_has_no_tags_and_a_table_no_formulas() {
    let folder = tempfile::tempdir().unwrap();
    let arms = "[arms.\"=cmd()\"]\n[arms.\"<img src=x>\"]\n";
    let file = experiment(folder.path(), "", arms);
    let (summary, out) = (folder.path().join("summary.md"), folder.path().join("out"));
    let environment = [("GITHUB_STEP_SUMMARY", summary.as_path())];
    let ran = with_environment(&["check", path(&file), "--seeds", "1..2"], &environment);
    assert_eq!(ran.code, Some(1), "{}", ran.error);
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.contains("&lt;img src=x>"), "{summary}");
    let fenced: String = summary.split("```").step_by(2).collect();
    assert!(!fenced.contains("<img"), "{summary}");

    let arguments = ["run", path(&file), "--seeds", "1..2", "--quiet", "--out", path(&out)];
    let ran = stormglass(&arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    for name in ["runs.csv", "series.csv", "pairs.csv"] {
        let text = std::fs::read_to_string(out.join(name)).unwrap();
        assert!(text.contains("'=cmd()"), "{name}: {text}");
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        for row in rows.records().map(Result::unwrap) {
            assert!(row.iter().all(|field| !field.starts_with('=')), "{name}: {row:?}");
        }
    }
}
