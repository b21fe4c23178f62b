//! What presets retry, against what the libraries did that were run after each outcome
//! (`tests/data/retried`), and the table of it in docs/policy.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use stormglass::kernel::time::Span;
use stormglass::model::presets::{self, Label, Preset, Retried};
use stormglass::policy::{Outcome, Response};

/// What the one vocabulary cannot say: by file and outcome, with the reason.
const COARSER: [(&str, &str, &str); 1] = [(
    "botocore-standard-2.0",
    "429",
    "a throttling error with an error code of AWS is retried, a bare 429 is not; both are `throttled`",
)];

fn files() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/retried");
    let paths =
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    paths.sort();
    let read = |path: &Path| {
        let text = fs::read_to_string(path).expect("it can be read");
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).expect("it is JSON"))
    };
    paths.iter().map(|path| read(path)).collect()
}

/// The response of a case: an outcome by name or HTTP status, perhaps with a Retry-After.
fn response(case: &Value) -> (String, Response) {
    let name = case["outcome"].as_str().map_or_else(|| case["outcome"].to_string(), str::to_owned);
    let outcome = Outcome::named(&name).expect(&name);
    let response = Response::new(outcome);
    match case["hint"].as_bool() {
        Some(true) => (format!("{name} with a Retry-After"), response.after(Span::from_secs(1))),
        _ => (name, response),
    }
}

#[test]
fn presets_retry_what_their_libraries_retried() {
    let mut differing = Vec::new();
    let mut checked = 0;
    for (file, vectors) in files() {
        for name in vectors["presets"].as_array().expect("presets") {
            let name = name.as_str().expect("a name");
            let preset = presets::named(name).expect(name);
            let says = preset.retried == Retried::Tested(file.clone());
            assert!(says, "{name} says where it was tested");
            let retry = preset.policy.retry.expect("it retries");
            for case in vectors["cases"].as_array().expect("cases") {
                let (outcome, response) = response(case);
                let expected = case["retried"].as_bool().expect("whether it was retried");
                if COARSER
                    .iter()
                    .any(|&(of, what, _)| (of, what) == (file.as_str(), outcome.as_str()))
                {
                    continue;
                }
                checked += 1;
                if retry.retries(response) != expected {
                    differing.push(format!("{name} after {outcome}: the library says {expected}"));
                }
            }
        }
    }
    assert!(checked > 300, "{checked} cases");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn every_file_and_every_tested_preset_is_of_the_other() {
    let of_files: BTreeSet<String> = files().into_iter().map(|(name, _)| name).collect();
    let tested = presets::all().filter_map(|preset| match preset.retried {
        Retried::Tested(file) => Some(file),
        _ => None,
    });
    assert_eq!(tested.collect::<BTreeSet<_>>(), of_files);
}

/// Nobody retries what is right, nor says that he retries nothing and does.
#[test]
fn every_preset_says_how_it_is_known_what_it_retries() {
    for preset in presets::all() {
        let retries = preset.policy.retry.is_some() || preset.policy.hedge.is_some();
        assert_eq!(
            retries,
            preset.retried != Retried::Nothing,
            "{}@{}",
            preset.name,
            preset.version
        );
        assert!(!preset.retried_outcomes().contains(Outcome::Ok), "{}", preset.name);
    }
}

/// A row of the table in docs/policy.md.
fn row(preset: &Preset) -> String {
    let retry = preset.policy.retry;
    let retried = match preset.retried_outcomes().names() {
        names if names.is_empty() => "–".to_owned(),
        names => names.join(", "),
    };
    let with_hint = retry.map(|retry| retry.on_hint.names().join(", ")).unwrap_or_default();
    let with_hint = if with_hint.is_empty() {
        String::new()
    } else {
        format!("; with Retry-After {with_hint}")
    };
    let how = match &preset.retried {
        Retried::Nothing => String::new(),
        Retried::Tested(file) => {
            format!("tested ([{file}](../tests/data/retried/{file}.json))")
        }
        Retried::Read(source) => format!("read: {source}"),
        Retried::Chosen(what) => format!("chosen: {what}"),
    };
    let numbers = match preset.label {
        Label::ConformanceTested => "replayed",
        Label::SourceDerived => "read",
        Label::Published => "published",
    };
    format!(
        "| `{}@{}` | {}: {numbers} | {retried}{with_hint} | {how} |",
        preset.name,
        preset.version,
        preset.parts().join(", ")
    )
}

#[test]
fn the_table_in_the_documentation_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy.md");
    let text = fs::read_to_string(path).expect("docs/policy.md");
    let rows: Vec<String> = presets::all().map(|preset| row(&preset)).collect();
    let missing: Vec<&String> = rows.iter().filter(|row| !text.contains(row.as_str())).collect();
    let names_a_preset =
        |line: &&str| line.starts_with("| `") && line.split('`').nth(1).unwrap_or("").contains('@');
    let there = text.lines().filter(names_a_preset).count();
    let table = rows.join("\n");
    assert!(missing.is_empty() && there == rows.len(), "docs/policy.md must have:\n{table}");
}

/// A payment service whose provider answers late, or fails after it has paid.
fn payouts(policy: &str, provider: &str) -> (u64, u64, u64) {
    let model = format!(
        r#"
[clients.users]
arrivals = {{ constant = "50/s" }}
flow = [{{ call = "gateway.payout" }}]

[service.gateway]
workers = 1000
on.payout.steps = [{{ call = "bank.payout", policy = "p" }}, {{ reply = "ok" }}]

[provider.bank]
concurrency = 1000
effects = ["payout"]
{provider}

[policy.p]
{policy}
"#
    );
    let experiment = "name = \"payouts\"\nmodel = \"inline\"\narrivals = \"20s\"\ndrain = \"60s\"\n\
                      seeds = \"1..2\"\n[invariants]\none_charge = { effect = \"payout\" }\n";
    let run = crate::common::runs(experiment, &model).remove(0);
    let at_bank = run.metrics.edges.iter().map(|edge| edge.attempts).max().unwrap_or_default();
    (run.metrics.requests, at_bank, run.invariants[0].violations)
}

#[test]
fn what_perhaps_was_done_is_repeated_only_by_who_repeats_it() {
    let slow = "latency = \"lognormal 700ms sigma 0.8\"";
    let axios = payouts("preset = \"axios-retry@4.5\"\ntimeout = \"2s\"", slow);
    assert_eq!((axios.1, axios.2), (axios.0, 0), "it does not repeat a timeout");
    assert!(payouts("preset = \"stripe@16.1\"\ntimeout = \"2s\"", slow).2 > 10, "stripe does");

    let failing = |status: &str| {
        format!("latency = \"exp 20ms\"\nerrors_after = \"2%\"\nerror_status = {status}")
    };
    for status in ["500", "503", "\"reset\""] {
        let istio = payouts("preset = \"istio@default\"", &failing(status));
        assert_eq!((istio.1, istio.2), (istio.0, 0), "{status} came from the application");
    }
    assert!(payouts("preset = \"istio@default\"", &failing("\"UNAVAILABLE\"")).2 > 10);
    assert!(payouts("preset = \"istio@before-1.24\"", &failing("503")).2 > 10, "issue 50506");
    assert_eq!(payouts("preset = \"istio@before-1.24\"", &failing("500")).2, 0);
    assert!(payouts("preset = \"envoy@code\"\ntimeout = \"1s\"", &failing("\"reset\"")).2 > 10);

    let wrong = "latency = \"1ms\"\nerrors_before = \"10%\"\nerror_status = 404";
    let urllib3 = payouts("preset = \"urllib3@2.8\"", wrong);
    assert_eq!(urllib3.1, urllib3.0, "no answer is retried");
    let limited =
        "latency = \"1ms\"\nrate_limit = { rate = \"40/s\", burst = 1, retry_after = \"1s\" }";
    let hinted = payouts("preset = \"urllib3@2.8\"", limited);
    assert!(hinted.1 > hinted.0, "but a 429 with a Retry-After is");
    let unhinted = payouts(
        "preset = \"urllib3@2.8\"",
        "latency = \"1ms\"\nrate_limit = { rate = \"40/s\", burst = 1 }",
    );
    assert_eq!(unhinted.1, unhinted.0);
}
