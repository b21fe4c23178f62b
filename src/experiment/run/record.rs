//! Finished runs as lines of text, so that an interrupted campaign goes on where it was.
//!
//! A line is the digest of a result and the result as JSON. A text that was cut off anywhere, or
//! whose bytes have changed, is good up to the first line that is not whole.

use crate::experiment::measure::value::values;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::result::RunResult;
use crate::kernel::digest::digest_of;

/// The line of a finished run, with its line feed.
///
/// # Panics
/// If a result has a part that JSON cannot say: none has.
#[must_use]
pub fn line_of(result: &RunResult) -> String {
    with_digest(&serde_json::to_string(result).expect("a result is plain data"))
}

/// A line that shows whether it is whole: the digest of a text without line feeds, and the text.
#[must_use]
pub fn with_digest(json: &str) -> String {
    format!("{} {json}\n", digest_of(json))
}

/// What a line of the text is.
#[derive(Debug)]
pub enum Line {
    /// A finished run.
    Run(Box<RunResult>),
    /// A whole line with a run that the campaign cannot have had.
    Foreign,
    /// Cut off or changed: neither it nor what follows can be used.
    Torn,
}

/// Reads a line with its line feed.
#[must_use]
pub fn read_line(line: &[u8], campaign: &Campaign) -> Line {
    match checked(line).map(|json| result_of(json, campaign)) {
        Some(Some(result)) => Line::Run(Box::new(result)),
        Some(None) => Line::Foreign,
        None => Line::Torn,
    }
}

/// The JSON of a line whose digest is right.
#[must_use]
pub fn checked(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (digest, json) = line.split_once(' ')?;
    (digest == digest_of(json).to_string()).then_some(json)
}

/// A result with what its line leaves out because the campaign knows it.
fn result_of(json: &str, campaign: &Campaign) -> Option<RunResult> {
    let mut result: RunResult = serde_json::from_str(json).ok()?;
    let cell = campaign.cells.get(result.cell)?;
    if cell.invariants.iter().len() != result.invariants.len() {
        return None;
    }
    result.values = values(cell, &result);
    result.drawn = cell.random.as_ref().map(|random| random.draw(result.seed)).unwrap_or_default();
    Some(result)
}
