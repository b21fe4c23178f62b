//! Random valid models run to their end, or to a limit that has a name, and twice the same.
//!
//! `cargo test` tries some hundreds. `STORMGLASS_RANDOM_MODELS=10000 cargo test --release --test
//! random_models` tries as many as one likes; docs/model.md has when that was last done.

#[path = "../common/mod.rs"]
mod common;
mod generate;

use generate::{Generator, compile, everything};
use stormglass::experiment::campaign::{Campaign, Documents};
use stormglass::experiment::run::RunResult;
use stormglass::model::document::{Sources, Value as Document};
use stormglass::model::problem::Problem;
use stormglass::model::show::model_schema;

const EXPERIMENT: &str = r#"
name = "random"
model = "inline"
arrivals = "2s"
drain = "3s"
seeds = "1..2"
limits = { events = 200000, pending = 20000 }
"#;

/// Parts of the language that need files, which these models have not.
const NEEDS_FILES: [&str; 12] = [
    "Arrivals.trace",
    "Trace.path",
    "Trace.column",
    "Trace.size",
    "Trace.speed",
    "Trace.copies",
    "Trace.rate",
    "Size.column",
    "Size.unit",
    "Recording.path",
    "Recording.column",
    "Recording.unit",
];

#[expect(clippy::disallowed_methods, reason = "how much is tried, not what comes out")]
fn count() -> u64 {
    match std::env::var("STORMGLASS_RANDOM_MODELS") {
        Ok(text) => text.parse().expect("a number of models"),
        Err(_) => 600,
    }
}

fn run(model: &str) -> RunResult {
    let mut sources = Sources::default();
    let mut parse = |name: &str, text: &str| {
        let source = sources.add(name, text);
        Document::parse(&sources, source).expect("a document")
    };
    let documents = Documents {
        experiment: parse("experiment.toml", EXPERIMENT),
        model: parse("model.json", model),
        overrides: Vec::new(),
    };
    let no_files = |name: &str| Err(Problem::new(format!("no file {name} in this test")));
    Campaign::new(&documents, &no_files).expect("a campaign").run(0)
}

#[test]
fn random_models_end_and_end_the_same_twice() {
    let schema = model_schema().to_value();
    let mut generator = Generator::new(&schema, 0);
    let mut endings = std::collections::BTreeMap::<&str, u64>::new();
    let mut requests = 0;
    for seed in 0..count() {
        generator.restart(seed);
        let model = generator.model();
        compile(&model).expect("it was accepted before");
        let text = model.to_string();
        let (one, other) = (run(&text), run(&text));
        assert_eq!(one, other, "model {seed}: {model:#}");
        *endings.entry(one.ending.name()).or_default() += 1;
        requests += one.metrics.requests;
    }
    assert!(endings["complete"] * 2 > count(), "most models come to their end: {endings:?}");
    assert!(requests > 10 * count(), "somebody asks: {requests}");
    let mut missing = everything(&schema);
    missing
        .retain(|name| !NEEDS_FILES.contains(&name.as_str()) && !generator.covered.contains(name));
    assert!(missing.is_empty(), "no model had any of these: {missing:#?}");
}
