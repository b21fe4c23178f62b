//! What nothing could have broken is not a pass.

use std::path::Path;

use serde_json::Value;

use super::{Ran, names, path, stormglass, with_environment};

const MODEL: &str = r#"
[clients.c]
arrivals = { poisson = "20/s" }
flow = [{ call = "shop.buy" }]

[service.shop]
workers = 9
on.buy.steps = [{ call = "pay.charge" }, { reply = "ok" }]

[provider.pay]
concurrency = 9
latency = "2ms"
effects = ["charge", "refund"]
"#;

const EXPERIMENT: &str = r#"
name = "small"
model = "model.toml"
arrivals = "2s"
seeds = "1..4"
"#;

/// Writes an experiment into a folder and checks it.
fn check(folder: &Path, promises: &str, more: &[&str]) -> Ran {
    std::fs::write(folder.join("model.toml"), MODEL).unwrap();
    let file = folder.join("small.toml");
    std::fs::write(&file, format!("{EXPERIMENT}{promises}")).unwrap();
    stormglass(&[&["check", path(&file)], more].concat())
}

#[test]
fn a_promise_that_nothing_could_have_broken_is_not_exercised() {
    let folder = tempfile::tempdir().unwrap();
    let (junit, json) = (folder.path().join("junit.xml"), folder.path().join("report.json"));
    let promises = "[invariants]\none_charge = { effect = \"refund\" }\n";
    let more = ["--junit", path(&junit), "--json", path(&json)];
    let ran = check(folder.path(), promises, &more);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.error);
    assert_eq!(
        ran.out,
        "not exercised  one_charge: nothing could have broken it\n\
         not exercised: nothing could have broken one_charge in 3 runs, seeds 1 to 3\n"
    );
    let json: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(json["verdict"], "not-exercised");
    assert_eq!(json["promises"][0]["standing"], "not-exercised");
    assert_eq!(json["promises"][0]["exposure"], 0);
    let junit = std::fs::read_to_string(&junit).unwrap();
    assert!(junit.contains("skipped=\"1\"") && junit.contains("<skipped message="), "{junit}");
    assert!(!junit.contains("<failure"), "{junit}");
}

#[test]
fn a_kept_promise_says_what_could_have_broken_it() {
    let folder = tempfile::tempdir().unwrap();
    let promises = "[invariants]\none_charge = { effect = \"charge\" }\n\
                    [expect]\nlatency_p50_ms = \"< 1h\"\n";
    let ran = check(folder.path(), promises, &[]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("kept           one_charge: "), "{}", ran.out);
    assert!(lines[0].ends_with(" operations could have broken it"), "{}", ran.out);
    assert_eq!(lines[1], "kept           latency_p50_ms < 1h: 3 runs could have broken it");
    assert_eq!(lines[2], "pass: no promise was broken in 3 runs, seeds 1 to 3");
}

#[test]
fn where_only_some_arms_could_break_it_these_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let promises = "[invariants]\none_charge = { effect = \"charge\" }\n[arms.sells]\n\
                    [arms.gives]\nset = { \"service.shop.on.buy.steps\" = [{ reply = \"ok\" }] }\n";
    let ran = check(folder.path(), promises, &[]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
    let words: Vec<&str> = ran.out.split_whitespace().collect();
    assert!(words.join(" ").contains("could have broken it; nothing in arm gives"), "{}", ran.out);
    let ran = check(folder.path(), promises, &["--arm", "gives"]);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.error);
    let file = folder.path().join("small.toml");
    let environment = [("GITHUB_ACTIONS", Path::new("true"))];
    let ran = with_environment(&["check", path(&file)], &environment);
    assert!(ran.out.contains("\n::warning file="), "{}", ran.out);
}

#[test]
fn an_expectation_that_no_run_has_a_value_for_is_not_exercised() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing goes wrong, so nothing recovers.
    let ran = check(folder.path(), "[expect]\nrecovers = \"within 1s\"\n", &[]);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.error);
    assert!(ran.out.contains("no run says anything of recovers within 1s"), "{}", ran.out);
    assert!(ran.out.contains("recovers within 1s: no run has a value of it\n"), "{}", ran.out);
}

/// Every one of these users succeeds, and a share of exactly all is at most and at least all.
#[test]
fn a_bound_that_is_just_reached_is_met_where_it_says_or_equal() {
    let folder = tempfile::tempdir().unwrap();
    for (bound, code) in [("<=", 0), (">=", 0), ("<", 1), (">", 1)] {
        let expect = format!("[expect]\nsuccess_ratio = \"{bound} 100%\"\n");
        let ran = check(folder.path(), &expect, &[]);
        assert_eq!(ran.code, Some(code), "{bound}: {}{}", ran.out, ran.error);
        let words: Vec<&str> = ran.out.split_whitespace().collect();
        let said =
            "Measured requests answered ok in time, of all of them that were answered: it is 1.";
        assert_eq!(words.join(" ").contains(said), code == 1, "{}", ran.out);
    }
}

/// Nobody has an answer for as long as the run lasts: half of the times are above 5 s for certain,
/// and how long they are is not known.
#[test]
fn unfinished_times_miss_a_bound_that_they_have_passed_and_meet_none() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["--set", "provider.pay.latency=\"1h\"", "--set", "drain=\"10s\""];
    for name in ["latency_p50_ms", "latency_mean_ms"] {
        for (bound, code) in [("< 5s", 1), ("<= 5s", 1), ("< 1h", 4), ("> 1ms", 4)] {
            let expect = format!(
                "[milestone.done]\nof = \"shop.buy\"\nwhen = \"answer\"\n\
                 [expect]\n\"done.{name}\" = \"{bound}\"\n"
            );
            let ran = check(folder.path(), &expect, &set);
            assert_eq!(ran.code, Some(code), "{name} {bound}: {}{}", ran.out, ran.error);
        }
    }
}

#[test]
fn an_experiment_that_promises_nothing_does_not_pass() {
    let folder = tempfile::tempdir().unwrap();
    let ran = check(folder.path(), "", &[]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.error);
    assert!(ran.error.contains("this experiment promises nothing"), "{}", ran.error);
    // What must happen is something to check.
    let sometimes = ["--set", "sometimes=[\"effect\"]"];
    let ran = check(folder.path(), "", &sometimes);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.error);
}

/// What must happen has not where nobody was there to whom it could, and a fault not where it had
/// no effect.
#[test]
fn what_must_happen_happens_by_its_effect() {
    let folder = tempfile::tempdir().unwrap();
    let slow = |at: &str| {
        format!(
            "[[faults]]\nkind = \"slow\"\ntarget = \"pay\"\nfactor = 2\nat = \"{at}\"\nfor = \"1s\"\n"
        )
    };
    for (sometimes, faults, code) in [
        ("fault slow", slow("500ms"), 0),
        // Nobody comes any more.
        ("fault slow", slow("2s"), 4),
        ("fault pause", slow("500ms"), 4),
        ("attempt_timed_out", slow("500ms"), 4),
        ("request_failed", slow("500ms"), 4),
    ] {
        let set = format!("sometimes=[\"{sometimes}\"]");
        let ran = check(folder.path(), &faults, &["--set", &set]);
        assert_eq!(ran.code, Some(code), "{sometimes}: {}{}", ran.out, ran.error);
    }
}

#[test]
fn a_violation_weighs_more_than_a_limit() {
    // Every call is repeated, and soon the run reaches its limit.
    let folder = tempfile::tempdir().unwrap();
    let file = names::experiment(folder.path(), "", "");
    let arguments = ["check", path(&file), "--seeds", "1..2", "--set", "limits.events=40"];
    let ran = stormglass(&arguments);
    assert!(ran.out.contains("ended by event-limit"), "{}", ran.out);
    assert!(ran.out.contains("VIOLATION one_charge"), "{}", ran.out);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
    assert!(!ran.out.contains("stopped there"), "there was no other seed: {}", ran.out);
}

/// Every user is charged twice, under every seed.
#[test]
fn what_seeds_break_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let (file, json) =
        (names::experiment(folder.path(), "", ""), folder.path().join("report.json"));
    let count = |seeds: &str| {
        let more = ["--seeds", seeds, "--keep-going", "--json", path(&json)];
        assert_eq!(stormglass(&[&["check", path(&file)][..], &more].concat()).code, Some(1));
        let text = std::fs::read_to_string(&json).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let found = &json["violations"][0];
        assert!(text.ends_with("}\n") && found["kind"] == "invariant", "{text}");
        assert!(!found["again"].as_str().unwrap().contains("--arm"), "there is one: {text}");
        found["count"].as_u64().unwrap()
    };
    assert_eq!((count("1..2"), count("1..4")), (14, 42));
}

#[test]
fn of_many_runs_that_reached_a_limit_the_first_are_named_and_the_others_counted() {
    let folder = tempfile::tempdir().unwrap();
    for (seeds, last, more) in [("1..6", 5, None), ("1..10", 5, Some("        … and 4 more\n"))] {
        let limit = ["--seeds", seeds, "--set", "limits.events=40"];
        let ran = check(folder.path(), "[expect]\nsuccess_ratio = \">= 0%\"\n", &limit);
        assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.error);
        assert_eq!(ran.out.matches("UNKNOWN seed ").count(), last, "{}", ran.out);
        assert_eq!(ran.out.contains(" more\n"), more.is_some(), "{}", ran.out);
        assert!(more.is_none_or(|more| ran.out.contains(more)), "{}", ran.out);
    }
}

#[test]
fn the_digest_is_that_of_the_same_runs() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("report.json");
    let promises = "[invariants]\none_charge = { effect = \"charge\" }\n[arms.a]\n[arms.b]\n\
                    set = { \"provider.pay.latency\" = \"3ms\" }\n";
    assert_eq!(check(folder.path(), promises, &["--json", path(&json)]).code, Some(0));
    let json: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    let (file, out) = (folder.path().join("small.toml"), folder.path().join("out"));
    let ran = stormglass(&["run", path(&file), "--quiet", "--out", path(&out)]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let manifest = std::fs::read_to_string(out.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(json["digest"], manifest["digest"]);
    assert_eq!(json["trace"], manifest["trace"]);
}

#[test]
fn the_target_of_a_failover_is_used() {
    let file = "experiments/promises/primaries.toml";
    let ran = stormglass(&["check", file, "--arm", "correct", "--seeds", "1..11"]);
    assert_eq!((ran.code, ran.error.as_str()), (Some(0), ""), "{}", ran.out);
}

#[test]
fn an_expectation_of_which_no_run_says_anything_is_not_met() {
    let folder = tempfile::tempdir().unwrap();
    let said = |expect: &str| {
        check(folder.path(), expect, &[]);
        let (file, out) = (folder.path().join("small.toml"), folder.path().join("out"));
        let ran = stormglass(&["run", path(&file), "--full", "--out", path(&out)]);
        assert_eq!(ran.code, Some(0), "{}", ran.error);
        ran.out
    };
    let out = said("[expect]\nrecovers = \"within 1s\"\n");
    assert!(out.contains("\nrecovers within 1s: met by 0 of 1 arm, says nothing in 1\n"), "{out}");
    let out = said(
        "[expect]\nlatency_p99_ms = \"< 1h\"\n[arms.short]\n\
                    [arms.long]\nset = { \"clients.c.arrivals\" = { poisson = \"3000/s\" } }\n",
    );
    assert!(out.contains("< 1h: met by 1 of 2 arms, says nothing in 1\n"), "{out}");
}

/// A charge is to be paid back, which never happens, and nobody waits for it.
const PAID_BACK: &str = "[invariants.paid_back]\npromise = \"implies\"\nif = \"effect charge\"\n\
                         then = [\"effect refund\"]\nwithin = \"90s\"\n";

#[test]
fn a_promise_that_was_due_in_no_run_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("report.json");
    let more = ["--json", path(&json), "--set", "drain=\"1s\""];
    let ran = check(folder.path(), PAID_BACK, &more);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.error);
    let last = "not judged: no case of paid_back was due in 3 runs, seeds 1 to 3\n";
    assert!(ran.out.ends_with(last), "{}", ran.out);
    assert!(!ran.out.contains("nothing could have broken"), "{}", ran.out);
    let json: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(json["verdict"], "not-judged");
    // What could not happen weighs more, and both are named.
    let both = format!(
        "{PAID_BACK}[invariants.once]\npromise = \"one_charge\"\n\
                        effect = \"refund\"\n"
    );
    let ran = check(folder.path(), &both, &more);
    let words: Vec<&str> = ran.out.split_whitespace().collect();
    let last = "not exercised: nothing could have broken once, and no case of paid_back was due \
                in 3 runs, seeds 1 to 3";
    assert!(words.join(" ").ends_with(last), "{}", ran.out);
}

#[test]
fn a_percentile_of_too_few_requests_is_not_said_to_have_had_no_chance() {
    let folder = tempfile::tempdir().unwrap();
    let ran = check(folder.path(), "[expect]\nlatency_p999_ms = \"< 1h\"\n", &[]);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.error);
    let words: Vec<&str> = ran.out.split_whitespace().collect();
    assert!(words.join(" ").contains("no run has requests enough to tell it"), "{}", ran.out);
    assert!(!ran.out.contains("nothing could have broken"), "{}", ran.out);
}
