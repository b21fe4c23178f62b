//! From a violation to the smallest run that shows it, its replay and its story.

use std::path::PathBuf;

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::plan::documents::Documents;
use stormglass::experiment::shrink::minimize::is_minimal;
use stormglass::experiment::shrink::reproduction::Reproduction;
use stormglass::model::document::{Sources, Value};
use stormglass::model::problem::Problem;

use super::{CANARY, Ran, path, root, stormglass};

/// Minimizes the first violation of an arm into a file of its own.
fn minimized(arm: &str, seed: &str, more: &[&str]) -> (tempfile::TempDir, PathBuf, Ran) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("small.toml");
    let arguments = ["minimize", CANARY, "--arm", arm, "--seed", seed, "--out", path(&file)];
    let ran = stormglass(&[&arguments[..], more].concat());
    (folder, file, ran)
}

fn campaign_of(reproduction: &Reproduction) -> Campaign {
    let mut sources = Sources::default();
    let mut parse = |text: &str| {
        let source = sources.add("inlined", text);
        Value::parse(&sources, source).unwrap()
    };
    let experiment = parse(&reproduction.experiment.text);
    let model = parse(&reproduction.model.text);
    let documents = Documents { experiment, model, overrides: Vec::new() };
    Campaign::new(&documents, &|name| Err(Problem::new(name))).unwrap()
}

fn reproduction_of(text: &str) -> Reproduction {
    let mut sources = Sources::default();
    let source = sources.add("reproduction.toml", text);
    Reproduction::read(&Value::parse(&sources, source).unwrap()).unwrap()
}

#[test]
fn what_is_left_is_needed_and_comes_back() {
    let (_folder, file, ran) = minimized("two_writes", "1", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80 || line.contains("/")));
    let quoted = path(&file);
    for said in [
        "faults: 1 of 2\n  worker_kill 2: worker_kill at api (step = orders.transaction, when = \
         after)\n    from ",
        "orders: 1 of 105\nevents: ",
        "no fault can be left out; ",
        &format!("wrote {quoted}\n  stormglass replay {quoted}\n  stormglass explain {quoted}\n"),
    ] {
        assert!(ran.out.contains(said), "{said}\n{}", ran.out);
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let reproduction = reproduction_of(&text);
    assert_eq!(reproduction.faults.len(), 1, "one death between the two writes is enough");
    assert_eq!(reproduction.run.orders.as_ref().map(Vec::len), Some(1));
    let campaign = campaign_of(&reproduction);
    let cell = &campaign.cells[reproduction.cell(&campaign).unwrap()];
    let target = reproduction.target(cell).unwrap();
    assert!(is_minimal(cell, &reproduction.case(), &target));
    let mut more = reproduction.case();
    more.faults.push(more.faults[0].clone());
    more.faults[1].at = stormglass::kernel::time::Span::ZERO;
    assert!(!is_minimal(cell, &more, &target), "what is not needed is found");
    assert_eq!(reproduction_of(&reproduction.text()), reproduction);
    let replayed = stormglass(&["replay", path(&file)]);
    assert_eq!(replayed.code, Some(0), "{}{}", replayed.out, replayed.error);
    let (run, expected) = (&replayed.out, &reproduction.expected);
    let same = format!("same digest: {} of {} events\n", expected.digest, expected.events);
    assert!(run.starts_with("same violation: paid_has_payment broken for order "), "{run}");
    assert!(run.ends_with(&same), "nothing is different: {run}");
}

#[test]
fn a_reproduction_has_the_settings_and_the_files_of_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let model = SLOW_BANK.replace(
        "{ constant = \"10/s\" }",
        "{ trace = { path = \"times.csv\", column = \"at\" } }",
    );
    assert_ne!(model, SLOW_BANK);
    write("model.toml", &model);
    let times = write("times.csv", "at\n0.1\n0.2\n0.3\n0.4\n0.5\n");
    let experiment = "name = \"bank\"\nmodel = \"model.toml\"\nseeds = \"1..2\"\n\
                      arrivals = \"1s\"\ndrain = \"5s\"\n[invariants]\none_charge = { effect = \"charge\" }\n";
    let experiment = write("bank.toml", experiment);
    let file = folder.path().join("small.toml");
    let slow = ["--set", "provider.bank.latency=150ms", "--seed", "1", "--out", path(&file)];
    let ran = stormglass(&[&["minimize", path(&experiment)][..], &slow].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    // All of it is in the file itself.
    std::fs::remove_file(times).unwrap();
    let replayed = stormglass(&["replay", path(&file)]);
    assert_eq!(replayed.code, Some(0), "{}{}", replayed.out, replayed.error);
    let text = std::fs::read_to_string(&file).unwrap();
    let without = text.replace("set = [\"provider.bank.latency=150ms\"]\n", "");
    assert_ne!(without, text);
    std::fs::write(&file, without).unwrap();
    assert_eq!(stormglass(&["replay", path(&file)]).code, Some(1), "the bank is as fast as it was");
}

#[test]
fn a_search_that_is_cut_off_says_so() {
    let (_folder, file, ran) = minimized("two_writes", "1", &["--runs", "2"]);
    assert_eq!(ran.code, Some(3), "{}", ran.error);
    let cut = "cut off after 2 runs: perhaps more can be left out (--time, --runs)\n";
    assert!(ran.out.contains(cut), "{}", ran.out);
    let (_none, _, ran) = minimized("two_writes", "1", &["--time", "0s"]);
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    assert!(ran.error.contains("expected a time of more than 0"), "{}", ran.error);
    let (_other, _, ran) = minimized("two_writes", "1", &["--time", "1ns"]);
    assert_eq!(ran.code, Some(3), "{}", ran.error);
    assert!(ran.out.contains("cut off after "), "{}", ran.out);
    assert_eq!(stormglass(&["replay", path(&file)]).code, Some(0));
}

#[test]
fn only_a_violation_can_be_made_small() {
    for (arguments, expected) in [
        (vec!["--seed", "1", "--arm", "queue_in_memory"], "seed 1 does not break any promise"),
        (vec!["--seed", "1", "--arm", "two_writes", "--invariant", "one_charge"], "does not break"),
        (vec!["--seed", "1", "--invariant", "one_charge"], "there are several arms"),
        (vec!["--seed", "1", "--arm", "two_write"], "did you mean `two_writes`?"),
        (vec!["--seed", "1", "--invariant", "one_charges"], "did you mean `one_charge`?"),
    ] {
        let ran = stormglass(&[&["minimize", CANARY][..], &arguments].concat());
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.out);
        assert!(ran.error.contains(expected), "{arguments:?}: {}", ran.error);
    }
}

#[test]
fn a_reproduction_that_was_changed_does_not_pass() {
    let whole = root().join("experiments/regressions/charged-twice.toml");
    let text = std::fs::read_to_string(whole).unwrap();
    let is_trace = |line: &&str| line.starts_with("trace = ");
    let newest = text.lines().find(is_trace).expect("it says its trace version");
    let text = text.replacen(newest, "trace = 2", 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("changed.toml");
    let replay = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
        stormglass(&["replay", path(&file)])
    };
    let other_seed = replay("seed = 3\n", "seed = 4\n");
    assert_eq!(other_seed.code, Some(1), "{}", other_seed.error);
    assert!(other_seed.out.contains("other digest: expected"), "{}", other_seed.out);
    let found = other_seed.out.lines().find(|line| line.starts_with("              found    "));
    assert!(found.is_some_and(|line| line.ends_with(" events")), "{}", other_seed.out);
    let older = "changed: a seed means something else since trace version ";
    assert!(other_seed.out.contains(older), "{}", other_seed.out);
    let other_digest = replay("digest = \"", "digest = \"0");
    assert_eq!(other_digest.code, Some(1), "{}", other_digest.error);
    assert!(other_digest.out.contains("same violation: one_charge"), "{}", other_digest.out);
    assert!(other_digest.out.contains("other digest: expected 0"), "{}", other_digest.out);
    let repaired = replay(
        "{ call = \"payment.charge\", policy = \"resilience\" },",
        "{ call = \"payment.charge\", policy = \"resilience\", idempotency_key = \"order\" },",
    );
    assert_eq!(repaired.code, Some(1), "{}", repaired.error);
    assert!(repaired.out.contains("one_charge not broken"), "{}", repaired.out);
    let untold = stormglass(&["explain", path(&file), "--out", path(folder.path())]);
    assert_eq!((untold.code, untold.out.as_str()), (Some(1), ""), "{}", untold.error);
    assert!(untold.error.contains("this violation does not come back"), "{}", untold.error);
    assert!(
        repaired.out.contains("the text of experiments/canary.toml is not"),
        "{}",
        repaired.out
    );
    for (from, to, expected) in [
        ("format = 1\n", "format = 9\n", "format 9"),
        ("trace = 2\n", "trace = two\n", "changed.toml:4:9"),
        ("trace = 2\n", "trace = \"two\"\n", "changed.toml:4:9"),
        ("invariant = \"one_charge\"", "invariant = \"two_charges\"", "two_charges"),
        ("arm = \"no_key\"", "arm = \"key\"", "there is no arm `key`"),
        ("target = \"payment\"", "target = \"payments and more\"", "payments and more"),
    ] {
        let ran = replay(from, to);
        assert_eq!(ran.code, Some(2), "{to}: {}{}", ran.out, ran.error);
        assert!(ran.error.contains(expected), "{to}: {}", ran.error);
    }
}

#[test]
fn the_story_is_told_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let file = "experiments/regressions/paid-without-record.toml";
    let ran = stormglass(&["explain", file, "--out", path(folder.path())]);
    assert_eq!((ran.code, ran.error.as_str()), (Some(0), ""));
    let told: String = ran.out.lines().filter(|line| !line.starts_with("wrote ")).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    );
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    insta::assert_snapshot!(told);
    let svg = std::fs::read_to_string(folder.path().join("paid-without-record.svg")).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}"));
    let labels: Vec<&str> =
        document.descendants().filter_map(|node| node.attribute("aria-label")).collect();
    for label in ["shoppers", "api", "payment", "charge", "instance 1 crashes: its memory is gone"]
    {
        assert!(labels.contains(&label), "{label} is missing in {labels:?}");
    }
    assert!(svg.contains(" s on it could not be avoided."), "the turning point is in the picture");
    let png = std::fs::read(folder.path().join("paid-without-record.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 10_000, "{} bytes", png.len());
    let mermaid = std::fs::read_to_string(folder.path().join("paid-without-record.mmd")).unwrap();
    insta::assert_snapshot!(mermaid);
}

/// A bank that is often slower than its caller waits, and is then asked again.
const SLOW_BANK: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "api.buy" }]

[service.api]
workers = 20
on.buy.steps = [{ call = "bank.charge", policy = "twice" }, { reply = "ok" }]

[provider.bank]
concurrency = 10
latency = "exp 30ms"
effects = ["charge"]

[policy.twice]
timeout = "100ms"
retry = { attempts = 2 }

[link.default]
latency = "3ms"
"#;

#[test]
fn what_is_drawn_when_a_message_arrives_turns_a_story_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let experiment = "name = \"late\"\nmodel = \"model.toml\"\narrivals = \"10s\"\nseeds = \"1..2\"\n\
                      [invariants]\none_charge = { effect = \"charge\" }\n";
    std::fs::write(at("late.toml"), experiment).unwrap();
    std::fs::write(at("model.toml"), SLOW_BANK).unwrap();
    let (late, small) = (at("late.toml"), at("small.toml"));
    let ran = stormglass(&["minimize", path(&late), "--seed", "1", "--out", path(&small)]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let ran = stormglass(&["explain", path(&small), "--out", path(folder.path())]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    // How long the bank takes is drawn when it is asked, and decides whether it is asked again.
    let last = "Point of no return: 1.806000 s. api -> bank: charge arrives\n";
    assert!(ran.out.contains(last), "{}", ran.out);
    assert!(ran.out.contains("20 of 20 leave room for up to 13.9%"), "{}", ran.out);
    // So few moments are all looked at.
    assert_eq!(ran.out.matches(" of 20\n").count(), 10, "{}", ran.out);
    assert!(!ran.out.contains("halving"), "{}", ran.out);
}

#[test]
fn the_first_event_that_differs_is_named() {
    let compare = ["compare-runs", CANARY, "--seed", "2", "--arm", "no_key"];
    let same = stormglass(&compare);
    assert_eq!(same.code, Some(0), "{}", same.error);
    assert!(same.out.starts_with("equal: the same "), "{}", same.out);
    let other = stormglass(&[&compare[..], &["--other-arm", "two_writes"]].concat());
    assert_eq!(other.code, Some(1));
    insta::assert_snapshot!(other.out);
    // Users who do not come at the end change nothing before it.
    let end = stormglass(&[&compare[..], &["--other-set", "arrivals=5500ms"]].concat());
    assert!(end.out.contains("\n  first:  5."), "{}", end.out);
    let seed = stormglass(&[&compare[..], &["--other-seed", "3"]].concat());
    assert_eq!(seed.code, Some(1), "other luck is another run: {}{}", seed.out, seed.error);
}

#[test]
fn a_story_names_the_other_side() {
    let told = |experiment: &str, arm: &str| {
        let file = format!("experiments/promises/{experiment}.toml");
        let ran = stormglass(&["check", &file, "--arm", arm]);
        assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
        ran.out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // Who wrote the version that is overwritten.
    let lost = told("versions", "no_lost_update");
    let (before, _) = lost.split_once("overwrites a version of").expect(&lost);
    assert!(before.contains(": for order ") && before.contains(": commits "), "{lost}");
    // Which write is that of the replaced primary; and its fault begins once.
    let fencing = told("primaries", "fencing");
    assert!(fencing.contains("writes although a replica has taken its place"), "{fencing}");
    assert!(fencing.matches("primary_failover").count() <= 3, "{fencing}");
    assert!(fencing.matches("begins").count() <= fencing.matches("# fault").count(), "{fencing}");
}

#[test]
fn what_is_wrong_with_a_reproduction_has_its_place() {
    let whole = root().join("experiments/regressions/charged-twice.toml");
    let text = std::fs::read_to_string(whole).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("changed.toml");
    let line_of = |part: &str, text: &str| {
        text.lines().position(|line| line.contains(part)).map_or(0, |at| at + 1)
    };
    // A fault that ends when it begins.
    let (before, rest) = text.split_once("\nfor = \"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    let changed = format!("{before}\nfor = \"0s\"{after}");
    std::fs::write(&file, &changed).unwrap();
    for command in ["replay", "explain"] {
        let ran = stormglass(&[command, path(&file)]);
        assert_eq!(ran.code, Some(2), "{}", ran.out);
        let place = format!("changed.toml:{}:", line_of("for = \"0s\"", &changed));
        assert!(ran.error.contains(&place), "{place}: {}", ran.error);
    }
    // Something else than a reproduction.
    let ran = stormglass(&["explain", "models/checkout.toml"]);
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    assert!(ran.error.contains("this file is no reproduction"), "{}", ran.error);
    assert!(ran.error.contains("models/checkout.toml:1:"), "{}", ran.error);
}

#[test]
fn a_line_to_copy_works_in_any_folder() {
    let folder = tempfile::tempdir().unwrap();
    let ran = stormglass(&["check", CANARY, "--arm", "no_key"]);
    let again = ran.out.lines().find_map(|line| line.trim().strip_prefix("again:")).unwrap();
    let mut words = again.split_whitespace();
    assert_eq!(words.next(), Some("stormglass"));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stormglass"));
    let output = command.args(words).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The case ends when the order is charged twice. A continuation in which that happens a
/// millisecond later has not prevented it.
#[test]
fn what_breaks_a_promise_after_the_end_of_the_case_breaks_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = root().join("experiments/regressions/charged-twice.toml");
    let ran = stormglass(&["explain", path(&file), "--out", path(folder.path())]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let of_20 = |line: &str| line.strip_suffix(" of 20")?.split_whitespace().last()?.parse().ok();
    let broken: Vec<u32> = ran.out.lines().filter_map(of_20).collect();
    assert!(broken.len() >= 5 && broken[0] < 15, "{broken:?}");
    let certain: Vec<u32> = broken.into_iter().skip_while(|broken| *broken < 15).collect();
    assert!(certain.len() >= 3 && certain.iter().all(|broken| *broken == 20), "{certain:?}");
}
