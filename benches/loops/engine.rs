//! The same work done by the engine: models and experiments as a user would write them.

use std::path::Path;

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::experiment::run::result::RunResult;
use stormglass::model::document::{Sources, Value};
use stormglass::model::problem::Problem;

const W1: &str = include_str!("models/w1.toml");
const W2: &str = include_str!("models/w2.toml");
const W3: &str = include_str!("models/w3.toml");
const STORM: &str = include_str!("models/storm.toml");

/// More than any of these ever reaches.
const LIMITS: &str = "[limits]\nevents = 1_000_000_000_000\npending = 100_000_000\n";

/// A part of W1: so many customers on average, at 0.8 a second.
pub(crate) fn w1(customers: u64) -> Campaign {
    let arrivals = customers * 10 / 8;
    campaign(
        "w1",
        W1,
        &format!(
            "arrivals = \"{arrivals}s\"\ndrain = \"100000s\"\n[measure]\nwindow = \"50000s\"\n"
        ),
    )
}

/// W2 with so many seconds of arrivals; the spike is where the loop has it.
pub(crate) fn w2(seconds: u64) -> Campaign {
    let spike = seconds * 48 / 100;
    let model = edited(
        W2,
        "\"240s\", until = \"250s\"",
        &format!("\"{spike}s\", until = \"{}s\"", spike + 10),
    );
    campaign("w2", &model, &format!("arrivals = \"{seconds}s\"\ndrain = \"10s\"\n"))
}

/// W3 with so many seconds of arrivals; faults and the spike take their share of them.
pub(crate) fn w3(seconds: u64) -> Campaign {
    let part = |of_200: u64| format!("{}ms", of_200 * seconds * 1000 / 200);
    let spike = format!("\"{}\", until = \"{}\"", part(96), part(106));
    let model = edited(W3, "\"96s\", until = \"106s\"", &spike);
    let faults = format!(
        "[[faults]]\nkind = \"slow\"\ntarget = \"db\"\nfactor = 5\nat = \"{}\"\nfor = \"{}\"\n\
         [[faults]]\nkind = \"partition\"\ntarget = \"api -> replica\"\none_way = true\nat = \"{}\"\nfor = \"{}\"\n",
        part(40),
        part(8),
        part(140),
        part(4)
    );
    campaign("w3", &model, &format!("arrivals = \"{seconds}s\"\ndrain = \"10s\"\n{faults}"))
}

/// A million users at one instant, and again a second later.
pub(crate) fn storm() -> Campaign {
    campaign("storm", STORM, "arrivals = \"1500ms\"\ndrain = \"1s\"\n")
}

/// The reference collapse, as it is shipped.
pub(crate) fn r1() -> Campaign {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    parse(&read("experiments/r1.toml"), &read("models/single-server.toml"))
}

/// The only run of a workload.
pub(crate) fn run(campaign: &Campaign) -> RunResult {
    let result = campaign.run(0);
    assert_eq!(result.ending, stormglass::kernel::limit::Ending::Complete);
    result
}

fn campaign(name: &str, model: &str, rest: &str) -> Campaign {
    parse(
        &format!("name = \"{name}\"\nmodel = \"m.toml\"\nseeds = \"1..2\"\n{rest}{LIMITS}"),
        model,
    )
}

fn parse(experiment: &str, model: &str) -> Campaign {
    let mut sources = Sources::default();
    let mut read = |name: &str, text: &str| {
        let source = sources.add(name, text);
        Value::parse(&sources, source).expect(name)
    };
    let documents = Documents {
        experiment: read("experiment", experiment),
        model: read("model", model),
        overrides: Vec::new(),
    };
    let no_files = |name: &str| Err(Problem::new(name));
    Campaign::new(&documents, &no_files).expect("the models of the benchmark are right")
}

fn edited(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the model has no {from}");
    text.replace(from, to)
}
