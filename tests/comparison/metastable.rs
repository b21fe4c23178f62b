//! Labels: known collapses are flagged, healthy runs never, and modes are shown apart.

use stormglass::experiment::campaign::Campaign;
use stormglass::experiment::metastability::Label;
use stormglass::experiment::run::run;
use stormglass::experiment::summary::{METRICS, summarise};
use stormglass::report::arms::arms_tables;

use crate::common::{self, run_all, shipped};

/// R2 of the ground truth, 4.3: 10/s served, a buffer of 100, four attempts of 4 s at once, and an
/// outage.
fn outage(rate: u32, seconds: u32, seeds: &str) -> Campaign {
    let experiment = format!(
        r#"
name = "outage"
model = "inline"
arrivals = "260s"
drain = "20s"
seeds = "{seeds}"
[metastability]
window = "10s"
capacity = "10/s"
[[faults]]
kind = "pause"
target = "server"
at = "30s"
for = "{seconds}s"
"#
    );
    let model = format!(
        r#"
[clients.users]
arrivals = {{ poisson = "{rate}/s" }}
flow = [{{ call = "server.serve", policy = "client" }}]
[service.server]
workers = 1
queue = {{ limit = 99 }}
[service.server.on.serve]
steps = [{{ work = "exp 100ms" }}, {{ reply = "ok" }}]
[policy.client]
timeout = "4s"
retry = {{ attempts = 4, backoff = "none" }}
"#
    );
    common::campaign(&experiment, &model)
}

fn labels(campaign: &Campaign) -> Vec<Option<Label>> {
    run_all(campaign).iter().map(|run| run.label).collect()
}

#[test]
fn known_collapses_are_flagged() {
    // Ground truth 4.3: 400 of 400 at 7/s and 12 s, none at 5/s and 2 s.
    let collapsed = labels(&outage(7, 12, "1..7"));
    assert_eq!(collapsed, vec![Some(Label::Metastable); 6]);
    let came_back = labels(&outage(5, 2, "1..7"));
    assert!(came_back.iter().all(|label| *label != Some(Label::Metastable)), "{came_back:?}");
    let above = labels(&outage(12, 2, "1..3"));
    assert_eq!(above, vec![Some(Label::Overload); 2], "12/s is more than 10/s");
}

#[test]
fn the_reference_collapse_is_flagged() {
    let campaign = shipped("r1", |text| {
        let text = text.replace("seeds = \"1..31\"", "seeds = \"1..3\"");
        format!("{text}\n[metastability]\nwindow = \"1s\"\ncapacity = \"1000/s\"\n")
    });
    assert_eq!(labels(&campaign), vec![Some(Label::Metastable); 2]);
}

#[test]
fn runs_that_collapse_are_shown_apart_from_those_that_do_not() {
    // Ground truth 4.3: 0.535 of the runs at 5/s and 6 s.
    let campaign = outage(5, 6, "1..11");
    let results = run_all(&campaign);
    let summaries = summarise(&campaign, &results);
    let modes = summaries[0].modes.as_ref().expect("some collapse and some do not");
    let collapsed = summaries[0].collapsed.expect("it can be said of all");
    assert_eq!(collapsed.of, 10);
    let success = METRICS.iter().position(|metric| metric.name == "success_ratio").unwrap();
    let mean = |of: &[Option<stormglass::experiment::statistics::Estimate>]| {
        of[success].expect("every run has a success ratio").mean
    };
    assert!(mean(&modes.if_collapsed) < 0.6 && mean(&modes.if_not) > 0.8, "{modes:?}");
    let tables = arms_tables(&campaign, &summaries);
    let text: String = tables.iter().map(|table| table.text(80, false)).collect();
    let row = |start: &str| text.lines().find(|line| line.trim_start().starts_with(start));
    let count = collapsed.count;
    assert!(row(&format!("· {count} of 10 collapsed")).is_some(), "{text}");
    assert!(row("· ").is_some() && text.contains("metastable"), "{text}");
}

/// Runs with a fault too small to matter; `STORMGLASS_HEALTHY_RUNS` says how many, which is 200 of
/// them without it.
#[test]
#[expect(clippy::disallowed_methods, reason = "how many runs is for who asks to say")]
fn no_healthy_run_is_flagged() {
    let asked = std::env::var("STORMGLASS_HEALTHY_RUNS").ok();
    let runs: u64 = asked.map_or(200, |count| count.parse().expect("a number of runs"));
    let experiment = r#"
name = "healthy"
model = "inline"
arrivals = "20s"
drain = "1s"
[metastability]
window = "1s"
for = "3s"
[[faults]]
kind = "slow"
target = "server"
factor = 1.5
at = "5s"
for = "1s"
"#;
    let model = r#"
[clients.users]
arrivals = { poisson = "50/s" }
flow = [{ call = "server.serve", policy = "client" }]
[service.server]
workers = 1
[service.server.on.serve]
steps = [{ work = "exp 10ms" }, { reply = "ok" }]
[policy.client]
timeout = "500ms"
retry = { attempts = 3, backoff = "none" }
"#;
    let campaign = common::campaign(experiment, model);
    let flagged: Vec<u64> = (1..=runs)
        .filter(|seed| {
            let label = run(&campaign.cells[0], 0, *seed).label;
            assert!(label.is_some());
            label == Some(Label::Metastable)
        })
        .collect();
    assert_eq!(flagged, Vec::<u64>::new(), "of {runs} healthy runs");
}
