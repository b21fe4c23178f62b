//! A campaign that was interrupted at any moment goes on with the same command and leaves the same
//! bytes as one that was not.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::{RUNS, assert_same, command, files_of, write_experiment};

const JOURNAL: &str = ".journal";

/// How many runs are in the journal of a folder.
fn finished(folder: &Path) -> usize {
    let journal = std::fs::read(folder.join(JOURNAL)).unwrap_or_default();
    journal.iter().filter(|&&byte| byte == b'\n').count().saturating_sub(1)
}

/// Starts a campaign and ends it when `is_moment` says so; returns how it ended and what it said.
fn interrupted(
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

fn kill(child: &mut Child) {
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
    assert!(said.contains("finished runs are kept in") && said.contains("the same command"));
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
        goes_on(&|bytes| *bytes = text.into());
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
