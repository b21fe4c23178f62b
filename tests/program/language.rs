//! The language as a whole: what `show` prints is the same model, and the schemas are current.

use std::path::Path;
use std::process::Command;

use stormglass::model::document::{Sources, Value};
use stormglass::model::show::complete;
use stormglass::report::model::model_text;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Name and text of every file of the project in a folder.
fn files(folder: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(root().join(folder)).expect(folder);
    let mut files: Vec<(String, String)> = entries
        .map(|entry| entry.expect(folder).path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a text");
            (path.display().to_string(), text)
        })
        .collect();
    files.sort();
    files
}

/// The complete text of a model.
fn shown(text: &str) -> String {
    let mut sources = Sources::default();
    let source = sources.add("model.toml", text);
    let document = Value::parse(&sources, source).expect("a document");
    model_text(&complete(&document).expect("a model"))
}

#[test]
fn a_shown_model_is_the_same_model() {
    for (path, text) in files("models") {
        let complete = shown(&text);
        assert_eq!(shown(&complete), complete, "{path}: shown twice");
        let experiment = "name = \"same\"\nmodel = \"inline\"\narrivals = \"2s\"\ndrain = \"1s\"\n\
                          seeds = \"1..2\"";
        let digest = |model: &str| crate::common::runs(experiment, model)[0].digest;
        assert_eq!(digest(&text), digest(&complete), "{path}: another run");
    }
}

#[test]
fn a_shown_model_has_the_defaults() {
    let text = "[clients.users]\narrivals = { poisson = \"1/s\" }\nflow = [{ call = \"a.b\" }]\n\
                [service.a]\nworkers = 1\non.b.steps = [{ reply = \"ok\" }]\n";
    insta::assert_snapshot!(shown(text));
}

#[test]
fn show_and_schema_answer_on_standard_output() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_stormglass"))
            .args(arguments)
            .current_dir(root())
            .output()
            .expect("the program runs");
        let text = String::from_utf8(output.stdout).expect("a text");
        (output.status.code(), text)
    };
    let (code, text) =
        run(&["show", "models/checkout.toml", "--set", "policy.internal.timeout=1s"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("[policy.internal]\ntimeout = \"1s\""), "{text}");
    let (code, text) = run(&["show", "models/checkout.toml", "--json"]);
    assert_eq!(code, Some(0));
    let model: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(model["service"]["api"]["queue"]["order"], "fifo");
    let (code, text) = run(&["schema", "model"]);
    assert_eq!((code, text.starts_with('{')), (Some(0), true));
    assert_eq!(run(&["show", "experiments/r1.toml"]), (Some(2), String::new()));
    assert_eq!(run(&["show", "models"]), (Some(2), String::new()));
}
