//! `extends`: an experiment that says only what is different from another one.

use std::fs;
use std::path::Path;

use super::super::check::{Ran, path, stormglass};
use super::resume::{finished, interrupted, kill};
use super::{assert_same, command};
use crate::common::Changed;
use tempfile::TempDir;

const MODEL: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
flow = [{ call = "bank.charge", policy = "twice" }]
[provider.bank]
concurrency = 3
latency = "exp 100ms"
effects = ["charge"]
[policy.twice]
timeout = "200ms"
retry = { attempts = 2 }
"#;

/// An incident in a folder of its own. It is no experiment: it has no name.
const INCIDENT: &str = r#"
model = "../model.toml"
arrivals = "20s"
seeds = "1..4"
set = { "clients.users.arrivals" = { poisson = "10/s" } }
[[faults]]
kind = "slow"
target = "bank"
factor = 5
at = "5s"
for = "5s"
[invariants]
one_charge = { effect = "charge", label = "charged twice" }
[arms.twice]
set = { "policy.twice.retry.attempts" = 2 }
[arms.thrice]
set = { "policy.twice.retry.attempts" = 3 }
"#;

/// What is different.
const OWN: &str = r#"
extends = "incidents/slow-bank.toml"
name = "own"
seeds = "2..4"
[set]
"clients.users.arrivals" = { constant = "10/s" }
"policy.twice.timeout" = "300ms"
[[faults]]
kind = "slow"
target = "bank"
factor = 9
at = "4s"
for = "5s"
[arms.thrice]
label = "three attempts"
[arms.four]
set = { "policy.twice.retry.attempts" = 4 }
"#;

/// The same in one file.
const WHOLE: &str = r#"
name = "own"
model = "model.toml"
arrivals = "20s"
seeds = "2..4"
[set]
"clients.users.arrivals" = { constant = "10/s" }
"policy.twice.timeout" = "300ms"
[[faults]]
kind = "slow"
target = "bank"
factor = 9
at = "4s"
for = "5s"
[invariants]
one_charge = { effect = "charge", label = "charged twice" }
[arms.twice]
set = { "policy.twice.retry.attempts" = 2 }
[arms.thrice]
label = "three attempts"
set = { "policy.twice.retry.attempts" = 3 }
[arms.four]
set = { "policy.twice.retry.attempts" = 4 }
"#;

/// A project with the experiments.
fn project() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("incidents")).unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    write("model.toml", MODEL);
    write("incidents/slow-bank.toml", INCIDENT);
    write("own.toml", OWN);
    write("whole.toml", WHOLE);
    folder
}

/// Runs an experiment of the project into a folder with its name.
fn run(folder: &Path, name: &str, more: &[&str]) -> Ran {
    let (file, out) = (folder.join(format!("{name}.toml")), folder.join(name));
    stormglass(&[&["run", path(&file), "--out", path(&out), "--quiet"], more].concat())
}

/// The error of an experiment with this text.
fn error(folder: &Path, text: &str) -> String {
    fs::write(folder.join("wrong.toml"), text).unwrap();
    let ran = run(folder, "wrong", &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.error);
    ran.error
}

#[test]
fn an_experiment_is_what_it_extends_and_what_is_different() {
    let folder = project();
    let folder = folder.path();
    for name in ["own", "whole"] {
        let ran = run(folder, name, &["--set", "policy.twice.timeout=250ms"]);
        assert_eq!((ran.code, ran.error.as_str()), (Some(0), ""));
    }
    for file in ["runs.csv", "series.csv", "faults.csv", "pairs.csv", "tables.md", "summary.json"] {
        let [own, whole] =
            ["own", "whole"].map(|name| fs::read_to_string(folder.join(name).join(file)).unwrap());
        assert_eq!(own, whole, "{file}");
    }
    let manifest = fs::read_to_string(folder.join("own/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let names: Vec<&str> = files.iter().map(|file| file["name"].as_str().unwrap()).collect();
    let ends = ["own.toml", "incidents/../model.toml", "incidents/slow-bank.toml"];
    assert_eq!(names.len(), ends.len());
    assert!(names.iter().zip(ends).all(|(name, end)| name.ends_with(end)), "{names:?}");
}

#[test]
fn the_name_is_not_taken_over() {
    let folder = project();
    let told = error(folder.path(), "extends = \"own.toml\"\n");
    assert!(told.contains("`name` is missing") && told.contains("wrong.toml:1:1"), "{told}");
}

#[test]
fn what_is_wrong_is_shown_in_the_file_in_which_it_is() {
    let folder = project();
    let folder = folder.path();
    let incident = folder.join("incidents/slow-bank.toml");
    let wrong = INCIDENT.changed("target = \"bank\"", "target = \"bnak\"");
    fs::write(&incident, &wrong).unwrap();
    let told = error(folder, "extends = \"incidents/slow-bank.toml\"\nname = \"wrong\"\n");
    assert!(told.contains("slow-bank.toml:8:") && told.contains("`bank`"), "{told}");
    fs::write(&incident, INCIDENT.changed("at = \"5s\"", "at = 5s")).unwrap();
    let told = error(folder, "extends = \"incidents/slow-bank.toml\"\nname = \"wrong\"\n");
    assert!(told.contains("slow-bank.toml:10:"), "{told}");
    fs::write(&incident, INCIDENT).unwrap();
    let own =
        "extends = \"incidents/slow-bank.toml\"\nname = \"wrong\"\n[arms.twice]\nlable = \"a\"";
    let told = error(folder, own);
    assert!(told.contains("wrong.toml:4:1"), "{told}");
    let told = error(folder, "name = \"wrong\"\nextends = \"incidents/slow.toml\"\n");
    assert!(told.contains("there is no such file") && told.contains("wrong.toml:2:11"), "{told}");
    let told = error(folder, "name = \"wrong\"\nextends = 7\n");
    assert!(told.contains("expected the path of an experiment, found a whole number"), "{told}");
    let ran = run(folder, "own", &["--set", "extends=\"whole.toml\""]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.error.contains("is read before anything is set"), "{}", ran.error);
}

#[test]
fn experiments_that_extend_each_other_have_an_end() {
    let folder = project();
    let folder = folder.path();
    let told = error(folder, "name = \"wrong\"\nextends = \"incidents/../wrong.toml\"\n");
    assert!(told.contains("extends the experiment that extends it"), "{told}");
    assert!(told.contains("wrong.toml:2:11"), "{told}");
    fs::write(folder.join("other.toml"), "extends = \"wrong.toml\"\n").unwrap();
    let told = error(folder, "name = \"wrong\"\nextends = \"other.toml\"\n");
    assert!(told.contains("other.toml:1:11"), "{told}");
    for number in 1..=9 {
        let text = format!("extends = \"{}.toml\"\nname = \"of\"\n", number - 1);
        fs::write(folder.join(format!("{number}.toml")), text).unwrap();
    }
    fs::write(folder.join("0.toml"), WHOLE).unwrap();
    assert_eq!(run(folder, "8", &[]).code, Some(0));
    let told = run(folder, "9", &[]).error;
    assert!(told.contains("more than 8 experiments") && told.contains("1.toml:1:11"), "{told}");
}

#[test]
fn it_leads_into_the_project_only() {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("other.toml"), WHOLE).unwrap();
    let folder = project();
    let other = outside.path().join("other.toml");
    let own = format!("name = \"wrong\"\nextends = \"{}\"\nmodel = \"model.toml\"\n", path(&other));
    let told = error(folder.path(), &own);
    assert!(told.contains("lies outside of") && told.contains("wrong.toml:2:"), "{told}");
    let ran = run(folder.path(), "wrong", &["--allow-outside", path(outside.path())]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
}

#[test]
fn a_reproduction_holds_what_its_experiment_extends() {
    let folder = project();
    let small = folder.path().join("small.toml");
    let own = folder.path().join("own.toml");
    let ran = stormglass(&["check", path(&own), "--arm", "four"]);
    assert_eq!(ran.code, Some(1), "{}", ran.error);
    let chosen = ["--arm", "four", "--seed", "2", "--out", path(&small)];
    let ran = stormglass(&[&["minimize", path(&own)], &chosen[..]].concat());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
    // Wherever it is, and without the others.
    let elsewhere = TempDir::new().unwrap();
    let moved = elsewhere.path().join("small.toml");
    fs::copy(&small, &moved).unwrap();
    drop(folder);
    let ran = stormglass(&["replay", path(&moved)]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
    assert!(ran.out.contains("same digest"), "{}", ran.out);
    let ran = stormglass(&["explain", path(&moved), "--out", path(elsewhere.path())]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
}

#[test]
fn another_incident_is_another_campaign() {
    let folder = project();
    let folder = folder.path();
    let (whole, broken) = (folder.join("whole"), folder.join("broken"));
    let own = folder.join("own.toml");
    let mut first = command(&own, &broken, "1");
    first.args(["--seeds", "1..60"]);
    interrupted(first, || finished(&broken) >= 4, kill);
    assert!(finished(&broken) >= 4);
    let incident = folder.join("incidents/slow-bank.toml");
    fs::write(&incident, INCIDENT.changed("\"20s\"", "\"21s\"")).unwrap();
    assert!(command(&own, &whole, "1").status().unwrap().success());
    let again = command(&own, &broken, "1").output().unwrap();
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains("are of other inputs"), "{said}");
    assert_same(&whole, &broken);
}
