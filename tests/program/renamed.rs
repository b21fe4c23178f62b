//! Keys that had another name work for one version wherever they are written, each with a warning
//! that says where and what it is called now, and mean the same.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

const NEW: [(&str, &str); 2] = [
    (
        "model.toml",
        r#"
[clients.users]
arrivals = { poisson = "40/s" }
flow = [{ call = "api.serve", policy = "user", ignore_failure = true }]
[service.api]
workers = 20
bulkhead.back = { limit = 3, queue = 1 }
on.serve.steps = [{ call = "back.serve", policy = "inner" }, { reply = "ok" }]
[service.back]
workers = 2
instances = 3
on.serve.steps = [{ work = "exp 50ms" }, { reply = "ok" }]
[policy.user]
timeout = "300ms"
concurrency_limit = { kind = "gradient2", min = 2, max = 30, initial = 5, long_window = 50 }
rate_limit = { rate = "30/s", burst = 2, max_wait = "40ms" }
throttling = { k = 1.5, max_rejection = "60%", min_rate = "1/s" }
hedge = { percentile = "90%", min_delay = "40ms" }
[policy.user.retry]
backoff = { growth = "exponential", base = "5ms", min = "10ms" }
budget = { kind = "concurrent", min_retries = 2 }
[policy.inner]
preset = "concurrency-limits-aimd@78a74b98"
without = ["concurrency_limit"]
[policy.inner.outlier]
base_ejection_time = "1s"
max_ejection_time = "3s"
max_ejected = "50%"
failure_ratio = "20%"
ratio_hosts = 2
ratio_calls = 3
"#,
    ),
    (
        "experiment.toml",
        r#"
name = "renamed"
model = "model.toml"
seeds = "1..2"
arrivals = "5s"
drain = "1s"
[arms.plain]
[arms.wide.set]
"service.api.bulkhead.back.limit" = 5
"policy.user.throttling" = { k = 1.2, max_rejection = "50%" }
[arms.connected.set]
"policy.user.connections" = { limit = 4, acquire_timeout = "20ms" }
"#,
    ),
];

/// What each was called, in the texts above: with what is around it where the word alone would be
/// another key too.
const OLD: [(&str, &str, &str); 21] = [
    ("back = { limit", "back = { concurrent", "concurrent"),
    ("back.limit", "back.concurrent", "concurrent"),
    ("\nconcurrency_limit =", "\nlimit =", "limit"),
    ("[\"concurrency_limit\"]", "[\"limit\"]", "limit"),
    ("min = 2", "least = 2", "least"),
    ("max = 30", "most = 30", "most"),
    ("long_window", "window", "window"),
    ("acquire_timeout", "max_wait", "max_wait"),
    ("burst = 2, max_wait", "burst = 2, patience", "patience"),
    ("k = 1.5, max_rejection", "k = 1.5, most", "most"),
    ("k = 1.2, max_rejection", "k = 1.2, most", "most"),
    ("min_rate", "least_rate", "least_rate"),
    ("min = \"10ms\"", "least = \"10ms\"", "least"),
    ("base_ejection_time", "base", "base"),
    ("max_ejection_time", "longest", "longest"),
    ("max_ejected", "most_ejected", "most_ejected"),
    ("failure_ratio", "failure_share", "failure_share"),
    ("ratio_hosts", "share_hosts", "share_hosts"),
    ("ratio_calls", "share_calls", "share_calls"),
    ("min_delay", "least", "least"),
    ("min_retries", "floor", "floor"),
];

/// Runs the experiment in a folder; returns the digest of its runs and what was warned of.
fn run(files: &[(&str, String)], set: &str) -> (String, String) {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("it can be written");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .args(["run", "experiment.toml", "--out", "out", "--workers", "1", "--set", set])
        .current_dir(folder.path())
        .output()
        .expect("the command runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let manifest = fs::read_to_string(folder.path().join("out/manifest.json")).expect("results");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    (manifest["digest"].as_str().expect("a digest").to_owned(), told)
}

/// A text with every key by its old name, and these.
fn old(text: &str) -> (String, Vec<&'static str>) {
    let mut keys = Vec::new();
    let old = OLD.iter().fold(text.to_owned(), |text, (new, old, key)| {
        keys.extend(text.contains(new).then_some(*key));
        text.replace(new, old)
    });
    (old, keys)
}

#[test]
fn an_old_key_works_with_a_warning_and_means_the_same() {
    let new = NEW.map(|(name, text)| (name, text.to_owned()));
    let (digest, told) = run(&new, "policy.user.retry.backoff.min=12ms");
    assert!(!told.contains("is called"), "{told}");
    let mut tried = 0;
    // Of one file at a time: no more than twenty warnings are shown.
    for file in 0..NEW.len() {
        let (name, text) = NEW[file];
        let (text, mut keys) = old(text);
        let mut files = new.clone();
        files[file].1 = text;
        tried += keys.len();
        let (old_digest, told) = run(&files, "policy.user.retry.backoff.least=12ms");
        assert_eq!(old_digest, digest, "{name}");
        keys.push("least");
        for key in &keys {
            assert!(told.contains(&format!("`{key}` is called `")), "{name}, {key}: {told}");
        }
        for place in [&format!("--> {name}:"), "--> --set:1:1"] {
            assert!(told.contains(place), "{place}: {told}");
        }
        let warnings = told.matches("the old one works in this version only").count();
        assert_eq!(warnings, keys.len(), "one for each: {told}");
    }
    assert_eq!(tried, OLD.len(), "every key was in one of the files");
}
