//! Stormglass as a library says what the command says, and tells what is wrong as it does.

use std::process::Command;

use stormglass::{Error, Experiment};

use crate::common::Changed;

const MODEL: &str = r#"
[clients.users]
arrivals = { poisson = "50/s" }
flow = [{ call = "bank.charge", policy = "again" }]
[provider.bank]
effects = ["charge"]
concurrency = 50
latency = "10ms"
errors_before = "10%"
errors_after = "10%"
[policy.again]
timeout = "1s"
"#;

const EXPERIMENT: &str = r#"
name = "library"
model = "model.toml"
seeds = "1..4"
arrivals = "20s"
[invariants]
one_charge = { effect = "charge" }
[arms.never]
[arms.again]
set = { "policy.again.retry" = { attempts = 4 } }
"#;

fn told(result: Result<impl std::fmt::Debug, Error>) -> String {
    result.expect_err("it is wrong").to_string()
}

#[test]
fn a_program_gets_what_the_command_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("experiment.toml");
    std::fs::write(folder.path().join("model.toml"), MODEL).expect("the model");
    std::fs::write(&path, EXPERIMENT).expect("the experiment");
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    let output = command.current_dir(folder.path()).args(["run", "experiment.toml", "--quiet"]);
    assert!(output.status().expect("it starts").success());
    let written = |name: &str| {
        std::fs::read_to_string(folder.path().join("out/library").join(name)).expect(name)
    };
    let results = Experiment::from_path(&path).and_then(Experiment::run).expect("it runs");
    assert_eq!(results.summary_json(), written("summary.json"));
    assert_eq!(results.runs_csv(), written("runs.csv"));
    let text = Experiment::from_texts(EXPERIMENT, MODEL).and_then(Experiment::run);
    assert_eq!(text.expect("it runs").runs_csv(), written("runs.csv"), "from texts");
    let again = results.arm("again").expect("it is an arm");
    let success = again.metric("success_ratio").expect("it is measured");
    assert!(success.mean > 0.99 && success.interval.is_some(), "{success:?}");
    let promise = again.promise("one_charge").expect("it is watched");
    assert!(promise.violations > 0 && promise.exposure > promise.violations, "{promise:?}");
    assert_eq!(again.metric("no_such_metric"), None);
}

#[test]
fn an_error_prints_itself_with_its_place() {
    let wrong = EXPERIMENT.changed("arrivals = ", "arivals = ");
    let error = told(Experiment::from_texts(&wrong, MODEL));
    assert!(error.contains("the experiment:5:1") && error.contains("`arrivals`"), "{error}");
    let error = told(Experiment::from_path("no/such/experiment.toml"));
    assert!(error.contains("no/such/experiment.toml"), "{error}");
    let own = || Experiment::from_texts(EXPERIMENT, MODEL).expect("it is right");
    let error = told(own().with_seeds(5..5));
    assert!(error.contains("5..5: A..B with A less than B"), "{error}");
    let search = format!(
        "{EXPERIMENT}[search]\nvary = \"policy.again.timeout\"\nfrom = \"20ms\"\nuntil = \"1s\"\n\
         outcome = \"one_charge_violated\"\n"
    );
    match Experiment::from_texts(&search, MODEL) {
        Ok(search) => assert!(told(search.run()).contains("is a search")),
        Err(error) => panic!("{error}"),
    }
}
