//! The contract of `docs/determinism.md`: same files, same seed, same digest, in every process, in
//! debug and release, with any number of workers.

use std::path::Path;
use std::process::Command;

use crate::common::{Changed, run_all, shipped};
use stormglass::experiment::plan::campaign::Campaign;

/// The brownout of the shipped experiment, over in a few seconds.
fn short_brownout() -> Campaign {
    shipped("payment-brownout", |text| {
        text.changed("arrivals = \"103s\"", "arrivals = \"5s\"")
            .changed("at = \"30s\"", "at = \"2s\"")
            .changed("for = \"20s\"", "for = \"2s\"")
            .changed("seeds = \"1..31\"", "seeds = \"1..3\"")
    })
}

#[test]
fn a_run_repeats_itself_in_one_process() {
    let campaign = short_brownout();
    let (once, again) = (run_all(&campaign), run_all(&campaign));
    assert_eq!(once, again);
    let distinct: std::collections::BTreeSet<_> = once.iter().map(|run| run.digest).collect();
    assert!(distinct.len() > once.len() / 2, "digests tell runs apart");
}

/// Pinned digests hold in debug and in release, on every platform: whoever changes what a seed
/// means changes them on purpose, with a new trace version in `system::trace::TRACE`.
#[test]
fn digests_are_pinned() {
    let runs = run_all(&short_brownout());
    let mut lines: Vec<String> =
        runs.iter().map(|run| format!("{:2} {} {}", run.cell, run.seed, run.digest)).collect();
    let r1 = shipped("r1", |text| text.changed("seeds = \"1..31\"", "seeds = \"1..3\""));
    lines.extend(run_all(&r1).iter().map(|run| format!("r1 {} {}", run.seed, run.digest)));
    insta::assert_snapshot!(lines.join("\n"));
}

/// Runs the program in a folder of its own and returns every file that it wrote.
fn files_of(workers: &str, out: &Path) -> Vec<(String, Vec<u8>)> {
    let run = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "experiments/payment-brownout.toml", "--quiet", "--seeds", "4..6"])
        .args(["--set", "arrivals=4s", "--set", "faults.0.at=1s", "--set", "faults.1.at=1s"])
        .args(["--set", "faults.0.for=2s", "--set", "faults.1.for=2s"])
        .args(["--workers", workers, "--out"])
        .arg(out)
        .status()
        .expect("the program starts");
    assert!(run.success());
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_file_is_the_same_with_one_worker_and_with_two() {
    let folder = tempfile::tempdir().unwrap();
    let one = files_of("1", &folder.path().join("one"));
    let two = files_of("2", &folder.path().join("two"));
    let names: Vec<&str> = one.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "amplification.png",
            "amplification.svg",
            "faults.csv",
            "manifest.json",
            "over-time.png",
            "over-time.svg",
            "pairs.csv",
            "pairs.parquet",
            "report.html",
            "runs.csv",
            "runs.parquet",
            "series.csv",
            "summary.json",
            "tables.md",
            "violations.jsonl",
            "violations.png",
            "violations.svg",
        ]
    );
    for ((name, bytes), (_, others)) in one.iter().zip(&two) {
        assert!(bytes == others, "{name} differs between one worker and two");
    }
}
