//! The progress bar: how many runs are done, and how long the rest will take.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for so many runs on standard error, of which some were done before: these do not count as
/// speed. It shows nothing where standard error is no terminal.
pub(super) fn bar(runs: usize, done: usize, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(runs as u64).with_position(done as u64);
    let style = "{bar:30} {pos}/{len} runs, {elapsed} so far, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
    bar.reset_eta();
    bar
}
