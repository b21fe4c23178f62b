//! `report.html`: it says what `summary.json` says, asks nothing of any network, and no name of an
//! experiment acts on it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use stormglass::experiment::run::closer_look::CloserLook;
use stormglass::report::number::{self, Unit};
use tempfile::TempDir;

use crate::common::{self, Changed, run_all};

/// Orders that a worker charges behind an outbox or that are charged at once, and a bank that for
/// ten seconds fails half of its calls, some of them after the charge.
const MODEL: &str = r#"
[clients.users]
arrivals = { poisson = "40/s" }
flow = [{ call = "shop.buy", policy = "user" }]
[service.shop]
workers = 50
[service.shop.on.buy]
steps = [
    { transaction = "orders", write = ["order = placed"] },
    { call = "bank.charge", policy = "again" },
    { transaction = "orders", write = ["order = paid"] },
    { reply = "ok" },
]
[database.orders]
connections = 8
commit = "1ms"
read = "1ms"
flush = "each_commit"
tables = { order = {} }
[provider.bank]
effects = ["charge"]
concurrency = 50
latency = "10ms"
[policy.user]
timeout = "5s"
[policy.again]
timeout = "1s"
"#;

const EXPERIMENT: &str = r#"
name = "half-failed"
title = "A bank that fails half of its calls"
question = "Who is charged twice?"
model = "model.toml"
seeds = "1..7"
arrivals = "40s"
[measure]
load = "bank.charge"
milestone = "paid"
[milestone.paid]
of = "shop.buy"
when = "orders.order = paid"
within = "2s"
[[faults]]
kind = "errors"
target = "bank"
share = "50%"
after_effect = "50%"
at = "15s"
for = "10s"
[invariants]
one_charge = { effect = "charge" }
[arms.never]
label = "give up"
[arms.again]
label = "ask again"
set = { "policy.again.retry" = { attempts = 4 } }
"#;

/// The results of a run, and what it printed.
fn run(experiment: &str, model: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("model.toml"), model).expect("the model");
    std::fs::write(folder.path().join("experiment.toml"), experiment).expect("the experiment");
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.current_dir(folder.path()).args(["run", "experiment.toml", "--out", "out"]);
    let output = command.env("COLUMNS", "100").output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    (folder, String::from_utf8(output.stdout).expect("text"))
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join("out").join(name)).expect(name)
}

/// The texts of the cells of every row of every table, as a browser shows them.
fn rows(page: &str) -> Vec<Vec<String>> {
    let rows = page.split("<tr").skip(1).map(|row| row.split("</tr>").next().unwrap_or_default());
    rows.map(|row| {
        let cells = row.split("<t").skip(1).filter(|cell| cell.starts_with(['d', 'h']));
        cells.map(|cell| shown(&format!("<t{cell}"))).collect()
    })
    .collect()
}

/// What is left of HTML without its tags, its blanks put together.
fn shown(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<').skip(1) {
        text.push_str(part.split_once('>').map_or("", |(_, text)| text));
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&#x27;", "'");
    text.replace("&amp;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn estimate(value: &Value, scale: f64, unit: Unit) -> String {
    let of = |key: &str| value[key].as_f64().expect(key) * scale;
    number::interval(of("mean"), of("low"), of("high"), unit)
}

#[test]
fn every_number_is_that_of_summary_json_to_the_printed_digit() {
    let (folder, printed) = run(EXPERIMENT, MODEL);
    let page = read(folder.path(), "report.html");
    let summary: Value = serde_json::from_str(&read(folder.path(), "summary.json")).unwrap();
    let rows = rows(&page);
    let has = |name: &str, cells: &[String]| {
        rows.iter().any(|row| {
            row.first().is_some_and(|first| first.starts_with(name))
                && cells.iter().all(|cell| row[1..].contains(cell))
        })
    };
    let cells = summary["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2);
    for cell in cells {
        let (name, metrics) = (cell["arm_label"].as_str().unwrap(), &cell["metrics"]);
        let waits = [
            estimate(&metrics["latency_p50_ms"], 1e-3, Unit::Seconds),
            estimate(&metrics["success_ratio"], 1.0, Unit::Percent),
        ];
        assert!(has(name, &waits), "{name}: {waits:?} in {rows:#?}");
        let replies = [estimate(&metrics["reply.success_ratio"], 1.0, Unit::Percent)];
        assert!(has(name, &replies), "{name}: {replies:?} in {rows:#?}");
        let promise = &cell["invariants"][0];
        let broken = match promise["violations"].as_u64().unwrap() {
            0 => "0 of 6 runs (<40%)".to_owned(),
            _ => format!("broken: {}", estimate(&promise["per_run"], 1.0, Unit::Plain)),
        };
        assert!(has(name, std::slice::from_ref(&broken)), "{name}: {broken} in {rows:#?}");
    }
    let text = shown(&page);
    let sentences = summary["answer"]["sentences"].as_array().unwrap();
    assert!(sentences.len() >= 2);
    let flat = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in sentences {
        let sentence = sentence.as_str().unwrap();
        assert!(text.contains(sentence), "{sentence}");
        assert!(flat.contains(sentence), "{sentence}");
    }
}

#[test]
fn a_promise_that_was_broken_has_a_story_that_its_count_leads_to() {
    let (folder, _) = run(EXPERIMENT, MODEL);
    let page = read(folder.path(), "report.html");
    assert!(page.contains("class=\"broken\"><a href=\"#story-1\">"), "no link to the story");
    let story = page.split("id=\"story-1\"").nth(1).expect("the story");
    let story = shown(story.split("</article>").next().unwrap_or_default());
    for told in
        ["charge happens: it cannot be undone", "charge happens again: 2 times now", "--arm again"]
    {
        assert!(story.contains(told), "{told}: {story}");
    }
    assert!(!page.contains("id=\"story-2\""), "one promise was broken in one arm");
}

#[test]
fn a_story_is_told_without_the_faults_and_users_that_it_does_not_need() {
    let slow = "[[faults]]\nkind = \"slow\"\ntarget = \"bank\"\nfactor = 2\nat = \"15s\"\n";
    let two = EXPERIMENT.changed("[invariants]", &format!("{slow}for = \"10s\"\n[invariants]"));
    let (folder, _) = run(&two, MODEL);
    let page = read(folder.path(), "report.html");
    let story = page.split("id=\"story-1\"").nth(1).expect("the story");
    let story = shown(story.split("</article>").next().unwrap_or_default());
    let left = "Shown with 1 of 2 faults and 1 user, which is enough for it.";
    assert!(story.contains(left), "{story}");
    let command = story.split("stormglass minimize").nth(1).expect("how to get it as a file");
    assert!(command.contains("--seed 1 --invariant one_charge --arm again"), "{command}");
}

#[test]
fn it_asks_nothing_of_any_network_and_has_what_it_needs() {
    let (folder, _) = run(EXPERIMENT, MODEL);
    let page = read(folder.path(), "report.html");
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
    assert!(page.contains(policy), "browsers are not told to ask nothing");
    for asked in [" src=", "@import", "url(http", "<iframe", "<object", "fetch("] {
        assert!(!page.contains(asked), "{asked}");
    }
    for (index, link) in page.split("<link").enumerate().skip(1) {
        assert!(link.starts_with(" rel=\"icon\" href=\"data:,\">"), "link {index}");
    }
    // What stands there without script.
    let still = page.split("<noscript>").nth(1).expect("pictures without script");
    assert!(still.matches("<polyline").count() >= 4, "{still}");
    assert!(page.len() < 500_000, "{}", page.len());
}

#[test]
fn no_name_of_an_experiment_acts_on_the_page() {
    let hostile = r#"</script><script>alert(1)</script><b a="'&"#;
    let named = EXPERIMENT
        .changed("label = \"ask again\"", &format!("label = '''{hostile}'''"))
        .changed("title = \"A bank", "title = \"<img src=x onerror=alert(2)> A bank")
        .changed(
            "one_charge = { effect = \"charge\" }",
            &format!("one_charge = {{ effect = \"charge\", label = '''{hostile}''' }}"),
        );
    let (folder, _) = run(&named, MODEL);
    let page = read(folder.path(), "report.html");
    assert!(!page.contains("<script>alert"), "a label became a script");
    assert!(!page.contains("<img"), "a title became a picture");
    assert!(!page.contains("<b a="), "a label became a tag");
    assert_eq!(page.matches("<script").count(), 4, "the page's, data, uPlot, the charts'");
    let data = page.split("id=\"timeline-data\">").nth(1).expect("data");
    let data: Value = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    let names: Vec<&str> =
        data["cells"].as_array().unwrap().iter().filter_map(|cell| cell["name"].as_str()).collect();
    assert!(names.contains(&hostile), "the charts name it as it is: {names:?}");
}

/// The lines over time count what the run counted: nothing is lost between windows.
#[test]
fn the_windows_of_the_run_that_is_looked_at_add_up_to_what_it_counted() {
    let campaign = common::campaign(EXPERIMENT, MODEL);
    let results = run_all(&campaign);
    let look = CloserLook::new(&campaign, &results, &[0, 1]);
    assert_eq!((look.seed, look.seen.len()), (1, 2));
    let mut failed = 0;
    for seen in &look.seen {
        let metrics = &campaign.runs_of(&results, seen.cell)[0].metrics;
        for (&(edge, outcome), counts) in &seen.timeline.failed {
            let counted = metrics.edges[usize::from(edge.0)].outcomes.of(outcome);
            assert_eq!(counts.iter().sum::<u64>(), counted, "{edge:?} {outcome:?}");
            failed += counted;
        }
        let progress = &metrics.milestones[0];
        let missed: u64 = seen.timeline.missed[0].values().sum();
        assert_eq!(missed, progress.failed, "requests that were not paid in time");
    }
    assert!(failed > 50, "{failed} attempts failed");
}

/// What policies remember at the end of each window: a breaker that opens in the fault and closes
/// after it, and a budget that is spent.
#[test]
fn breakers_and_budgets_are_shown_window_by_window() {
    let remembers = EXPERIMENT.changed(
        "set = { \"policy.again.retry\" = { attempts = 4 } }",
        "[arms.again.set]\n\
         \"policy.again.retry\" = { attempts = 4, budget = { ratio = 0.1 } }\n\
         \"policy.again.breaker\" = { consecutive = 5, open_for = \"2s\" }\n",
    );
    let campaign = common::campaign(&remembers, MODEL);
    let results = run_all(&campaign);
    let look = CloserLook::new(&campaign, &results, &[0, 1]);
    assert!(look.seen[0].timeline.breakers.is_empty(), "nothing to see of an arm without one");
    let timeline = &look.seen[1].timeline;
    let breakers = timeline.breakers.values().next().expect("one edge has a breaker");
    let open = |from: usize, to: usize| breakers[from..to].iter().map(|it| it.open).sum::<u32>();
    let windows = breakers.len();
    assert!(windows >= 35, "a window is a second: {windows}");
    assert_eq!((open(0, 14), open(29, windows)), (0, 0), "closed before and after: {breakers:?}");
    assert!(open(15, 25) >= 3, "open in the fault: {breakers:?}");
    let tokens = timeline.tokens.values().next().expect("one edge has a budget");
    let least = |from: usize, to: usize| tokens[from..to].iter().copied().fold(1e9, f64::min);
    assert!(least(15, 25) < least(5, 14), "spent in the fault: {tokens:?}");

    let (folder, _) = run(&remembers, MODEL);
    let page = read(folder.path(), "report.html");
    for title in ["circuit breakers that are not closed", "tokens left in retry budgets"] {
        assert!(page.contains(title), "{title}");
    }
}
