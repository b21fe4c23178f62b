//! What other programs read: the examples of `docs/results.md` on results that were just written.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::{command, write_experiment};

/// The Python code of the document, block by block.
fn examples(document: &str) -> Vec<String> {
    let blocks = document.split("```python\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// The words of a text with an underscore: of the examples, the names of columns and functions.
fn names(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.contains('_')).collect()
}

/// Names in the examples that are not columns: a function, and a name that the example gives.
const OTHER_NAMES: [&str; 2] = ["read_parquet", "double_charges"];

/// Reads every file as Parquet and as CSV, and compares each value.
const SAME_AS_CSV: &str = r#"
import pandas
parquet = pandas.read_parquet("runs.parquet")
text = pandas.read_csv("runs.csv", dtype={"arm": str, "point": str}, keep_default_na=False,
                       na_values={"recovered": [""], **{n: [""] for n in parquet if
                                  parquet[n].dtype == "float64"}})
assert list(parquet.columns) == list(text.columns)
for name in parquet:
    there = parquet[name].notna()
    assert there.equals(text[name].notna()), name
    assert list(parquet[name][there]) == list(text[name][there]), name
assert parquet["seed"].dtype == "uint64" and parquet["recovery_s"].dtype == "float64"
"#;

#[test]
fn the_examples_of_the_document_work() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results.md");
    let document = std::fs::read_to_string(document).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (experiment, out) = (write_experiment(folder.path()), folder.path().join("out"));
    assert!(command(&experiment, &out, "2").status().unwrap().success());

    // Without Python: the columns and files that the examples name are there.
    let columns = std::fs::read_to_string(out.join("runs.csv")).unwrap();
    let columns: Vec<&str> = columns.lines().next().unwrap().split(',').collect();
    let examples = examples(&document);
    assert!(examples.len() >= 2);
    for example in &examples {
        for name in names(example) {
            assert!(columns.contains(&name) || OTHER_NAMES.contains(&name), "{name}");
        }
        let files = example.split(['"', '\'']).filter(|word| out.join(word).is_file());
        assert!(files.count() > 0, "an example reads a file: {example}");
    }

    let python = |code: &str| Command::new("python3").args(["-c", code]).current_dir(&out).output();
    if !python("import duckdb, pandas, pyarrow").is_ok_and(|found| found.status.success()) {
        let why = "SKIPPED: python3 has no duckdb, pandas and pyarrow: the examples of \
                   docs/results.md were not executed\n";
        std::io::stderr().write_all(why.as_bytes()).unwrap();
        return;
    }
    for code in examples.iter().map(String::as_str).chain([SAME_AS_CSV]) {
        let run = python(code).unwrap();
        assert!(run.status.success(), "{code}\n{}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn every_key_of_a_violation_is_described() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/results.md");
    let document = std::fs::read_to_string(document).unwrap();
    let section = document.split("## `violations.jsonl`\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let described: Vec<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let folder = tempfile::tempdir().unwrap();
    let (experiment, out) = (write_experiment(folder.path()), folder.path().join("out"));
    let mut run = command(&experiment, &out, "2");
    assert!(run.args(["--seeds", "2..3"]).status().unwrap().success());
    let text = std::fs::read_to_string(out.join("violations.jsonl")).unwrap();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let mut described = described.clone();
        keys.sort_unstable();
        described.sort_unstable();
        assert_eq!(keys, described);
        let command = line["command"].as_str().unwrap();
        assert!(command.ends_with(" --seeds 2..3"), "{command}");
    }
}
