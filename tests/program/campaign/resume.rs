//! A campaign that was interrupted at any moment goes on with the same command and leaves the same
//! bytes as one that was not.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::{RUNS, assert_same, command, files_of, write_experiment};

const JOURNAL: &str = ".journal";

/// How many runs are in the journal of a folder.
pub(super) fn finished(folder: &Path) -> usize {
    let journal = std::fs::read(folder.join(JOURNAL)).unwrap_or_default();
    journal.iter().filter(|&&byte| byte == b'\n').count().saturating_sub(1)
}

/// Starts a campaign and ends it when `is_moment` says so; returns how it ended and what it said.
pub(super) fn interrupted(
    mut command: Command,
    is_moment: impl Fn() -> bool,
    end: impl Fn(&mut Child),
) -> (ExitStatus, String) {
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
    while !is_moment() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    end(&mut child);
    let output = child.wait_with_output().unwrap();
    (output.status, String::from_utf8(output.stderr).unwrap())
}

pub(super) fn kill(child: &mut Child) {
    child.kill().ok();
}

#[test]
fn a_killed_campaign_goes_on_and_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    assert!(command(&experiment, &whole, "1").status().unwrap().success());

    // At once, after some runs, and after more, each time with another number of workers.
    for (workers, runs) in [("1", 0), ("2", 4), ("3", RUNS / 2)] {
        let is_moment = || finished(&broken) >= runs;
        let (status, _) = interrupted(command(&experiment, &broken, workers), is_moment, kill);
        assert!(!status.success(), "it was killed");
        assert!(finished(&broken) < RUNS, "and had something left to do");
        assert!(finished(&broken) >= runs, "but what was done is not lost");
    }
    let interrupt = |child: &mut Child| {
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    let is_moment = || finished(&broken) >= RUNS * 3 / 4;
    let (status, said) = interrupted(command(&experiment, &broken, "1"), is_moment, interrupt);
    assert_eq!(status.code(), Some(130), "{said}");
    let kept = format!("interrupted: {} finished runs are kept in", finished(&broken));
    assert!(said.contains(&kept) && said.contains("the same command"), "{said}");
    assert!(finished(&broken) < RUNS);

    // While the results are written.
    let is_moment = || broken.join(".runs.csv.unfinished").exists();
    let (status, _) = interrupted(command(&experiment, &broken, "2"), is_moment, kill);
    assert!(!status.success(), "it was killed");
    assert!(!broken.join("manifest.json").exists(), "what is not whole has no manifest");

    assert!(command(&experiment, &broken, "2").status().unwrap().success());
    assert_same(&whole, &broken);
    assert!(!broken.join(JOURNAL).exists());
}

/// Interrupts a campaign after some runs, changes its journal, and goes on with other seeds: to the
/// bytes of `whole`. Returns how many runs were kept, and what was said.
fn goes_on(
    folder: &Path,
    whole: &Path,
    other: &[&str],
    change: impl Fn(&mut Vec<u8>),
) -> (usize, String) {
    let experiment = folder.join("short.toml");
    let broken = folder.join("broken");
    let mut first = command(&experiment, &broken, "2");
    first.args(other);
    interrupted(first, || finished(&broken) >= RUNS / 2, kill);
    let journal = broken.join(JOURNAL);
    let mut bytes = std::fs::read(&journal).unwrap();
    change(&mut bytes);
    std::fs::write(&journal, bytes).unwrap();
    let kept = finished(&broken);
    let mut again = command(&experiment, &broken, "2");
    let again = again.args(["--seeds", "2..3"]).output().unwrap();
    assert!(again.status.success());
    assert_same(whole, &broken);
    (kept, String::from_utf8(again.stderr).unwrap())
}

/// A folder with the experiment, and the results of its second seed.
fn one_seed(folder: &Path) -> PathBuf {
    let (experiment, whole) = (write_experiment(folder), folder.join("whole"));
    let mut once = command(&experiment, &whole, "1");
    assert!(once.args(["--seeds", "2..3"]).status().unwrap().success());
    whole
}

#[test]
fn what_was_finished_is_said_and_kept_through_every_interruption() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let out = folder.path().join("out");
    let mut before = 0;
    for _ in 0..2 {
        let is_moment = || finished(&out) >= before + 4;
        interrupted(command(&experiment, &out, "1"), is_moment, kill);
        assert!((before + 4..RUNS).contains(&finished(&out)));
        before = finished(&out);
    }
    let again = |arguments: &[&str]| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_stormglass"));
        run.arg("run").arg(&experiment).args(["--workers", "1", "--out"]).arg(&out);
        let output = run.args(arguments).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let said = again(&[]);
    let goes_on = format!("{before} runs finished before: goes on from there\n");
    assert!(said.contains(&goes_on), "{goes_on}\n{said}");
    assert!(!said.contains("replaces the results"), "{said}");
    let said = again(&["--seeds", "1..2"]);
    assert!(!said.contains("finished before"), "{said}");
    let replaces = format!("replaces the results in `{}` when it is done\n", out.display());
    assert!(said.contains(&replaces), "{said}");
}

#[test]
fn a_torn_journal_is_good_up_to_the_tear() {
    let folder = tempfile::tempdir().unwrap();
    let whole = one_seed(folder.path());
    let goes_on = |change: &dyn Fn(&mut Vec<u8>)| goes_on(folder.path(), &whole, &[], change);
    let (kept, said) = goes_on(&|bytes| bytes.truncate(bytes.len() - 100));
    assert!(kept >= RUNS / 2 - 1);
    assert_eq!(said, "");
    // A byte in the middle: what follows is run again.
    goes_on(&|bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
    });
    // Death in the first line, and something that is no journal.
    for text in ["stormglass jour", "\u{0}\u{ff}\n\n"] {
        let (_, said) = goes_on(&|bytes| *bytes = text.into());
        assert_eq!(said, "", "these are no runs of other inputs");
    }
}

#[test]
fn a_journal_of_other_inputs_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let whole = one_seed(folder.path());
    let other = ["--set", "clients.shoppers.patience=4s"];
    let (kept, said) = goes_on(folder.path(), &whole, &other, |_| ());
    assert!(kept > 0);
    assert!(said.contains("are of other inputs: they are not used"), "{said}");
    // Nor is one of another text of the model, or of another build of the program.
    let (experiment, broken) = (folder.path().join("short.toml"), folder.path().join("broken"));
    let program = folder.path().join("stormglass");
    std::fs::copy(env!("CARGO_BIN_EXE_stormglass"), &program).unwrap();
    let text = std::fs::read_to_string(folder.path().join("checkout.toml")).unwrap();
    let is_used = |model: &str, program: &Path| {
        std::fs::write(folder.path().join("checkout.toml"), model).unwrap();
        let quick = command(&experiment, &broken, "1");
        let mut run = Command::new(program);
        run.args(quick.get_args()).args(["--seeds", "2..3"]);
        let output = run.output().unwrap();
        assert!(output.status.success());
        output.stderr.is_empty()
    };
    for (model, program, expected) in [
        (text.clone(), Path::new(env!("CARGO_BIN_EXE_stormglass")), true),
        (format!("{text}\n# Another text.\n"), Path::new(env!("CARGO_BIN_EXE_stormglass")), false),
        (text.clone(), &program, false),
    ] {
        std::fs::write(folder.path().join("checkout.toml"), &text).unwrap();
        let first = command(&experiment, &broken, "2");
        interrupted(first, || finished(&broken) >= RUNS / 2, kill);
        assert_eq!(is_used(&model, program), expected);
    }
}

#[test]
fn two_campaigns_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write_experiment(folder.path());
    let out = folder.path().join("out");
    let second = || command(&experiment, &out, "1").output().unwrap();
    let mut first = command(&experiment, &out, "1").spawn().unwrap();
    while finished(&out) < 1 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let refused = second();
    kill(&mut first);
    first.wait().unwrap();
    assert_eq!(refused.status.code(), Some(5));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("another stormglass writes to"), "{said}");
    assert!(!files_of(&out).is_empty());
}
