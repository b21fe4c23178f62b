//! Paths in files lead into their project, and what is no file is not read.

use std::path::{Path, PathBuf};

use super::{Ran, path, stormglass};

const MODEL: &str = r#"
[clients.c]
arrivals = { trace = { path = "PATH", column = "s" } }
flow = [{ call = "s.o" }]

[service.s]
workers = 1
on.o.steps = [{ reply = "ok" }]
"#;

/// A project in a folder, whose experiment has a trace at this path.
fn project(folder: &Path, trace: &str) -> PathBuf {
    let (experiments, models) = (folder.join("project/experiments"), folder.join("project/models"));
    std::fs::create_dir_all(&experiments).unwrap();
    std::fs::create_dir_all(&models).unwrap();
    std::fs::create_dir_all(folder.join("project/data")).unwrap();
    std::fs::write(folder.join("project/data/inside.csv"), "s\n0\n1\n").unwrap();
    std::fs::write(folder.join("outside.csv"), "secret:x:0:0\n0\n").unwrap();
    std::fs::write(models.join("m.toml"), MODEL.replace("PATH", trace)).unwrap();
    let file = experiments.join("e.toml");
    let text = "name = \"e\"\nmodel = \"../models/m.toml\"\narrivals = \"2s\"\n\
                [expect]\nsuccess_ratio = \"> 0%\"\n";
    std::fs::write(&file, text).unwrap();
    file
}

fn check(file: &Path, more: &[&str]) -> Ran {
    stormglass(&[&["check", path(file), "--seeds", "1..2"], more].concat())
}

fn assert_refused(ran: &Ran, why: &str) {
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.error);
    assert!(ran.error.contains(why), "{}", ran.error);
    assert!(!ran.error.contains("secret"), "foreign content is shown: {}", ran.error);
}

#[test]
fn a_path_in_a_file_does_not_leave_its_project() {
    let folder = tempfile::tempdir().unwrap();
    let inside = project(folder.path(), "../data/inside.csv");
    assert_eq!(check(&inside, &[]).code, Some(0), "{}", check(&inside, &[]).error);
    let outside = "../../outside.csv";
    for trace in [outside, path(&folder.path().join("outside.csv")), "/etc/passwd"] {
        let file = project(folder.path(), trace);
        assert_refused(&check(&file, &[]), "lies outside of");
    }
    // Neither does a link in it.
    #[cfg(unix)]
    {
        let link = folder.path().join("project/data/link.csv");
        std::os::unix::fs::symlink(folder.path().join("outside.csv"), link).unwrap();
        let file = project(folder.path(), "../data/link.csv");
        assert_refused(&check(&file, &[]), "lies outside of");
    }
    // The model is a path too.
    let file = project(folder.path(), outside);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("../models/m.toml", "../../outside.csv")).unwrap();
    assert_refused(&check(&file, &[]), "lies outside of");
}

#[test]
fn whoever_gives_the_command_may_name_what_is_outside() {
    let folder = tempfile::tempdir().unwrap();
    let file = project(folder.path(), "../../outside.csv");
    let allowed = ["--allow-outside", path(folder.path())];
    let ran = check(&file, &allowed);
    assert!(ran.error.contains("unknown column"), "it is read: {}", ran.error);
    std::fs::write(folder.path().join("outside.csv"), "s\n0\n1\n").unwrap();
    assert_eq!(check(&file, &allowed).code, Some(0));
    // So may whoever shows a violation again.
    let ran = check(&file, &[&allowed[..], &["--set", "expect.success_ratio=\"< 1\""]].concat());
    let again = ran.out.lines().find_map(|line| line.trim().strip_prefix("again:"));
    let words = again.expect("a violation").split_whitespace().skip(1);
    let words: Vec<String> = words.map(|word| word.replace('\'', "")).collect();
    assert!(words.contains(&"--allow-outside".to_owned()), "{words:?}");
    // What theory or others say has to be said of an experiment that is validated: so far it comes.
    for (more, why) in [(&allowed[..], "[theory]"), (&[], "lies outside of")] {
        let ran = stormglass(&[&["validate", path(&file)], more].concat());
        assert!(ran.code == Some(2) && ran.error.contains(why), "{}", ran.error);
    }
    let trace = folder.path().join("outside.csv");
    let file = project(folder.path(), "../data/inside.csv");
    std::fs::write(&trace, "s\n0\n1\n").unwrap();
    let set = format!("clients.c.arrivals.trace.path={}", path(&trace));
    let ran = check(&file, &["--set", &set]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let model = folder.path().join("project/models/m.toml");
    let ran = stormglass(&["show", path(&model), "--set", &set]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
}

#[test]
fn every_file_that_was_read_is_in_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let file = project(folder.path(), "../data/inside.csv");
    let out = folder.path().join("out");
    let ran = stormglass(&["run", path(&file), "--seeds", "1..2", "--out", path(&out)]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let manifest = std::fs::read_to_string(out.join("manifest.json")).unwrap();
    for name in ["project/experiments/e.toml", "models/m.toml\"", "../data/inside.csv\""] {
        assert!(manifest.contains(name), "{name}\n{manifest}");
    }
}

#[test]
#[cfg(unix)]
fn a_pipe_is_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let file = project(folder.path(), "../data/pipe.csv");
    let pipe = folder.path().join("project/data/pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert_refused(&check(&file, &[]), "is a pipe or a device");
    let ran = check(&file, &["--set", "clients.c.arrivals.trace.path=/dev/zero"]);
    assert_refused(&ran, "is a pipe or a device");
}
