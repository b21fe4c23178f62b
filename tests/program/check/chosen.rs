//! Which arms and points a command is about.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::{path, stormglass};

const MODEL: &str = r#"
[clients.users]
arrivals = { constant = "2/s" }
flow = [{ call = "bank.charge", policy = "twice" }]
[provider.bank]
concurrency = 10
latency = "150ms"
effects = ["charge"]
[policy.twice]
timeout = "200ms"
retry = { attempts = 2 }
[link.default]
latency = "1ms"
"#;

/// An experiment of two arms at three points.
const EXPERIMENT: &str = r#"
name = "chosen"
model = "model.toml"
seeds = "1..18"
arrivals = "2s"
drain = "2s"
[invariants]
one_charge = { effect = "charge" }
[arms.one]
[arms.other]
[factors.load.low]
[factors.load.high]
set = { "clients.users.arrivals" = { constant = "4/s" } }
[factors.load.higher]
set = { "clients.users.arrivals" = { constant = "6/s" } }
"#;

fn experiment() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("chosen.toml");
    fs::write(folder.path().join("model.toml"), MODEL).unwrap();
    fs::write(&file, EXPERIMENT).unwrap();
    (folder, file)
}

#[test]
fn what_is_chosen_is_run_under_every_seed() {
    let (_folder, file) = experiment();
    let runs = |chosen: &[&str]| {
        let ran = stormglass(&[&["check", path(&file)], chosen].concat());
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
        let last = ran.out.lines().last().unwrap_or_default().to_owned();
        let (_, runs) = last.split_once("pass: no promise was broken in ").expect("a pass");
        runs.to_owned()
    };
    assert_eq!(runs(&[]), "102 runs, seeds 1 to 17");
    assert_eq!(runs(&["--point", "load=high"]), "34 runs, seeds 1 to 17");
    assert_eq!(runs(&["--arm", "other"]), "51 runs, seeds 1 to 17");
    assert_eq!(runs(&["--arm", "other", "--point", "load=low"]), "17 runs, seeds 1 to 17");
}

#[test]
fn whoever_keeps_going_runs_every_seed() {
    let (_folder, file) = experiment();
    let broken = |more: &[&str]| {
        let one = ["check", path(&file), "--arm", "one", "--point", "load=low"];
        let ran = stormglass(&[&one[..], &["--set", "provider.bank.latency=250ms"], more].concat());
        assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
        ran.out
    };
    let all = broken(&["--keep-going"]);
    assert!(all.contains("VIOLATION one_charge in arm one at load=low: 17 of 17 seeds"), "{all}");
    let first = broken(&[]);
    assert!(!first.contains("17 seeds") && first.contains("--seeds 1..2"), "{first}");
}

/// The line that shows a violation again makes that one run, with everything that was set.
#[test]
fn a_violation_is_shown_again_in_its_one_run() {
    let (_folder, file) = experiment();
    let set = ["--set", "policy.twice.timeout=100ms", "--keep-going", "--seeds", "1..3"];
    let ran = stormglass(&[&["check", path(&file)][..], &set].concat());
    let again: Vec<&str> =
        ran.out.lines().filter_map(|line| line.trim().strip_prefix("again:")).collect();
    assert_eq!(again.len(), 6, "every arm breaks it at every point: {}", ran.out);
    let words: Vec<&str> = again[5].split_whitespace().skip(1).collect();
    let ran = stormglass(&words);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
    assert!(ran.out.contains("one_charge in arm other at load=higher: 1 of 1 seed"), "{}", ran.out);
    assert!(ran.out.ends_with("violation: 1 promise broken in 1 run, seed 1\n"), "{}", ran.out);
}

#[test]
fn what_can_be_chosen_is_named_once() {
    let (_folder, file) = experiment();
    let refused = |arguments: &[&str]| {
        let ran = stormglass(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
        ran.error
    };
    let smaller = ["minimize", path(&file), "--seed", "1"];
    let arms = refused(&smaller);
    assert_eq!(arms, "error: there are several arms: --arm with one of: one, other\n");
    let points = refused(&[&smaller[..], &["--arm", "one"]].concat());
    let several =
        "error: there are several points: --point with one of: load=low, load=high, load=higher\n";
    assert_eq!(points, several);
    let unknown = refused(&["check", path(&file), "--arm", "neither"]);
    assert_eq!(unknown, "error: unknown arm `neither`: known: `one`, `other`\n");
}
