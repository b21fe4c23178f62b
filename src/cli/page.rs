//! The page that `validate` writes, and the finished runs that are kept beside it until it is
//! whole: the same command goes on from them after it was interrupted.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the page says how long the work took"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Failure;
use super::interrupt::{leave, on_interrupt};
use super::write::{cut_off, open_alone, write_to_disk};
use crate::experiment::run::record::{checked, with_digest};
use crate::published::Reading;

/// A page that is whole or not there.
pub(super) struct PageFile {
    path: PathBuf,
    unfinished: PathBuf,
    runs: PathBuf,
    open: Arc<Mutex<Open>>,
    found: BTreeMap<RunKey, Kept>,
    started: Instant,
    before: Duration,
}

/// The file of finished runs, and how many are in it.
struct Open {
    file: File,
    kept: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct RunKey {
    /// The digest of what decides it and what is kept of it, but its seed.
    pub(super) inputs: String,
    pub(super) cell: usize,
    pub(super) seed: u64,
}

/// What is kept of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    /// What theory speaks of.
    pub(super) values: Vec<Option<f64>>,
    /// What was published, of the figures of its cell.
    pub(super) readings: Vec<Reading>,
}

/// A line of the file of finished runs.
#[derive(Serialize, Deserialize)]
struct Record {
    run: RunKey,
    kept: Kept,
    /// How long the work had taken by then, with what was interrupted.
    milliseconds: u64,
}

impl PageFile {
    /// Finds out before anything runs whether the page can be written, and reads what the same
    /// command has finished.
    pub(super) fn open(path: &Path) -> Result<PageFile, Failure> {
        let beside = |end: &str| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            path.with_file_name(format!(".{name}.{end}"))
        };
        if path.is_dir() {
            return Err(Failure::Machine(format!(
                "error: cannot write `{}`: it is a folder\nhelp: --write takes a file, such as `{}`",
                path.display(),
                path.join("validation.md").display()
            )));
        }
        let runs = beside("runs");
        let file = open_alone(&runs).map_err(|error| cannot_write(path, &error))?;
        let Some(mut file) = file else {
            return Err(Failure::Machine(format!(
                "error: another stormglass writes `{}`\nhelp: wait until it is done, or choose \
                 another file with --write",
                path.display()
            )));
        };
        let mut found = BTreeMap::new();
        let before = read(&mut file, &mut found).map_err(|error| cannot_write(path, &error))?;
        Ok(PageFile {
            path: path.to_owned(),
            unfinished: beside("unfinished"),
            runs,
            open: Arc::new(Mutex::new(Open { file, kept: found.len() })),
            found,
            started: Instant::now(),
            before,
        })
    }

    /// What was kept of a run that was finished before.
    pub(super) fn kept(&self, run: &RunKey) -> Option<&Kept> {
        self.found.get(run)
    }

    /// Notes a finished run.
    pub(super) fn append(&self, run: RunKey, kept: Kept) -> Result<(), Failure> {
        let milliseconds = u64::try_from(self.took().as_millis()).unwrap_or(u64::MAX);
        let record = Record { run, kept, milliseconds };
        let line = with_digest(&serde_json::to_string(&record).expect("a record is plain data"));
        let mut open = locked(&self.open);
        open.kept += 1;
        open.file.write_all(line.as_bytes()).map_err(|error| cannot_write(&self.runs, &error))
    }

    /// From now on Ctrl-C ends the process: never in the middle of a line, and after a word on how
    /// to go on. `clear` makes room for it on the terminal.
    pub(super) fn go_on_after_interrupt(
        &self,
        clear: impl Fn() + Send + 'static,
    ) -> Result<(), Failure> {
        let (open, runs) = (Arc::clone(&self.open), self.runs.clone());
        on_interrupt(move || {
            let open = locked(&open);
            clear();
            leave(open.kept, &runs)
        })
    }

    /// How long the work has taken, with what was interrupted.
    pub(super) fn took(&self) -> Duration {
        self.before + self.started.elapsed()
    }

    /// Puts the page in its place: nothing is left to go on with.
    pub(super) fn finish(&self, text: &str) -> Result<(), Failure> {
        let written = write_to_disk(&self.unfinished, text.as_bytes());
        let placed = written.and_then(|()| std::fs::rename(&self.unfinished, &self.path));
        if let Err(error) = placed {
            std::fs::remove_file(&self.unfinished).ok();
            return Err(cannot_write(&self.path, &error));
        }
        std::fs::remove_file(&self.runs).map_err(|error| cannot_write(&self.runs, &error))
    }
}

/// The file. A worker that panics ends the validation, so nobody sees it half changed.
fn locked(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().expect("no worker panics while it writes")
}

/// Reads the records, cuts off what is not whole, and says how long they took.
fn read(file: &mut File, found: &mut BTreeMap<RunKey, Kept>) -> Result<Duration, Error> {
    let mut lines = BufReader::new(&*file);
    let (mut line, mut length, mut milliseconds) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        lines.read_until(b'\n', &mut line)?;
        let Some(record) = record_of(&line) else { break };
        length += line.len() as u64;
        milliseconds = milliseconds.max(record.milliseconds);
        found.insert(record.run, record.kept);
    }
    cut_off(file, length)?;
    Ok(Duration::from_millis(milliseconds))
}

fn record_of(line: &[u8]) -> Option<Record> {
    serde_json::from_str(checked(line)?).ok()
}

fn cannot_write(path: &Path, error: &Error) -> Failure {
    Failure::Machine(format!(
        "error: cannot write `{}`: {error}\nhelp: --write takes a file in a folder that is there, \
         with room for it; runs that are finished are kept, and the same command goes on from them",
        path.display()
    ))
}
