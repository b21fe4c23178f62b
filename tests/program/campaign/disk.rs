//! Errors of the machine: before the work where they can be known, and never a truncated result.

use std::path::Path;
use std::process::{Command, Output};

use super::{RUNS, assert_same, command, files_of, write_experiment};

/// That a command ended with the exit code of the machine, and said this of this path.
fn assert_refused(output: &Output, path: &Path, reason: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains(&path.display().to_string()), "{said}");
    assert!(said.contains(reason) && said.contains("help: "), "{said}");
}

#[test]
fn what_is_in_the_way_is_told_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let run = |out: &Path| command(&experiment, out, "1").output().unwrap();

    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    assert_refused(&run(&file), &file, "it is a file");
    assert_refused(&run(&file.join("out")), &file, "cannot write");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");

    let out = folder.path().join("out");
    std::fs::create_dir_all(out.join("summary.json")).unwrap();
    assert_refused(&run(&out), &out.join("summary.json"), "a folder has its name");
    assert_eq!(files_of_names(&out), ["summary.json"]);

    let mut validate = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    let closed_form = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/validation");
    let closed_form = std::fs::read_dir(closed_form).unwrap().map(|entry| entry.unwrap().path());
    let closed_form = closed_form.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    validate.arg("validate").arg(closed_form.min().unwrap()).arg("--quick").arg("--write");
    assert_refused(&validate.arg(&out).output().unwrap(), &out, "it is a folder");
}

fn files_of_names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Whoever may do everything can write everywhere but to the files of the kernel.
#[test]
#[cfg(target_os = "linux")]
fn an_unwritable_folder_is_told_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let out = Path::new("/proc/stormglass");
    let output = command(&experiment, out, "1").output().unwrap();
    assert_refused(&output, out, "cannot write");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("are kept"), "no run is finished: {said}");
}

/// A limit on the size of files stands for a disk that becomes full: of the journal first, and, as
/// it is removed, of a file of the results.
#[test]
#[cfg(unix)]
fn a_disk_that_becomes_full_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let (whole, out) = (folder.path().join("whole"), folder.path().join("out"));
    assert!(command(&experiment, &whole, "1").status().unwrap().success());
    std::fs::create_dir(&out).unwrap();
    for (name, bytes) in files_of(&whole) {
        std::fs::write(out.join(name), bytes).unwrap();
    }
    // In units of 512 bytes. The signal that would end the process is ignored, so writes fail.
    let limited = |blocks: u32| {
        let run = command(&experiment, &out, "1");
        let words = std::iter::once(run.get_program()).chain(run.get_args());
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        Command::new("sh").args(["-c", &script, "sh"]).args(words).output().unwrap()
    };
    // There is a journal, but no finished run in it: nothing can be gone on with.
    for journal in ["", "stormglass journal 1 of other inputs\n", "stormglass journal 1\nhalf"] {
        std::fs::write(out.join(".journal"), journal).unwrap();
        let said = String::from_utf8(limited(64).stderr).unwrap();
        assert!(said.contains("make room") && !said.contains("are kept"), "{journal:?}: {said}");
    }
    std::fs::remove_file(out.join(".journal")).unwrap();
    assert_refused(&limited(64), &out, "make room");
    assert!(!out.join(".journal").exists(), "it was known before the work");
    assert_same(&whole, &out);

    let output = limited(256);
    assert_refused(&output, &out.join(".journal"), "make room");
    assert!(String::from_utf8_lossy(&output.stderr).contains("runs that are finished are kept"));
    let journal = std::fs::read_to_string(out.join(".journal")).unwrap();
    let finished = journal.lines().count() - 1;
    assert!(0 < finished && finished < RUNS, "{finished} runs are kept");
    assert!(journal.ends_with('\n'), "and nothing half");
    std::fs::remove_file(out.join(".journal")).unwrap();
    assert_same(&whole, &out);
}

/// The same on a real disk of some kilobytes, where the test may mount one.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=32k", "tmpfs"]).arg(&disk);
    let mounted = mount.output();
    if !mounted.is_ok_and(|mounted| mounted.status.success()) {
        let why = "SKIPPED: nothing may be mounted here, so no disk is full\n";
        std::io::Write::write_all(&mut std::io::stderr(), why.as_bytes()).unwrap();
        return;
    }
    let refused = command(&experiment, &disk, "1").output().unwrap();
    let left = files_of(&disk);
    Command::new("umount").arg(&disk).status().unwrap();
    assert_refused(&refused, &disk, "make room");
    assert!(left.is_empty(), "nothing is left of it");
}

/// A link that somebody has put where a file of ours will be leads nowhere.
#[test]
#[cfg(unix)]
fn links_in_the_folder_of_the_results_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let names = [".journal", ".probe.unfinished", ".runs.csv.unfinished", "runs.csv"];
    for name in names {
        let victim = folder.path().join(format!("victim{name}"));
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, out.join(name)).unwrap();
    }
    let output = command(&experiment, &out, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in names {
        let victim = folder.path().join(format!("victim{name}"));
        assert_eq!(std::fs::read_to_string(victim).unwrap(), "precious", "{name}");
    }
    assert!(out.join("runs.csv").symlink_metadata().unwrap().is_file());
}

/// A report that cannot be written whole is not there at all.
#[test]
#[cfg(unix)]
fn no_empty_report_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let junit = folder.path().join("reports/junit.xml");
    let check = |script: &str| {
        let words = ["check", "--seeds", "1..2", "--junit"];
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_stormglass")]);
        command.args(words).arg(&junit).arg(&experiment).output().unwrap()
    };
    let full = check("trap '' XFSZ; ulimit -f 0; exec \"$@\"");
    let said = String::from_utf8_lossy(&full.stderr);
    assert_eq!(full.status.code(), Some(5), "{said}");
    assert!(files_of_names(junit.parent().unwrap()).is_empty(), "{said}");
    assert_ne!(check("exec \"$@\"").status.code(), Some(5));
    assert_eq!(files_of_names(junit.parent().unwrap()), ["junit.xml"]);
}
