//! Whether a folder keeps finished runs.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The name of the journal in the folder of the results.
pub(super) const NAME: &str = ".journal";
/// Whether the journal in a folder has a finished run.
pub(in crate::cli) fn keeps_runs(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(NAME)) else { return false };
    let mut lines = BufReader::new(file);
    let mut is_whole = || {
        let mut line = Vec::new();
        lines.read_until(b'\n', &mut line).is_ok() && line.ends_with(b"\n")
    };
    is_whole() && is_whole()
}
