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

/// Instances die and stand still, whatever the model is.
const STRUCK: &str = r#"
[random_faults]
from = "0s"
until = "1900ms"
[random_faults.kinds.crash]
strikes = "120/min"
for = "exp 200ms"
[random_faults.kinds.pause]
strikes = "60/min"
for = "exp 100ms"
"#;

/// Further kinds, one for each model that it fits.
const KINDS: [&str; 8] = [
    "restart",
    "partition",
    "link_clog",
    "queue_stall",
    "redelivery_burst",
    "disk_full",
    "primary_failover",
    "replica_stop",
];

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

fn run(model: &str, faults: &str) -> Result<RunResult, Vec<Problem>> {
    let mut sources = Sources::default();
    let mut parse = |name: &str, text: &str| {
        let source = sources.add(name, text);
        Document::parse(&sources, source).expect("a document")
    };
    let documents = Documents {
        experiment: parse("experiment.toml", &format!("{EXPERIMENT}{faults}")),
        model: parse("model.json", model),
        overrides: Vec::new(),
    };
    let no_files = |name: &str| Err(Problem::new(format!("no file {name} in this test")));
    Campaign::new(&documents, &no_files).map(|campaign| campaign.run(0))
}

/// The same model while its parts die. In debug builds the books are checked as it goes on: no
/// message, call, worker or permit may go missing.
fn run_struck(model: &str, seed: u64) -> RunResult {
    let kind = KINDS[seed as usize % KINDS.len()];
    let more = format!(
        "{STRUCK}[random_faults.kinds.{kind}]\nstrikes = \"60/min\"\nfor = \"exp 300ms\"\n"
    );
    let struck = run(model, &more).or_else(|_| run(model, STRUCK));
    struck.unwrap_or_else(|problems| panic!("{problems:?}"))
}

#[test]
fn random_models_end_and_end_the_same_twice() {
    let schema = model_schema().to_value();
    let mut generator = Generator::new(&schema, 0);
    let mut endings = std::collections::BTreeMap::<&str, u64>::new();
    let (mut requests, mut crashes) = (0, 0);
    for seed in 0..count() {
        generator.restart(seed);
        let model = generator.model();
        compile(&model).expect("it was accepted before");
        let text = model.to_string();
        let calm = || run(&text, "").expect("a campaign");
        let (one, other) = (calm(), calm());
        assert_eq!(one, other, "model {seed}: {model:#}");
        let struck = run_struck(&text, seed);
        crashes += struck.metrics.crashes;
        for run in [&one, &struck] {
            assert_ne!(run.ending.name(), "imbalance", "model {seed}: {model:#}");
        }
        *endings.entry(one.ending.name()).or_default() += 1;
        requests += one.metrics.requests;
    }
    assert!(endings["complete"] * 2 > count(), "most models come to their end: {endings:?}");
    assert!(requests > 10 * count(), "somebody asks: {requests}");
    assert!(crashes > count(), "somebody dies: {crashes}");
    let mut missing = everything(&schema);
    missing
        .retain(|name| !NEEDS_FILES.contains(&name.as_str()) && !generator.covered.contains(name));
    assert!(missing.is_empty(), "no model had any of these: {missing:#?}");
}
