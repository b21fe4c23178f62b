//! The terminal: what goes to standard output and standard error, and when it has colour.

use std::io::{IsTerminal, Write};

use crate::experiment::language::Experiment;

/// Prints lines on standard output. A reader that has gone away is no error.
pub(super) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
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
    writeln!(out, "{}", text.trim_end()).ok();
}

/// Prints warnings on standard error, if there are any.
pub(super) fn warn(text: &str) {
    if !text.is_empty() {
        error(text);
    }
}

/// Whether standard output is a terminal that may show colour (<https://no-color.org>).
pub(super) fn colour_out() -> bool {
    std::io::stdout().is_terminal() && !no_colour()
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
    let unsaid = if std::io::stdout().is_terminal() { 80 } else { 100 };
    console::Term::stdout().size_checked().map_or(unsaid, |(_, columns)| usize::from(columns))
}
