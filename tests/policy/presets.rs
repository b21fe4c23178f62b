//! Every preset is taken in a model, changed in one number by an arm, and run.

use std::collections::BTreeSet;
use std::fmt::Write;

use stormglass::kernel::time::Span;
use stormglass::model::presets;

const MODEL: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "server.serve", policy = "p", ignore_failure = true }]

[service.server]
instances = 3
workers = 2
on.serve.steps = [{ work = "exp 150ms" }, { reply = "ok" }]

[policy.p]
deadline = "2s"
"#;

/// A file that nobody lists would be no preset, and nobody would see it.
#[test]
fn every_file_of_a_preset_is_one() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("presets");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let names =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text"));
    let files: BTreeSet<String> = names.filter(|name| name.ends_with(".toml")).collect();
    let listed = presets::names().map(|(name, version)| format!("{name}@{version}.toml"));
    assert_eq!(files, listed.collect::<BTreeSet<_>>());
}

#[test]
fn an_arm_takes_a_preset_and_changes_one_number_of_it() {
    let mut experiment =
        "name = \"t\"\nmodel = \"inline\"\narrivals = \"2s\"\ndrain = \"3s\"\nseeds = \"1..2\"\n"
            .to_owned();
    let taken: Vec<_> = presets::all().collect();
    for (index, preset) in taken.iter().enumerate() {
        write!(
            experiment,
            "[arms.a{index}.set]\n\"policy.p.preset\" = \"{}@{}\"\n\"policy.p.deadline\" = \"3s\"\n",
            preset.name, preset.version
        )
        .expect("it is a string");
    }
    let campaign = crate::common::campaign(&experiment, MODEL);
    for (preset, cell) in taken.iter().zip(&campaign.cells) {
        let expected =
            stormglass::policy::Policy { deadline: Some(Span::from_secs(3)), ..preset.policy };
        let name = format!("{}@{}", preset.name, preset.version);
        assert!(cell.program.policies.iter().any(|(_, policy)| *policy == expected), "{name}");
    }
    for (result, preset) in crate::common::run_all(&campaign).iter().zip(&taken) {
        let attempts: u64 = result.metrics.edges.iter().map(|edge| edge.attempts).sum();
        assert!(attempts > 0, "{}@{} sent nothing", preset.name, preset.version);
    }
}
