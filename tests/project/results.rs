//! `docs/results.md` describes what is written: every column and key, and none that is not there.

use std::collections::BTreeSet;

use serde_json::Value;
use stormglass::experiment::compare::answer::{Answer, Open};
use stormglass::experiment::compare::compare;
use stormglass::experiment::measure::summary::{Modes, summarise};
use stormglass::experiment::measure::warm_up::{Settling, pilot};
use stormglass::experiment::run::closer_look::CloserLook;
use stormglass::experiment::search::choose::choosing::Choosing;
use stormglass::experiment::search::found::FoundTurn;
use stormglass::experiment::search::limit::found::limited;
use stormglass::experiment::search::rare::{found as rare_found, levels_of, replication};
use stormglass::experiment::search::searching::Searching;
use stormglass::experiment::search::sensitivity::sensing::Sensing;
use stormglass::fault::FaultKind;
use stormglass::invariant::CATALOGUE;
use stormglass::report::answer::sentences;
use stormglass::report::findings::Findings;
use stormglass::report::outputs::{CampaignSources, Inputs, OUTPUTS};
use stormglass::report::search::limit;
use stormglass::report::{self, attribution, columns, comparison, files, observed, ramp, search};

use super::{sample, source};

type Names = BTreeSet<String>;

/// The names in the tables of one section: rows such as "| `arm` | …" below "## `runs.csv`".
fn described(document: &str, section: &str) -> Names {
    let heading = format!("## {section}");
    let lines = document.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| !line.starts_with("## "));
    let name = |line: &str| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned());
    lines.filter_map(name).collect()
}

fn header(csv: &str) -> Names {
    csv.lines().next().unwrap_or_default().split(',').map(str::to_owned).collect()
}

/// The keys of every object in a value, but not those that are names of the experiment's own.
fn keys(value: &Value, own: &[&str]) -> Names {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, inner)| {
                let inner = match (own.contains(&name.as_str()), inner) {
                    (true, Value::Object(named)) => {
                        named.values().flat_map(|value| keys(value, own)).collect()
                    }
                    _ => keys(inner, own),
                };
                inner.into_iter().chain([name.clone()])
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(|value| keys(value, own)).collect(),
        _ => Names::new(),
    }
}

/// What the sample does not watch, the document would not have to describe.
#[test]
fn the_sample_watches_every_promise_and_the_readme_counts_promises_and_faults() {
    let campaign = sample::campaign(&[]);
    let watched: Names = campaign.cells[0].promises().into_iter().map(str::to_owned).collect();
    let all: Names = CATALOGUE.iter().map(|entry| entry.name.to_owned()).collect();
    assert_eq!(watched, all);
    let kinds = FaultKind::ALL.len();
    for counted in [format!("beside {} promises", all.len()), format!("{kinds} kinds of faults")] {
        assert!(source::read("README.md").contains(&counted), "the README does not say: {counted}");
    }
}

#[test]
fn every_column_and_key_is_described_and_no_other() {
    let document = source::read("docs/results.md");
    // Causes take a run each: two seeds have every column.
    let price = "{ currency = \"EUR\", for.PRICE = { what = \"failed\", amount = 1 } }";
    let observe = "{ nodes = true, incident = { hit = \"api.place_order\" }, \
                   requests = { of = \"api.place_order\" } }";
    let set =
        [("attribution", "{}"), ("seeds", "\"1..3\""), ("price", price), ("observe", observe)];
    let mut campaign = sample::campaign(&set);
    let piloted = Settling::of(&campaign.cells[0], &[pilot(&campaign.cells[0], 1)]);
    campaign.settle_warm_up(&[(0, piloted)]);
    let results = sample::run_all(&campaign);
    let mut summaries = summarise(&campaign, &results);
    // Whether the runs of a cell differ in kind is not for a sample to say.
    summaries[0].modes = Some(Modes {
        if_collapsed: summaries[0].metrics.clone(),
        if_not: summaries[0].metrics.clone(),
    });
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let sources = [("experiments/sample.toml".to_owned(), String::new())];
    let set = ["arrivals=6s".to_owned()];
    let compared = compare(&campaign, &results);
    let manifest = json(&files::manifest_json(&campaign, &results, &compared, &sources, &set));
    let mut answer = Answer::new(&campaign, &results);
    answer.open = Some(Open { other: 0, criterion: Some(0), seeds: Some(9) });
    let sentences = sentences(&campaign, &summaries, &answer);
    let answer = (&answer, sentences.as_slice());
    let summary = json(&files::summary_json(&campaign, (&results, &summaries), &compared, answer));
    let findings = Findings::new(&campaign, &results, &summaries, &compared);
    let look = &CloserLook::new(&campaign, &results, &[]);
    let inputs = Inputs { files: &sources, overrides: &set, complete_model: None };
    let made_of = CampaignSources { findings: &findings, pairs: &[], look, inputs };
    let drawn = OUTPUTS.iter().filter(|it| it.is_picture && (it.make)(&made_of).is_some());
    let written = [
        ("`runs.csv`", header(&files::runs_csv(&campaign, &results))),
        ("`series.csv`", header(&files::series_csv(&campaign, &results))),
        ("`attribution.csv`", header(&attribution::csv(&campaign, &results).unwrap())),
        ("`nodes.csv`", header(&observed::nodes_csv(&campaign, look).unwrap())),
        ("`operations.csv`", header(&observed::operations_csv(&campaign, look).unwrap())),
        ("`incident.csv`", header(&observed::incident_csv(&campaign, &results).unwrap())),
        ("`paths.csv`", header(&observed::paths_csv(&campaign, &results).unwrap())),
        ("`faults.csv`", header(&files::faults_csv(&campaign, &results))),
        ("`pairs.csv`", header(&columns::csv(&comparison::pairs(&campaign, &compared.pairs)))),
        (
            "`summary.json`",
            keys(
                &summary,
                &["beside", "objectives", "metrics", "metrics_if_collapsed", "metrics_if_not"],
            ),
        ),
        ("`manifest.json`", keys(&manifest, &["factors"])),
        ("Figures", drawn.map(|picture| picture.name.to_owned()).collect()),
    ];
    for (section, written) in written {
        assert!(!written.is_empty());
        let described = described(&document, section);
        let missing: Vec<_> = written.difference(&described).collect();
        let invented: Vec<_> = described.difference(&written).collect();
        assert!(missing.is_empty(), "{section}: docs/results.md does not describe {missing:?}");
        assert!(invented.is_empty(), "{section}: docs/results.md describes {invented:?}");
    }
}

/// The metrics of the summary are columns of `runs.csv`, so one table describes both.
#[test]
fn the_metrics_of_the_summary_are_columns() {
    let campaign = sample::campaign(&[]);
    let results = sample::run_all(&campaign);
    let columns = header(&files::runs_csv(&campaign, &results));
    let compared = compare(&campaign, &results);
    let answer = Answer::new(&campaign, &results);
    let summaries = summarise(&campaign, &results);
    let text = files::summary_json(&campaign, (&results, &summaries), &compared, (&answer, &[]));
    let summary: Value = serde_json::from_str(&text).unwrap();
    let metrics = summary["cells"][0]["metrics"].as_object().unwrap();
    assert!(metrics.len() > 10);
    for name in metrics.keys() {
        assert!(columns.contains(name), "{name}");
    }
}

#[test]
fn a_planted_column_is_found() {
    let document = "## `a.csv`\n\n| `x` | one |\n| `y` | two |\n\n## `b.csv`\n\n| `z` | three |\n";
    assert_eq!(described(document, "`a.csv`"), Names::from(["x".to_owned(), "y".to_owned()]));
    assert_eq!(header("x,w\n1,2\n"), Names::from(["x".to_owned(), "w".to_owned()]));
    let value = serde_json::json!({"own": {"name": {"k": 1}}, "list": [{"l": {}}]});
    let names = ["k", "l", "list", "own"].map(str::to_owned);
    assert_eq!(keys(&value, &["own"]), Names::from(names));
}

/// The same of a search.
#[test]
fn every_column_and_key_of_a_search_is_described_and_no_other() {
    let document = source::read("docs/results.md");
    let campaign = sample::exploring("search", SEARCH);
    let mut searching = Searching::new(&campaign).unwrap();
    for _ in 0..2 {
        let numbers = searching.next(&campaign);
        let results: Vec<_> = numbers.into_iter().map(|number| campaign.run(number)).collect();
        searching.take(&results);
    }
    let mut found = searching.found(&campaign);
    let tried = found[0].tried[0];
    // Whether a share turns is not for a sample to say.
    found[0].turn = Some(FoundTurn { from: tried, to: tried });
    let search = campaign.experiment.search.as_ref().unwrap();
    let limited = limited(&campaign, &searching, &found);
    let report = search::Report {
        campaign: &campaign,
        search,
        searching: &searching,
        found: &found,
        limited: &limited,
    };
    let summary: Value = serde_json::from_str(&search::summary_json(&report)).unwrap();
    for (section, written) in [
        ("`search.csv`", header(&search::csv(&report))),
        ("`limit.csv`", header(&limit::csv(&report, &limited))),
        ("`summary.json` of a search", keys(&summary, &[])),
    ] {
        assert_eq!(described(&document, section), written, "{section}");
    }
}

/// The same of what runs round by round.
#[test]
fn every_column_of_a_choice_a_sensitivity_and_a_rare_event_is_described_and_no_other() {
    let document = source::read("docs/results.md");
    let over = "over = { \"service.api.workers\" = [7, 8] }";
    let choose = format!(
        "{{ objective = \"latency_mean_ms\", indifference = 1.0, first = 2, seeds = 2, {over} }}"
    );
    let campaign = sample::exploring("choose", &choose);
    let mut choosing = Choosing::new(&campaign).unwrap();
    let run = |numbers: Vec<usize>| -> Vec<_> {
        numbers.into_iter().map(|number| campaign.run(number)).collect()
    };
    choosing.take(&run(choosing.next(&campaign)));
    let explored = &campaign.experiment.explored;
    let told =
        report::choose::question_report(&campaign, explored.choose.as_ref().unwrap(), &choosing);
    let written = header(&columns::csv(&told.csv.1));
    assert_eq!(described(&document, "`choice.csv`"), written);

    let question =
        format!("{{ outcome = \"latency_mean_ms\", trajectories = 2, seeds = 1, {over} }}");
    let campaign = sample::exploring("sensitivity", &question);
    let mut sensing = Sensing::new(&campaign).unwrap();
    let results: Vec<_> =
        sensing.next(&campaign).into_iter().map(|number| campaign.run(number)).collect();
    sensing.take(&results);
    let sensitivity = campaign.experiment.explored.sensitivity.as_ref().unwrap();
    let sensed = sensing.sensed(&campaign);
    let told = report::sensitivity::question_report(&campaign, sensitivity, &sensed);
    let written = header(&columns::csv(&told.csv.1));
    assert_eq!(described(&document, "`sensitivity.csv`"), written);

    let question = "{ of = \"in api\", reaches = 3, levels = [2], effort = 2 }";
    let campaign = sample::exploring("rare", question);
    let rare = campaign.experiment.explored.rare.as_ref().unwrap();
    let cells = campaign.cells.iter().map(|cell| {
        let (levels, events) = levels_of(rare, cell, 1);
        let replications = (1..3).map(|seed| replication(rare, cell, &levels, seed)).collect();
        rare_found(levels, events, replications)
    });
    let found: Vec<_> = cells.collect();
    let told = report::rare::question_report(&campaign, rare, &found);
    let written = header(&columns::csv(&told.csv.1));
    assert_eq!(described(&document, "`rare.csv`"), written);
}

/// The same of a ramp.
#[test]
fn every_column_of_a_ramp_is_described_and_no_other() {
    let document = source::read("docs/results.md");
    let set = r#"{ clients = "shoppers", from = "1/s", to = "2/s", steps = 2, dwell = "2s" }"#;
    let campaign = sample::campaign(&[("ramp", set)]);
    let ramp = campaign.experiment.ramp.as_ref().unwrap();
    let results = [campaign.run(0)];
    for (section, written) in [
        ("`ramp.csv`", header(&ramp::csv(&campaign, ramp, &results))),
        ("`edges.csv`", header(&ramp::edges_csv(&campaign, ramp, &results))),
    ] {
        assert_eq!(described(&document, section), written, "{section}");
    }
}

/// A search of the sample, in which it does not matter what is found.
const SEARCH: &str = r#"{ vary = "faults.0.for", from = "1s", until = "2s", steps = 1, sweep = 2,
    seeds = 10, outcome = "one_charge_violated",
    mean_field = { rate = "service.api.workers", line = "service.api.queue.limit",
                   timeout = "policy.resilience.timeout", attempts = "service.api.instances" } }"#;
