//! Rows that are there from the start, and rows that are there once they are written.

use std::process::Command;

use crate::common::campaign;
use stormglass::experiment::run::result::RunResult;

/// Users who read the row of their key through a cache, and change it now and then.
fn model(table: &str, write: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "100/s" }}
keys = {{ uniform = 10 }}
flow = [{{ call = "api.look" }}{write}]

[service.api]
workers = "unlimited"
on.look.steps = [{{ read = "db.profile", cache = "near" }}, {{ reply = "ok" }}]
on.change.steps = [
  {{ read = "db.profile" }},
  {{ transaction = "db", write = ["profile = changed"], if_unchanged = true }},
  {{ reply = "ok" }},
]

[database.db]
commit = "1ms"
read = "1ms"
tables = {{ profile = {{ rows = "key"{table} }} }}

[cache.near]
capacity = 100
"#
    )
}

/// The run, and how many reads reached the database.
fn reads(model: &str, invariants: &str) -> (RunResult, u64) {
    let experiment = format!(
        "name = \"rows\"\nmodel = \"inline\"\narrivals = \"10s\"\ndrain = \"1s\"\n\
         seeds = \"1..2\"\n{invariants}"
    );
    let campaign = campaign(&experiment, model);
    let run = campaign.run(0);
    let edges = campaign.cells[0].program.edges.iter().zip(&run.metrics.edges);
    let reads = edges.filter(|(edge, _)| edge.name.contains("-> db")).map(|(_, e)| e.attempts);
    let reads = reads.sum();
    (run, reads)
}

/// What a command says of an experiment with this model, on both of its outputs.
fn said_by(command: &[&str], model: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a file can be written");
    };
    write("model.toml", model);
    write(
        "rows.toml",
        "name = \"rows\"\nmodel = \"model.toml\"\narrivals = \"2s\"\ndrain = \"1s\"\n\
         seeds = \"1..3\"\n[expect]\nsuccess_ratio = \"> 0.5\"\n\
         [arms.one]\n[arms.two]\nset = { \"cache.near.capacity\" = 50 }\n",
    );
    let mut stormglass = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    stormglass.current_dir(folder.path()).args(command).args(["rows.toml", "--workers", "1"]);
    let output = stormglass.output().expect("the command runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn a_cache_in_front_of_rows_that_nobody_wrote_is_a_warning() {
    let warning = "warning: cache `near` never had a row of `db.profile` to keep in 2 of 2 \
                   combinations: all 796 reads found\n         nothing, because nobody had written \
                   those rows";
    for command in [&["run", "--full"][..], &["check"]] {
        let said = said_by(command, &model("", ""));
        assert!(said.contains(warning), "{command:?}: {said}");
        for (table, write) in [(", initial = \"known\"", ""), ("", ", { call = \"api.change\" }")] {
            let said = said_by(command, &model(table, write));
            assert!(!said.contains("never had a row"), "{command:?} {table}{write}: {said}");
        }
    }
}

#[test]
fn a_cache_keeps_rows_that_are_there_from_the_start() {
    let (run, without) = reads(&model("", ""), "");
    assert_eq!(without, run.metrics.requests, "nothing is there to be kept");
    let (_, with) = reads(&model(", initial = \"known\"", ""), "");
    // Each of the ten rows is fetched once, or by two that come at the same time.
    assert!((10..=20).contains(&with), "{with} reads at the database");
}

#[test]
fn a_first_write_changes_the_state_in_which_a_row_was() {
    let write = ", { call = \"api.change\" }";
    let states = |from: &str| {
        format!(
            "[invariants]\nlegal_states = {{ table = \"db.profile\", \
             allowed = [\"{from} -> changed\", \"changed -> changed\"] }}\n"
        )
    };
    let table = ", initial = \"known\"";
    let (right, _) = reads(&model(table, write), &states("known"));
    assert_eq!(right.invariants[0].violations, 0);
    assert!(right.invariants[0].exposure > 100);
    let (wrong, _) = reads(&model(table, write), &states("other"));
    assert_eq!(wrong.invariants[0].violations, 10, "the first write of each of ten rows");
}
