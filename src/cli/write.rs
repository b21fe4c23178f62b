//! The folder of the results: all files appear in it whole, or none does.
//!
//! Every file is written and brought to the disk beside its place before the first one is moved
//! there. The manifest goes away before that and comes last, so a folder with a manifest has the
//! results that it tells of.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::Failure;
use super::journal::kept::keeps_runs;
use crate::report::chart;
use crate::report::outputs::{MANIFEST, Output, names};

/// How much is written to see whether the disk has any room.
const PROBE_BYTES: usize = 64 * 1024;

/// The folder of the results.
pub(super) struct Folder {
    path: PathBuf,
    /// The files that are written, but not in their places yet.
    unfinished: Vec<String>,
}

impl Folder {
    /// Makes the folder. Whatever would stop the results from being written is told now, before
    /// the work starts, if it can be known.
    pub(super) fn prepare(path: &Path) -> Result<Folder, Failure> {
        if path.is_file() {
            return Err(Failure::Machine(format!(
                "error: cannot write to `{}`: it is a file\nhelp: choose a folder with --out",
                path.display()
            )));
        }
        std::fs::create_dir_all(path).map_err(|error| failure(path, &error))?;
        let folder = Folder { path: path.to_path_buf(), unfinished: Vec::new() };
        for name in names() {
            if folder.path_of(&name).is_dir() {
                return Err(Failure::Machine(format!(
                    "error: cannot write `{}`: a folder has its name\n\
                     help: move it away, or choose another folder with --out",
                    folder.path_of(&name).display()
                )));
            }
            // Left by a process that was killed.
            remove(&folder.path_of_unfinished(&name))?;
        }
        let probe = folder.path_of_unfinished("probe");
        let written = write_to_disk(&probe, &[0; PROBE_BYTES]);
        std::fs::remove_file(&probe).ok();
        written.map_err(|error| failure(path, &error))?;
        Ok(folder)
    }

    /// Whether there are results already.
    pub(super) fn has_results(&self) -> bool {
        self.path_of(MANIFEST).exists()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file of the results beside its place, or both of a picture.
    pub(super) fn write<F>(&mut self, output: &Output<F>, bytes: &[u8]) -> Result<(), Failure> {
        if !output.is_picture {
            return self.write_file(output.name.to_owned(), bytes);
        }
        let svg = std::str::from_utf8(bytes).expect("a picture is text");
        let png = chart::png(svg, 2.0)
            .map_err(|error| Failure::Machine(format!("error: cannot draw a PNG: {error}")))?;
        self.write_file(format!("{}.svg", output.name), bytes)?;
        self.write_file(format!("{}.png", output.name), &png)
    }

    fn write_file(&mut self, name: String, bytes: &[u8]) -> Result<(), Failure> {
        let written = write_to_disk(&self.path_of_unfinished(&name), bytes)
            .map_err(|error| failure(&self.path_of(&name), &error));
        self.unfinished.push(name);
        written
    }

    /// Moves every file to its place, in the order in which they were written, and removes those
    /// of earlier results that these do not have. Returns their paths.
    pub(super) fn publish(mut self) -> Result<Vec<PathBuf>, Failure> {
        remove(&self.path_of(MANIFEST))?;
        for name in names() {
            if !self.unfinished.contains(&name) {
                remove(&self.path_of(&name))?;
            }
        }
        let mut written = Vec::new();
        for name in std::mem::take(&mut self.unfinished) {
            let path = self.path_of(&name);
            std::fs::rename(self.path_of_unfinished(&name), &path)
                .map_err(|error| failure(&path, &error))?;
            written.push(path);
        }
        // Not every file system can do this, and without it the files are whole as well.
        File::open(&self.path).and_then(|folder| folder.sync_all()).ok();
        Ok(written)
    }

    fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn path_of_unfinished(&self, name: &str) -> PathBuf {
        self.path.join(format!(".{name}.unfinished"))
    }
}

/// What could not be published takes no room.
impl Drop for Folder {
    fn drop(&mut self) {
        for name in &self.unfinished {
            std::fs::remove_file(self.path_of_unfinished(name)).ok();
        }
    }
}

/// Opens a file for this process alone, to read it and to go on writing it; `None` if another
/// process has it. A link or whatever else is no file of ours is replaced, and not followed.
pub(super) fn open_alone(path: &Path) -> Result<Option<File>, Error> {
    if std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        std::fs::remove_file(path)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path)?;
    let is_taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    Ok((!is_taken).then_some(file))
}

/// Cuts a file off after so many bytes, where writing goes on.
pub(super) fn cut_off(file: &mut File, length: u64) -> Result<(), Error> {
    file.set_len(length)?;
    file.seek(SeekFrom::Start(length)).map(drop)
}

/// Writes a new file, and waits until it is on disk. What has its name, such as a link, is removed
/// before and not followed.
pub(super) fn write_to_disk(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes the file that somebody named, whole or not at all. Where the name is that of a link or a
/// device, it is written through.
pub(super) fn write_named(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return std::fs::write(path, bytes);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = path.with_file_name(format!(".{name}.unfinished"));
    let written = write_to_disk(&unfinished, bytes);
    written.and_then(|()| std::fs::rename(&unfinished, path)).inspect_err(|_| {
        std::fs::remove_file(&unfinished).ok();
    })
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failure(path, &error)),
        _ => Ok(()),
    }
}

/// Writes a file that somebody named, and the folder around it.
pub(super) fn write_file(file: &Path, content: &[u8]) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| write_named(file, content)).map_err(|error| {
        Failure::Machine(format!("error: cannot write `{}`: {error}", file.display()))
    })
}

/// Why a path could not be written, and what to do.
pub(super) fn failure(path: &Path, error: &Error) -> Failure {
    let do_this = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "make room, or choose a folder on another disk with --out"
        }
        _ => "make it writable, or choose another folder with --out",
    };
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let kept = match folder.is_some_and(keeps_runs) {
        true => "; runs that are finished are kept, and the same command goes on from them",
        false => "",
    };
    Failure::Machine(format!(
        "error: cannot write `{}`: {error}\nhelp: {do_this}{kept}",
        path.display()
    ))
}
