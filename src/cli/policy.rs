//! `stormglass policy`: what real libraries and proxies do, by name.

use clap::Subcommand;

use super::{Failure, output};
use crate::model::presets;
use crate::report::policy;

/// What `policy` is told.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Lists every preset: its version, how far it has been proven, and where it was read.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows a preset: every number and where it comes from, its state and its delays.
    Show {
        /// Which one; without a version the newest.
        #[arg(value_name = "NAME[@VERSION]")]
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Prints what was asked for.
pub(super) fn policy(command: &PolicyCommand) -> Result<(), Failure> {
    let (width, colour) = (output::width(), output::colour_out());
    let text = match command {
        PolicyCommand::List { json: false } => policy::list(width, colour),
        PolicyCommand::List { json: true } => format!("{:#}\n", policy::list_json()),
        PolicyCommand::Show { name, json } => {
            let preset = presets::named(name)?;
            match json {
                false => policy::show(&preset, name, width, colour),
                true => format!("{:#}\n", policy::show_json(&preset)),
            }
        }
    };
    match command {
        PolicyCommand::List { json: true } | PolicyCommand::Show { json: true, .. } => {
            output::print_exactly(&text)
        }
        _ => output::print(&text),
    }
}
