//! Every promise has a planted bug: a model in which exactly the mechanism is off that keeps it.
//!
//! Each file of `experiments/promises` is an experiment with random faults. Its arm `correct` keeps
//! every promise that the file declares. Each other arm is named after the promise that it breaks,
//! with a word behind a hyphen where there are several. What it breaks beside that follows from it
//! and is pinned. So whoever adds such a file adds its test.

mod campaigns;
mod rates;
mod variants;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::thread::ScopedJoinHandle;

use campaigns::{arm, read};
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::limit::Ending;

/// A planted bug is found in so many seeds.
const SEEDS_MAX: u64 = 1_000;
/// How many seeds a planted bug runs at least, to see what else it breaks.
const SEEDS_WATCHED: u64 = 10;

/// How many seeds the arms without a bug run.
#[expect(clippy::disallowed_methods, reason = "it says how many runs there are, not how they end")]
fn seeds_without_bug() -> u64 {
    let asked = std::env::var("STORMGLASS_PROMISE_SEEDS");
    asked.map_or(100, |seeds| seeds.parse().expect("STORMGLASS_PROMISE_SEEDS is a number"))
}

/// The promises that a run broke.
fn broken(campaign: &Campaign, run: &RunResult) -> Vec<String> {
    let judged = campaign.cells[run.cell].invariants.iter().zip(&run.invariants);
    let broken = judged.filter(|(_, verdict)| verdict.violations > 0);
    broken.map(|(promise, _)| promise.name.clone()).collect()
}

/// Runs the arm without a bug.
fn keep_everything(name: &str, campaign: &Campaign, cell: usize) {
    let mut exposure: Vec<u64> = Vec::new();
    for seed in 1..=seeds_without_bug() {
        let run = arm(campaign, cell, seed);
        assert_eq!(run.ending, Ending::Complete, "{name}, seed {seed}");
        assert!(broken(campaign, &run).is_empty(), "{name}, seed {seed}: {:#?}", run.invariants);
        exposure.resize(run.invariants.len(), 0);
        for (sum, verdict) in exposure.iter_mut().zip(&run.invariants) {
            *sum += verdict.exposure;
        }
    }
    assert!(exposure.iter().all(|&sum| sum > 0), "{name} tests nothing: {exposure:?}");
}

/// Runs an arm with a bug until it is found; returns the number of seeds that this took, and what
/// else was broken.
fn find_bug(name: &str, campaign: &Campaign, cell: usize, promise: &str) -> String {
    let (mut found, mut beside) = (None, BTreeSet::new());
    for seed in 1..=SEEDS_MAX {
        let broken = broken(campaign, &arm(campaign, cell, seed));
        if broken.iter().any(|name| name == promise) {
            found = found.or(Some(seed));
        }
        beside.extend(broken.into_iter().filter(|other| other != promise));
        if let Some(found) = found.filter(|_| seed >= SEEDS_WATCHED) {
            let beside: String = beside.iter().map(|other| format!(", with {other}")).collect();
            return format!("{found}{beside}");
        }
    }
    panic!("{name}: {SEEDS_MAX} seeds did not break {promise}")
}

/// Runs one file; returns how many seeds each of its bugs took.
fn check(name: &str) -> String {
    let campaign = read(name);
    let mut found = String::new();
    for (cell, arm) in campaign.cells.iter().enumerate() {
        let label = arm.arm.as_str();
        if label == "correct" {
            keep_everything(name, &campaign, cell);
        } else {
            let promise = label.split('-').next().unwrap_or_default();
            let seeds = find_bug(name, &campaign, cell, promise);
            writeln!(found, "{label}: {seeds}").unwrap();
        }
    }
    found
}

/// The seeds that each bug takes are pinned: `docs/invariants.md` names them.
#[test]
fn every_planted_bug_is_found_and_the_correct_arms_break_nothing() {
    let names = campaigns::names();
    assert!(names.len() >= 9, "{names:?}");
    let results: Vec<(String, std::thread::Result<String>)> = std::thread::scope(|scope| {
        let check = |name: &String| {
            let name = name.clone();
            scope.spawn(move || check(&name))
        };
        let running: Vec<_> = names.iter().map(check).collect();
        names.iter().cloned().zip(running.into_iter().map(ScopedJoinHandle::join)).collect()
    });
    for (name, result) in results {
        let found = result.unwrap_or_else(|_| panic!("{name}: see above"));
        insta::assert_snapshot!(name, found);
    }
}

/// What is watched is not changed: with and without invariants, every arm has the same digest.
#[test]
fn a_digest_does_not_depend_on_what_is_watched() {
    for name in campaigns::names() {
        let campaign = read(&name);
        let blind = campaigns::without_invariants(&name);
        for cell in 0..campaign.cells.len() {
            let (watched, unwatched) = (arm(&campaign, cell, 1), arm(&blind, cell, 1));
            assert_eq!(watched.digest, unwatched.digest, "{name}");
            assert!(!watched.invariants.is_empty() && unwatched.invariants.is_empty());
        }
    }
}
