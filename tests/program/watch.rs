//! `watch`: the answer again on each save, until Ctrl-C.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::Changed;
use tempfile::TempDir;

const MODEL: &str = r#"
[clients.users]
arrivals = { trace = { path = "arrivals.csv", column = "at" } }
flow = [{ call = "bank.charge", policy = "twice" }]
[provider.bank]
concurrency = 5
latency = "exp 150ms"
effects = ["charge"]
[policy.twice]
timeout = "300ms"
retry = { attempts = 2 }
"#;

const INCIDENT: &str = r#"
model = "model.toml"
arrivals = "10s"
[invariants]
one_charge = { effect = "charge", label = "charged twice" }
"#;

const OWN: &str = r#"
extends = "incident.toml"
name = "watched"
question = "Who is charged twice?"
seeds = "1..13"
[arms.one]
set = { "policy.twice.retry.attempts" = 1 }
[arms.two]
"#;

/// A watch of an experiment; it ends with the test.
struct Watch {
    folder: TempDir,
    process: Child,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Watch {
    /// Begins to watch.
    fn new() -> Watch {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("model.toml", MODEL);
        write("incident.toml", INCIDENT);
        write("own.toml", OWN);
        write("arrivals.csv", &arrivals(100));
        let log = |name: &str| File::create(folder.path().join(name)).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_stormglass"))
            .current_dir(folder.path())
            .args(["watch", "own.toml"])
            .stdin(Stdio::null())
            .stdout(log("out"))
            .stderr(log("error"))
            .spawn()
            .expect("the program starts");
        Watch { folder, process }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Waits until a log has a text so often; returns the log.
    fn wait(&mut self, log: &str, text: &str, times: usize) -> String {
        for _ in 0..1_200 {
            let told = self.read(log);
            if told.matches(text).count() >= times {
                return told;
            }
            let ended = self.process.try_wait().unwrap();
            assert_eq!(ended, None, "it ended: {told}{}", self.read("error"));
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("no `{text}`: {}{}", self.read("out"), self.read("error"));
    }
}

/// A recording with so many arrivals in ten seconds.
fn arrivals(count: u32) -> String {
    let lines =
        (0..count).map(|number| format!("{}\n", f64::from(number) * 10.0 / f64::from(count)));
    std::iter::once("at\n".to_owned()).chain(lines).collect()
}

/// What ends an answer of all seeds.
const ALL: &str = "waits for the next save of 4 files (Ctrl-C ends it)\n";

#[test]
fn each_save_is_answered_with_few_seeds_first() {
    let mut watch = Watch::new();
    let told = watch.wait("out", ALL, 1);
    let place = |text: &str| told.find(text).unwrap_or_else(|| panic!("{text} in {told}"));
    assert!(place("3 of 12 seeds") < place("10 of 12 seeds"), "{told}");
    assert!(place("10 of 12 seeds") < place("\n12 seeds\n"), "{told}");
    assert!(told.starts_with("watched: Who is charged twice?\n") && told.contains("Keep one"));
    // Each of the files: the model, what is extended, the experiment, the recording.
    let saves = [
        ("model.toml", MODEL.changed("150ms", "140ms")),
        ("incident.toml", INCIDENT.changed("charged twice", "charged again")),
        ("own.toml", OWN.changed("Who is", "How many are")),
        ("arrivals.csv", arrivals(120)),
    ];
    for (number, (name, text)) in saves.into_iter().enumerate() {
        fs::write(watch.path(name), text).unwrap();
        watch.wait("out", ALL, number + 2);
    }
    let told = watch.read("out");
    let answers: Vec<&str> = told.split(ALL).collect();
    assert!(answers[1].contains("charged twice") && answers[2].contains("charged again"));
    assert!(answers[3].contains("How many are charged"), "{told}");
    assert_ne!(answers[3], answers[4], "other arrivals have another answer");
    assert_eq!(watch.read("error"), "");
    let kept = ["arrivals.csv", "error", "incident.toml", "model.toml", "out", "own.toml"];
    let mut names: Vec<String> = fs::read_dir(watch.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, kept, "nothing is written");
}

#[test]
fn what_is_wrong_is_told_and_it_waits_on() {
    let mut watch = Watch::new();
    watch.wait("out", ALL, 1);
    fs::write(watch.path("model.toml"), MODEL.changed("concurrency = 5", "concurency = 5"))
        .unwrap();
    let error = watch.wait("error", "waits for the next save", 1);
    assert!(error.contains("model.toml:6:1") && error.contains("`concurrency`"), "{error}");
    fs::remove_file(watch.path("incident.toml")).unwrap();
    watch.wait("error", "waits for the next save", 2);
    // Neither of them is known any more.
    fs::write(watch.path("model.toml"), MODEL).unwrap();
    fs::write(watch.path("incident.toml"), INCIDENT).unwrap();
    watch.wait("out", ALL, 2);
}

#[test]
fn a_save_ends_the_runs_that_it_makes_pointless() {
    let mut watch = Watch::new();
    watch.wait("out", ALL, 1);
    fs::write(watch.path("own.toml"), OWN.changed("1..13", "1..100000")).unwrap();
    watch.wait("out", "10 of 99999 seeds", 1);
    fs::write(watch.path("own.toml"), OWN.changed("1..13", "1..15")).unwrap();
    let told = watch.wait("out", "\n14 seeds\n", 1);
    assert!(!told.contains("\n99999 seeds\n"), "{told}");
}

#[cfg(unix)]
#[test]
fn only_ctrl_c_ends_it() {
    let mut watch = Watch::new();
    watch.wait("out", ALL, 1);
    let interrupt = ["-INT", &watch.process.id().to_string()];
    assert!(Command::new("kill").args(interrupt).status().unwrap().success());
    assert_eq!(watch.process.wait().unwrap().code(), Some(130));
}

#[test]
fn an_experiment_that_is_not_there_is_refused() {
    let folder = TempDir::new().unwrap();
    let watch = |folder: &Path, name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
        command.current_dir(folder).args(["watch", name]).output().unwrap()
    };
    let ran = watch(folder.path(), "own.toml");
    assert_eq!(ran.status.code(), Some(2));
    let error = String::from_utf8(ran.stderr).unwrap();
    assert!(error.contains("cannot read `own.toml`: there is no such file"), "{error}");
}
