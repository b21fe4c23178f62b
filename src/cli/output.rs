//! The terminal: what goes to standard output and standard error, and when it has colour.

use std::io::{Error, ErrorKind, IsTerminal, Write};

use super::Failure;
use crate::experiment::plan::language::Experiment;
use crate::report::escape;

/// Prints lines for people on standard output. What came from files cannot act there: neither on a
/// terminal nor on a CI system that reads commands out of its log.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_exactly(&for_people(text, colour_out()))
}

/// Prints lines for people; returns whether anybody still reads.
pub(super) fn print_on(text: &str) -> Result<bool, Failure> {
    let shown = for_people(text, colour_out());
    let mut out = std::io::stdout().lock();
    let result = out.write_all(shown.as_bytes()).and_then(|()| out.flush());
    let is_read = result.is_ok();
    written(result).map(|()| is_read)
}

/// Prints what other programs read: JSON, TOML, commands of a CI system.
pub(super) fn print_exactly(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// That something went to standard output. A reader that has gone away has what it wanted, as it is
/// with `head`; a full disk is an error.
pub(super) fn written(result: Result<(), Error>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Machine(format!("error: cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Text in which nothing from a file acts on who shows it.
fn for_people(text: &str, colour: bool) -> String {
    let shown = if colour { escape::coloured_terminal(text) } else { escape::terminal(text) };
    let reads_commands = ["GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION"];
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if reads_commands.iter().any(is_set) { escape::log(&shown) } else { shown }
}

/// What an experiment is called, and what it asks.
pub(super) fn heading(experiment: &Experiment) -> String {
    match experiment.question.as_str() {
        "" => experiment.name.clone(),
        question => format!("{}: {question}", experiment.name),
    }
}

/// Prints an error on standard error.
pub(super) fn error(text: &str) {
    let mut out = std::io::stderr().lock();
    // There is nowhere left to tell of a standard error that cannot be written.
    writeln!(out, "{}", for_people(text.trim_end(), colour_error())).ok();
}

/// Prints warnings on standard error, if there are any.
pub(super) fn warn(text: &str) {
    if !text.is_empty() {
        error(text);
    }
}

/// Whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether standard output is a terminal that may show colour (<https://no-color.org>).
pub(super) fn colour_out() -> bool {
    is_terminal() && !no_colour()
}

/// Whether standard error is a terminal that may show colour.
pub(super) fn colour_error() -> bool {
    std::io::stderr().is_terminal() && !no_colour()
}

fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// How many columns the terminal has: 80 if it does not say, 100 where there is none.
pub(super) fn width() -> usize {
    let unsaid = if is_terminal() { 80 } else { 100 };
    console::Term::stdout().size_checked().map_or(unsaid, |(_, columns)| usize::from(columns))
}
