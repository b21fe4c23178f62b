//! What `check` says, writes and returns.

use std::path::Path;

use serde_json::Value;

use super::{CANARY, path, root, stormglass, with_environment};

#[test]
fn a_violation_is_one_paragraph_that_fits_a_terminal() {
    let ran = stormglass(&["check", CANARY, "--workers", "1"]);
    assert_eq!((ran.code, ran.error.as_str()), (Some(1), ""));
    let two = stormglass(&["check", CANARY, "--workers", "2"]);
    assert_eq!(two.out, ran.out, "what is reported does not depend on the workers");
    for line in ran.out.lines().filter(|line| !line.contains(": stormglass ")) {
        let is_command =
            line.trim_start().starts_with("again:") || line.trim_start().starts_with("smaller:");
        assert!(is_command || line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!(ran.out.replace(path(root()), "ROOT"));
}

#[test]
fn seeds_are_counted_when_it_keeps_going() {
    let check = ["check", CANARY, "--seeds", "1..21", "--arm", "two_writes", "--keep-going"];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/report.json");
    let ran = stormglass(&[&check[..], &["--json", path(&file)]].concat());
    assert_eq!(ran.code, Some(1), "{}", ran.error);
    let json: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(json["verdict"], "violation");
    assert_eq!(json["seeds"], 20);
    let violations = json["violations"].as_array().unwrap();
    assert_eq!(violations.len(), 1, "all seeds are one entry");
    let seeds = violations[0]["seeds"].as_u64().unwrap();
    assert!(seeds > 1, "{violations:?}");
    assert!(ran.out.contains(&format!("{seeds} of 20 seeds")), "{}", ran.out);
    // The line that is printed shows it again.
    let again = violations[0]["again"].as_str().unwrap();
    let words: Vec<&str> = again.split(' ').skip(1).collect();
    let ran = stormglass(&words);
    let seed = violations[0]["seed"].as_u64().unwrap();
    assert!(ran.out.contains(&format!("first under seed {seed}")), "{}", ran.out);
}

#[test]
fn each_verdict_has_its_code() {
    let few = ["check", CANARY, "--seeds", "1..3", "--arm", "queue_in_memory"];
    let code = |more: &[&str]| {
        let ran = stormglass(&[&few[..], more].concat());
        (ran.code, ran.out, ran.error)
    };
    let set = |text: &'static str| ["--set", text];
    let (passed, out, error) = code(&set("sometimes=[]"));
    assert_eq!(passed, Some(0), "{out}{error}");
    assert!(out.ends_with("\npass: no promise was broken in 2 runs, seeds 1 to 2\n"), "{out}");
    let (unmet, out, _) =
        code(&["--set", "sometimes=[]", "--set", "expect={ latency_p50_ms = \"< 1ms\" }"]);
    assert_eq!(unmet, Some(1), "{out}");
    assert!(out.contains("VIOLATION latency_p50_ms < 1ms"), "{out}");
    let (input, _, error) = code(&set("expect={ succes_ratio = \">= 100%\" }"));
    assert_eq!(input, Some(2));
    assert!(error.contains("did you mean `success_ratio`?"), "{error}");
    let (limit, out, _) = code(&set("limits.events=1000"));
    assert_eq!(limit, Some(3), "{out}");
    assert!(out.contains("UNKNOWN seed 1 in arm queue_in_memory ended by event-limit"), "{out}");
    let (never, out, _) = code(&set("sometimes=[\"fault clock_skew\"]"));
    assert_eq!(never, Some(4), "{out}");
    assert!(out.contains("NEVER `fault clock_skew` never happened in 2 runs"), "{out}");
    let (machine, _, error) = code(&["--json", "/dev/null/report.json"]);
    assert_eq!(machine, Some(5), "{error}");
    let (unknown, _, error) = code(&["--point", "load=high"]);
    assert_eq!(unknown, Some(2), "{error}");
}

#[test]
fn junit_names_every_promise() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("junit.xml");
    let ran = stormglass(&[
        "check",
        CANARY,
        "--keep-going",
        "--seeds",
        "1..4",
        "--set",
        "expect={ latency_p99_ms = \"< 1h\" }",
        "--junit",
        path(&file),
    ]);
    assert_eq!(ran.code, Some(1), "{}", ran.error);
    let text = std::fs::read_to_string(&file).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    let named = |name: &'static str| {
        document.descendants().filter(move |node| node.has_tag_name(name)).collect::<Vec<_>>()
    };
    let suite = named("testsuite")[0];
    // Three invariants and an expectation in three arms, and four things that must happen.
    assert_eq!(suite.attribute("tests"), Some("16"));
    assert_eq!(named("testcase").len(), 16);
    assert_eq!(suite.attribute("failures"), Some(named("failure").len().to_string().as_str()));
    let broken = named("failure")[0].parent().unwrap();
    assert_eq!(broken.attribute("classname"), Some("canary.no_key"));
    assert_eq!(broken.attribute("name"), Some("one_charge"));
    assert!(named("failure")[0].text().unwrap().contains("again: stormglass check"));
}

#[test]
fn github_is_told_where_and_what() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    std::fs::write(&summary, "before\n").unwrap();
    let environment =
        [("GITHUB_ACTIONS", Path::new("true")), ("GITHUB_STEP_SUMMARY", summary.as_path())];
    let arguments = ["check", CANARY, "--arm", "two_writes", "--seeds", "1..3"];
    let ran = with_environment(&arguments, &environment);
    assert_eq!(ran.code, Some(1));
    let annotation = ran.out.lines().find(|line| line.starts_with("::error ")).expect("one");
    assert!(annotation.contains("file=experiments/canary.toml,title=paid_has_payment in arm "));
    assert!(annotation.contains("%0Aagain: stormglass check"), "{annotation}");
    let written = std::fs::read_to_string(&summary).unwrap();
    assert!(written.starts_with("before\n### stormglass check: canary\n"), "{written}");
    assert!(written.contains("| paid_has_payment | two_writes |"), "{written}");
}

#[test]
fn a_summary_that_cannot_be_written_is_an_error_of_the_machine_and_none_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("missing").join("summary.md");
    let check = |summary: &Path| {
        let arguments = ["check", CANARY, "--arm", "no_key", "--seeds", "1..2"];
        with_environment(&arguments, &[("GITHUB_STEP_SUMMARY", summary)])
    };
    let (none, missing) = (check(Path::new("")), check(&summary));
    assert!(!none.error.contains("summary"), "an empty name is no file: {}", none.error);
    assert_eq!(missing.code, Some(5), "{}", missing.error);
    assert!(missing.error.contains("cannot add to the summary in"), "{}", missing.error);
}

#[test]
fn a_step_of_github_and_junit_have_every_promise_of_every_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let told = |more: &[&str]| {
        let (summary, junit) = (folder.path().join("summary.md"), folder.path().join("junit.xml"));
        std::fs::write(&summary, "").unwrap();
        let environment =
            [("GITHUB_ACTIONS", Path::new("true")), ("GITHUB_STEP_SUMMARY", summary.as_path())];
        let check = ["check", CANARY, "--seeds", "1..4", "--keep-going", "--junit", path(&junit)];
        let ran = with_environment(&[&check[..], more].concat(), &environment);
        let annotations: Vec<&str> = ran.out.lines().filter(|it| it.starts_with("::")).collect();
        let read = |file: &Path| std::fs::read_to_string(file).unwrap();
        let texts = [annotations.join("\n"), read(&summary), read(&junit)];
        texts.join("\n").replace(path(root()), "ROOT").replace(path(folder.path()), "FOLDER")
    };
    let never = "sometimes=[\"fault clock_skew\"]";
    insta::assert_snapshot!("violations", told(&["--arm", "two_writes"]));
    insta::assert_snapshot!("never", told(&["--arm", "queue_in_memory", "--set", never]));
    insta::assert_snapshot!("limits", told(&["--arm", "no_key", "--set", "limits.events=1000"]));
}
