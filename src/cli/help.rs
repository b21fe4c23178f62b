//! `stormglass --help`, with its commands in groups; completions for shells; pages for `man`.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Arguments, Failure, output, write};
use crate::report::table::wrap;

/// What commands are for, and their names.
const GROUPS: [(&str, &[&str]); 5] = [
    ("To begin with", &["demo", "new"]),
    ("Ask a question", &["plan", "review", "map", "run", "budget", "watch", "open"]),
    ("Hold promises", &["check", "minimize", "replay", "explain", "compare-runs"]),
    ("Models and policies", &["show", "policy", "import", "diff", "schema"]),
    ("The program itself", &["validate", "completions", "man", "help"]),
];

/// The widest help, which is that of `clap` too.
const COLUMNS: usize = 100;
/// Where the texts begin: two columns, the longest name, two more.
const INDENT: usize = 16;

/// What `completions` is told.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArguments {
    /// Of which shell.
    shell: Shell,
}

/// What `man` is told.
#[derive(Debug, clap::Args)]
pub(super) struct ManArguments {
    /// Write a page for each command to this folder, such as ~/.local/share/man/man1.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The command line, whose help has its commands in groups.
pub(super) fn grouped() -> clap::Command {
    let mut command = Arguments::command();
    command.build();
    let width = output::width().min(COLUMNS);
    let groups: String = GROUPS.iter().map(|group| section(&command, group, width)).collect();
    Arguments::command().help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}{}\n{{options}}\n",
        heading("Options")
    ))
}

/// A heading, as `clap` prints its own: without its codes where there is no colour.
fn heading(text: &str) -> String {
    format!("\x1b[1m\x1b[4m{text}:\x1b[0m")
}

/// A group of commands, each with what it does.
fn section(command: &clap::Command, (title, names): &(&str, &[&str]), width: usize) -> String {
    let mut text = format!("{}\n", heading(title));
    for name in *names {
        let about = command.find_subcommand(name).and_then(clap::Command::get_about);
        let about = about.map(ToString::to_string).unwrap_or_default();
        let lines = wrap(&about, width.saturating_sub(INDENT).max(20));
        let between = format!("\n{:INDENT$}", "");
        let padded = format!("{name:<width$}", width = INDENT - 2);
        text.push_str(&format!("  \x1b[1m{padded}\x1b[0m{}\n", lines.join(&between)));
    }
    text.push('\n');
    text
}

/// Prints what a shell has to know to complete commands and options.
pub(super) fn completions(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut text = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "stormglass", &mut text);
    output::print_exactly(&String::from_utf8_lossy(&text))
}

/// Prints the manual page of the program, or writes one for each command.
pub(super) fn man(arguments: &ManArguments) -> Result<(), Failure> {
    let command = Arguments::command();
    match &arguments.out {
        None => {
            let mut text = Vec::new();
            let rendered = clap_mangen::Man::new(command).render(&mut text);
            rendered.map_err(|error| Failure::Machine(format!("error: {error}")))?;
            output::print_exactly(&String::from_utf8_lossy(&text))
        }
        Some(folder) => {
            let made = std::fs::create_dir_all(folder);
            made.and_then(|()| clap_mangen::generate_to(command, folder))
                .map_err(|error| write::failure(folder, &error))?;
            output::print(&format!("wrote the pages to {}\n", folder.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let mut command = Arguments::command();
        command.build();
        let mut known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let mut told: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        known.sort_unstable();
        told.sort_unstable();
        assert_eq!(known, told);
        assert!(told.iter().all(|name| name.len() + 4 <= INDENT));
    }
}
