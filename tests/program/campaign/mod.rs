//! Campaigns: they go on after any interruption, fail before the work starts where they can, and
//! write results that other programs read.
//!
//! All of it is seen from outside: the tests start the program, end it, and read what it wrote.

mod attribution;
mod begun;
mod chosen;
mod clock;
mod defaults;
mod disk;
mod examples;
mod extends;
mod labels;
mod many;
mod milestones;
mod objectives;
mod observed;
mod prices;
mod record;
mod resume;
mod told;

use crate::common::Changed;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many runs [`write_experiment`] has: six arms at three points under two seeds.
const RUNS: usize = 36;

/// The shipped brownout, over in a second, with faults that are drawn as well.
fn short(text: &str) -> String {
    let text = text
        .changed("arrivals = \"103s\"", "arrivals = \"3s\"")
        .changed("at = \"30s\"", "at = \"1s\"")
        .changed("for = \"20s\"", "for = \"1s\"")
        .changed("seeds = \"1..31\"", "seeds = \"1..3\"")
        .changed("set = {", "set = { \"clients.shoppers.arrivals\" = { poisson = \"60/s\" },");
    text + "[random_faults]\nuntil = \"2s\"\n\
            [random_faults.kinds.reply_loss]\nstrikes = \"1/s\"\nfor = \"exp 500ms\"\n\
            share = [\"1%\", \"33%\"]\n"
}

/// Writes the short brownout to a folder, with a copy of the shipped model.
fn write_experiment(folder: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("experiments/payment-brownout.toml")).unwrap();
    std::fs::copy(root.join("models/checkout.toml"), folder.join("checkout.toml")).unwrap();
    let path = folder.join("short.toml");
    let text = text.changed("model = \"../models/checkout.toml", "model = \"checkout.toml");
    std::fs::write(&path, short(&text)).unwrap();
    path
}

/// The command that runs an experiment.
fn command(experiment: &Path, out: &Path, workers: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.arg("run").arg(experiment).arg("--quiet").args(["--workers", workers]);
    command.arg("--out").arg(out);
    command
}

/// Every file of a folder, hidden ones included.
fn files_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
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

/// That two folders have the same files with the same bytes.
fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (files_of(one), files_of(other));
    let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
        files.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&one), names(&other));
    for ((name, bytes), (_, others)) in one.iter().zip(&other) {
        assert!(bytes == others, "{name} differs");
    }
}
