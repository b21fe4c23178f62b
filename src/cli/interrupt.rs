//! Ctrl-C: the process ends at once, after a word on how to go on.

use std::path::Path;

use super::{Failure, INTERRUPTED, output};

/// From now on Ctrl-C calls this, which ends the process by [`leave`] once nothing is half written.
pub(super) fn on_interrupt(stop: impl FnMut() + Send + 'static) -> Result<(), Failure> {
    ctrlc::set_handler(stop)
        .map_err(|error| Failure::Machine(format!("error: cannot wait for Ctrl-C: {error}")))
}

/// Says where finished runs are kept, and ends the process.
pub(super) fn leave(kept: usize, path: &Path) -> ! {
    output::error(&format!(
        "interrupted: {kept} finished runs are kept in `{}`\n\
         help: the same command goes on from there",
        path.display()
    ));
    std::process::exit(INTERRUPTED.into())
}
