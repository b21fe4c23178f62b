//! The journal of a campaign: every finished run, so that the same command goes on where it was
//! interrupted, by Ctrl-C or by a death of the process at any moment.
//!
//! It lies in the folder of the results until these are whole. Its first line has the digest of
//! everything that decides a run but its seed; a line for each finished run follows
//! (`experiment::record`). Other inputs begin another journal.

pub(super) mod kept;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::interrupt::{leave, on_interrupt};
use super::load::Loaded;
use super::{Failure, output, write};
use crate::experiment::plan::campaign::{Campaign, Chosen};
use crate::experiment::run::record::{Line, line_of, read_line};
use crate::experiment::run::result::RunResult;
use crate::kernel::digest::{Digest, Digester, digest_of};
use crate::kernel::time::Time;
use crate::system::trace::TRACE;

/// What its first line begins with: a name and the version of the format.
const HEADER: &str = "stormglass journal 1";

/// The journal of the campaign that is running.
#[derive(Clone)]
pub(super) struct Journal {
    path: PathBuf,
    /// Where its records begin.
    header: String,
    open: Arc<Mutex<Open>>,
}

/// The file and what is in it.
struct Open {
    file: File,
    /// How many bytes are whole lines.
    length: u64,
    /// How many runs these are.
    kept: usize,
    /// Runs that were finished before, by cell and seed, until somebody asks for them.
    found: BTreeMap<(usize, u64), RunResult>,
}

impl Journal {
    /// Opens the journal in a folder and reads what a command with the same inputs has finished.
    pub(super) fn open(folder: &Path, loaded: &Loaded) -> Result<Journal, Failure> {
        let path = folder.join(kept::NAME);
        let header = format!("{HEADER} {}\n", digest_of_inputs(loaded));
        let file = write::open_alone(&path).map_err(|error| write::failure(&path, &error))?;
        let Some(file) = file else {
            return Err(Failure::Machine(format!(
                "error: another stormglass writes to `{}`\n\
                 help: wait until it is done, or choose another folder with --out",
                folder.display()
            )));
        };
        let open = Open { file, length: 0, kept: 0, found: BTreeMap::new() };
        let journal = Journal { path, header, open: Arc::new(Mutex::new(open)) };
        journal.read(&loaded.campaign).map_err(|error| write::failure(&journal.path, &error))?;
        Ok(journal)
    }

    /// Reads the lines of the file, and cuts off what is not whole.
    fn read(&self, campaign: &Campaign) -> Result<(), Error> {
        let mut open = self.locked();
        let Open { file, length, kept, found } = &mut *open;
        let mut lines = BufReader::new(&*file);
        let mut line = Vec::new();
        lines.read_until(b'\n', &mut line)?;
        let is_ours = line == self.header.as_bytes();
        if is_ours {
            *length = line.len() as u64;
            loop {
                line.clear();
                lines.read_until(b'\n', &mut line)?;
                match read_line(&line, campaign) {
                    Line::Run(mut run) => {
                        *kept += 1;
                        run.keep_what_is_written();
                        found.insert((run.cell, run.seed), *run);
                    }
                    Line::Foreign => {}
                    Line::Torn => break,
                }
                *length += line.len() as u64;
            }
        } else if line.starts_with(HEADER.as_bytes()) && line.ends_with(b"\n") {
            output::error(&format!(
                "warning: the finished runs in `{}` are of other inputs: they are not used",
                self.path.display()
            ));
        }
        write::cut_off(file, *length)?;
        if !is_ours {
            file.write_all(self.header.as_bytes())?;
            *length = self.header.len() as u64;
        }
        Ok(())
    }

    /// How many runs of the campaign were finished before.
    pub(super) fn found(&self, campaign: &Campaign) -> usize {
        let open = self.locked();
        let is_found = |&number: &usize| open.found.contains_key(&campaign.cell_and_seed(number));
        (0..campaign.runs()).filter(is_found).count()
    }

    /// A run that was finished before; once.
    pub(super) fn take(&self, cell_and_seed: (usize, u64)) -> Option<RunResult> {
        self.locked().found.remove(&cell_and_seed)
    }

    /// Notes a finished run.
    pub(super) fn append(&self, result: &RunResult) -> Result<(), Failure> {
        let line = line_of(result);
        let mut open = self.locked();
        let Open { file, length, kept, .. } = &mut *open;
        if let Err(error) = file.write_all(line.as_bytes()) {
            // The rest of a line would be found and cut off; this is for those who look at it.
            write::cut_off(file, *length).ok();
            return Err(write::failure(&self.path, &error));
        }
        *length += line.len() as u64;
        *kept += 1;
        Ok(())
    }

    /// The results are whole: nothing is left to go on with.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        let open = self.locked();
        std::fs::remove_file(&self.path).map_err(|error| write::failure(&self.path, &error))?;
        drop(open);
        Ok(())
    }

    /// From now on Ctrl-C ends the process: never in the middle of a line, and after a word on how
    /// to go on. `clear` makes room for it on the terminal.
    pub(super) fn go_on_after_interrupt(
        &self,
        clear: impl Fn() + Send + 'static,
    ) -> Result<(), Failure> {
        let journal = self.clone();
        on_interrupt(move || {
            let open = journal.locked();
            clear();
            leave(open.kept, &journal.path)
        })
    }

    /// The file. A worker that panics ends the campaign, so nobody sees it half changed.
    fn locked(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("no worker panics while it writes")
    }
}

/// The digest of everything that decides a run but its seed: the program, the texts of all files,
/// the overrides, and what runs of the experiment.
pub(super) fn digest_of_inputs(loaded: &Loaded) -> Digest {
    let mut digester = Digester::default();
    let mut fold = |text: &str| {
        let Digest(digest) = digest_of(text);
        digester.fold(Time(text.len() as u64), digest as u64, (digest >> 64) as u64);
    };
    fold(env!("CARGO_PKG_VERSION"));
    fold(&TRACE.to_string());
    fold(&program().unwrap_or_default());
    for (_, text) in &loaded.files {
        fold(text);
    }
    for text in &loaded.overrides {
        fold(text);
    }
    // A record names its cell by its place among those that run.
    let Chosen { arms, points, .. } = &loaded.campaign.chosen;
    for (option, names) in [("--arm", arms), ("--point", points)] {
        for name in names {
            fold(&format!("{option} {name}"));
        }
    }
    digester.digest()
}

/// Length and time of the program's file: another build may give other results.
fn program() -> Option<String> {
    let file = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
    Some(format!("{} {:?}", file.len(), file.modified().ok()?))
}
