//! What a campaign tells of itself: how many runs there may be, and of what it counts.

use crate::common::Changed;
use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

const MODEL: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
flow = [{ call = "server.serve", policy = "user" }]
[service.server]
workers = 4
[service.server.on.serve]
steps = [{ work = "1ms" }, { reply = "ok" }]
[policy.user]
timeout = "1s"
"#;

const EXPERIMENT: &str = r#"
name = "told"
model = "model.toml"
seeds = "1..3"
arrivals = "2s"
drain = "1s"
[[faults]]
kind = "slow"
target = "server"
factor = 2
at = "1s"
for = "500ms"
[invariants]
retries_bounded = { operation = "server.serve", attempts = 2 }
[compare]
primary = ["latency_mean_ms"]
precision = { amounts = "0.001%" }
[expect]
success_ratio = "> 0.5"
[arms.one]
[arms.two]
[factors.load.low]
[factors.load.high]
set = { "clients.users.arrivals" = { poisson = "40/s" } }
"#;

/// Runs the experiment, and leaves the results in `out`.
fn run(experiment: &str, arguments: &[&str]) -> (TempDir, Output) {
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("model.toml"), MODEL).expect("the model can be written");
    let path = folder.path().join("experiment.toml");
    fs::write(&path, experiment).expect("the experiment can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command
        .arg("run")
        .arg(&path)
        .args(["--full", "--workers", "1", "--out"])
        .arg(folder.path().join("out"));
    let output = command.args(arguments).output().expect("the command runs");
    (folder, output)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn seeds_that_may_be_added_are_told_before() {
    let few = EXPERIMENT.changed("\"0.001%\"", "\"100%\"");
    let said = text(&run(&few, &[]).1);
    let opening = "2 arms × 2 points × 2 seeds (1 to 2) = 8 runs of 2s and 1s to drain\n\
                   at first; up to 960 seeds (3,840 runs) until the precision is reached\n";
    assert!(said.contains(opening), "{said}");
    assert!(said.contains("precision reached with 30 seeds\n"), "{said}");

    let said = text(&run(EXPERIMENT, &["--seeds", "1..2"]).1);
    assert!(!said.contains("at first"), "given seeds stay as they are: {said}");
    assert!(said.contains("precision not reached with 1 seed:\n"), "{said}");

    let cut = text(&run(EXPERIMENT, &["--seeds", "1..3", "--set", "limits.events=50"]).1);
    let unknown = "precision not reached with 2 seeds: no run has a value of what is compared\n";
    assert!(cut.contains(unknown), "a limit ended every run: {cut}");
}

#[test]
fn arms_are_counted_apart_from_arms_at_points() {
    let said = text(&run(EXPERIMENT, &["--seeds", "1..3"]).1);
    assert!(said.contains(": none in 4 of 4 combinations of arms and points\n"), "{said}");
    assert!(said.contains(": met by 4 of 4 combinations of arms and points\n"), "{said}");
    let one_point = EXPERIMENT.split("[factors.load.low]").next().expect("the part before");
    let said = text(&run(one_point, &["--seeds", "1..3"]).1);
    assert!(said.contains(": none in 2 of 2 arms\n"), "{said}");
    assert!(said.contains(": met by 2 of 2 arms\n"), "{said}");
}

#[test]
fn a_run_ends_with_its_tables_its_digest_and_its_files() {
    let few = ["--seeds", "1..3"];
    let (folder, output) = run(EXPERIMENT, &few);
    let (said, out) = (text(&output), folder.path().join("out"));
    let read = |name: &str| fs::read_to_string(out.join(name)).expect(name);
    let manifest: serde_json::Value = serde_json::from_str(&read("manifest.json")).expect("JSON");
    let digest = manifest["digest"].as_str().expect("a digest");
    let (_, files) =
        said.split_once(&format!("\ndigest of all runs: {digest}\n\n")).expect("the digest");
    let mut told: Vec<&str> =
        files.lines().map(|line| line.strip_prefix("wrote ").expect(line)).collect();
    let entries = fs::read_dir(&out).expect("the results").map(|entry| entry.expect("one").path());
    let mut written: Vec<String> = entries.map(|path| path.display().to_string()).collect();
    told.sort_unstable();
    written.sort_unstable();
    assert_eq!(told, written);
    for tables in [&said, &read("tables.md")] {
        for part in ["attempts per request", "low: latency mean, less is better", "no warm-up: "] {
            assert!(tables.contains(part), "{part}\n{tables}");
        }
    }
    assert!(!said.contains("reached a limit"), "{said}");
    let limited = text(&run(EXPERIMENT, &[&few[..], &["--set", "limits.events=100"]].concat()).1);
    let all = "8 of 8 runs reached a limit: see the column `ending` of runs.csv\n";
    assert!(limited.contains(all), "{limited}");
    // Who asks for JSON, or for nothing, gets that and nothing else.
    let json = text(&run(EXPERIMENT, &[&few[..], &["--json"]].concat()).1);
    assert_eq!(json, read("summary.json"));
    assert_eq!(text(&run(EXPERIMENT, &[&few[..], &["--quiet"]].concat()).1), "");
}

/// There was no time with a fault, so nothing can be measured in it.
#[test]
fn a_fault_after_the_end_has_no_goodput() {
    let goodput = |experiment: &str| {
        let (folder, output) = run(experiment, &["--seeds", "1..3"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut reader = csv::Reader::from_path(folder.path().join("out/runs.csv")).unwrap();
        let header = reader.headers().unwrap().clone();
        let names = [
            "goodput_before_per_s",
            "goodput_during_per_s",
            "goodput_after_per_s",
            "goodput_per_s",
        ];
        let place = |name: &str| header.iter().position(|own| own == name).expect(name);
        let row = reader.records().next().expect("a run").unwrap();
        names.map(|name| row[place(name)].is_empty())
    };
    let windows = EXPERIMENT.changed("[[faults]]", "[measure]\nwindow = \"500ms\"\n[[faults]]");
    assert_eq!(goodput(&windows), [false; 4]);
    let empty = goodput(&windows.changed("at = \"1s\"", "at = \"3s\""));
    assert_eq!(empty, [true, true, true, false]);
}

#[test]
fn a_percentile_of_too_few_milestones_is_none() {
    let done = "[milestone.done]\nof = \"server.serve\"\nwhen = \"answer ok\"\n";
    let arms = EXPERIMENT.find("[arms.one]").expect("arms");
    let arm = "[arms.one]\nset = { \"service.server.on.serve.steps\" = [\n\
               { work = \"exp 10ms\" }, { reply = \"ok\" }] }\n";
    let experiment = format!("{}{done}{arm}", &EXPERIMENT[..arms]);
    let experiment = experiment.replace("precision = { amounts = \"0.001%\" }\n", "");
    let few = "done.latency_p99_ms cannot be estimated in 1 arm: all runs together have fewer\n  \
               than 368 requests";
    let p99 = |seeds: &str, arrivals: &str| {
        let experiment = experiment.replace("arrivals = \"2s\"", arrivals);
        let (folder, output) = run(&experiment, &["--seeds", seeds]);
        let summary = fs::read(folder.path().join("out/summary.json")).expect("a summary");
        let summary: serde_json::Value = serde_json::from_slice(&summary).expect("JSON");
        let of_runs = fs::read_to_string(folder.path().join("out/runs.csv")).expect("runs");
        let mut lines = of_runs.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().expect("a header");
        let place = header.iter().position(|name| *name == "done.latency_p99_ms").expect("it");
        let runs: Vec<String> = lines.map(|line| line[place].to_owned()).collect();
        (summary["cells"][0]["metrics"]["done.latency_p99_ms"].clone(), runs, text(&output))
    };
    let (estimate, runs, said) = p99("1..6", "arrivals = \"2s\"");
    assert!(estimate.is_null() && said.contains(few), "{estimate} {said}");
    assert_eq!(runs, [""; 5], "of 40 requests each");
    // Each run has 400, which is too few for a run and enough for all of them together.
    let (estimate, runs, said) = p99("1..31", "arrivals = \"20s\"");
    assert!(!estimate.is_null() && !said.contains("done.latency_p99_ms cannot"), "{said}");
    assert_eq!(runs, [""; 30]);
}

/// Jobs that are answered at once, and done by a worker.
const JOBS: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
flow = [{ call = "server.take" }]
[service.server]
workers = 4
on.take.steps = [{ publish = "jobs" }, { reply = "ok" }]
[queue.jobs]
visibility = "1h"
[service.worker]
workers = 1
takes = "jobs"
steps = [{ work = "1ms" }, { ack = true }]
"#;

/// In the slow arm a third of the jobs is not done when runs end; those that are done by then are
/// the first ones, and took less.
#[test]
fn the_mean_time_of_those_that_reached_a_milestone_is_not_that_of_all() {
    let experiment = r#"
name = "told"
model = "model.toml"
seeds = "1..7"
arrivals = "20s"
measure = { warm_up = "0s" }
milestone.done = { of = "server.take", when = "acknowledged jobs" }
compare.primary = ["done.latency_mean_ms"]
expect."done.latency_mean_ms" = "< 100ms"
[arms.quick]
[arms.slow]
set = { drain = "1s", "service.worker.steps" = [{ work = "80ms" }, { ack = true }] }
"#;
    let of = |experiment: &str| {
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("model.toml"), JOBS).expect("the model can be written");
        let path = folder.path().join("experiment.toml");
        fs::write(&path, experiment).expect("the experiment can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
        command.arg("run").arg(&path).args(["--full", "--out"]).arg(folder.path().join("out"));
        let output = command.output().expect("the command runs");
        let summary = fs::read(folder.path().join("out/summary.json")).expect("a summary");
        (serde_json::from_slice::<serde_json::Value>(&summary).expect("JSON"), text(&output))
    };
    let (summary, said) = of(experiment);
    let mean = |cell: usize| summary["cells"][cell]["metrics"]["done.latency_mean_ms"].clone();
    assert!(!mean(0).is_null() && mean(1).is_null(), "{} {}", mean(0), mean(1));
    let why = "done.latency_mean_ms cannot be told in 1 arm: some requests are unfinished, and a\n  \
               mean is of all\n";
    assert!(said.contains(why), "{said}");
    let pair = &summary["comparison"]["pairs"][0];
    assert_eq!((&pair["verdict"], &pair["missing"]), (&"undecided".into(), &6.into()), "{pair}");
    // It took too long however long the others will take.
    assert!(said.contains(": met by 1 of 2 arms"), "{said}");
    let (summary, said) = of(&experiment.changed("drain = \"1s\", ", ""));
    let mean = &summary["cells"][1]["metrics"]["done.latency_mean_ms"];
    assert!(!mean.is_null() && !said.contains("cannot be told"), "all are done: {said}");
    assert_eq!(summary["comparison"]["pairs"][0]["verdict"], "worse");
}

#[test]
fn a_metric_that_was_called_otherwise_is_found_and_its_new_name_is_told() {
    let old = EXPERIMENT
        .changed(
            "primary = [\"latency_mean_ms\"]\nprecision = { amounts = \"0.001%\" }",
            "primary = [\"old_row_ratio\"]",
        )
        .changed("success_ratio = \"> 0.5\"", "stale_read_ratio = \"<= 1%\"");
    let (folder, output) = run(&old, &[]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    for (old, new) in [
        ("old_row_ratio", "stale_row_ratio"),
        ("stale_read_ratio", "read_your_writes_violation_ratio"),
    ] {
        assert!(told.contains(&format!("`{old}` is called `{new}` now")), "{told}");
    }
    let header = fs::read_to_string(folder.path().join("out/runs.csv")).expect("the runs");
    let columns: Vec<&str> = header.lines().next().unwrap_or_default().split(',').collect();
    assert!(columns.contains(&"stale_row_ratio") && !columns.contains(&"old_row_ratio"));
}
