//! `starts_at`: faults that begin at a time of the day.

use std::fs;
use std::path::Path;

use super::super::check::{Ran, path, stormglass};
use tempfile::TempDir;

const MODEL: &str = r#"
[clients.users]
arrivals = { constant = "2/s" }
flow = [{ call = "bank.charge" }]
[provider.bank]
concurrency = 10
latency = "10ms"
"#;

/// Runs an experiment of twelve minutes whose faults are these.
fn run(folder: &Path, faults: &str) -> Ran {
    fs::write(folder.join("model.toml"), MODEL).unwrap();
    let file = folder.join("noon.toml");
    let text = "name = \"noon\"\nmodel = \"model.toml\"\nseeds = \"1..2\"\narrivals = \"12min\"\n";
    fs::write(&file, format!("{text}{faults}")).unwrap();
    let out = folder.join("out");
    stormglass(&["run", path(&file), "--out", path(&out), "--quiet"])
}

/// From when until when each fault was there, in seconds.
fn faults(folder: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(folder.join("out/faults.csv")).unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[8].to_owned(), fields[9].to_owned())
    };
    text.lines().skip(1).map(row).collect()
}

#[test]
fn a_fault_begins_at_a_time_of_the_day() {
    let folder = TempDir::new().unwrap();
    let ran = run(
        folder.path(),
        r#"
        starts_at = "23:55"
        faults = [
            { kind = "slow", target = "bank", factor = 2, at = "23:57:30", for = "10s" },
            { kind = "slow", target = "bank", factor = 2, at = "00:05", for = "10s" },
            { kind = "slow", target = "bank", factor = 2, at = "3min", for = "10s" },
        ]
        "#,
    );
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let expected = [("150", "160"), ("600", "610"), ("180", "190")];
    let expected = expected.map(|(from, until)| (from.to_owned(), until.to_owned()));
    assert_eq!(faults(folder.path()), expected);

    let file = folder.path().join("noon.toml");
    let plan = stormglass(&["plan", path(&file), "--full"]).out;
    assert!(plan.contains("fault 1, 23:57:30 to 23:57:40"), "{plan}");
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    for told in ["fault 2, 00:05 to 00:05:10", "23:57:30 to 23:57:40: "] {
        assert!(page.contains(told), "{told}");
    }
}

#[test]
fn drawn_faults_stay_between_times_of_the_day() {
    let folder = TempDir::new().unwrap();
    let ran = run(
        folder.path(),
        r#"
        starts_at = "12:00"
        [random_faults]
        from = "12:02"
        until = "12:04"
        kinds.slow = { strikes = "10/min", for = "5s", factor = [2, 3] }
        "#,
    );
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let drawn = faults(folder.path());
    assert!(!drawn.is_empty());
    for (from, until) in drawn {
        let [from, until] = [from, until].map(|text| text.parse::<f64>().unwrap());
        assert!(120.0 <= from && until <= 240.0, "{from} to {until}");
    }
}

#[test]
fn a_time_of_the_day_needs_to_know_when_it_begins() {
    let folder = TempDir::new().unwrap();
    let fault = "[[faults]]\nkind = \"slow\"\ntarget = \"bank\"\nfactor = 2\nat = \"12:02\"\n";
    let ran = run(folder.path(), &format!("{fault}for = \"1s\"\n"));
    assert_eq!(ran.code, Some(2), "{}", ran.out);
    let told = "does not say at which time of the day it begins";
    assert!(ran.error.contains(told) && ran.error.contains("at = \"12:02\""), "{}", ran.error);
    assert!(ran.error.matches("error:").count() == 1, "said once: {}", ran.error);
    let ran = run(folder.path(), "starts_at = \"25:00\"\n");
    assert!(ran.error.contains("a time of the day"), "{}", ran.error);
    assert_eq!(ran.code, Some(2));
}
