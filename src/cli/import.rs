//! `stormglass import`: a configuration of another system as policies, with a note on every field.

use std::path::PathBuf;

use annotate_snippets::Level;

use super::load::{read_text, render};
use super::{Failure, output};
use crate::import::{self, Format};
use crate::model::document::Sources;
use crate::model::problem::Problem;

/// What `import` is told.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArguments {
    /// The configuration: Envoy, Istio, gRPC service config, resilience4j, AWS config, Polly,
    /// Linkerd or Gateway API.
    file: PathBuf,
    /// The format, if it cannot be recognised: envoy, istio, grpc, resilience4j, aws, polly,
    /// linkerd, gateway-api.
    #[arg(long, value_name = "NAME", value_parser = parse_format)]
    format: Option<Format>,
    /// Print what the arm of this name takes in an experiment, instead of what a model takes.
    #[arg(long, value_name = "NAME", conflicts_with = "json", value_parser = parse_arm)]
    arm: Option<String>,
    /// Print JSON instead of TOML.
    #[arg(long)]
    json: bool,
}

/// Reads a configuration and prints its policies.
pub(super) fn import(arguments: &ImportArguments) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let shown = arguments.file.display().to_string();
    let printed = read_text(&arguments.file, &mut sources).and_then(|source| {
        let import = import::read(&sources, source, arguments.format)?;
        let width = output::width().min(WIDTH_MAX);
        let text = match &arguments.arm {
            Some(name) => import::arm(&import, &shown, width, name),
            None if arguments.json => import::json(&import, &shown),
            None => import::toml(&import, &shown, width),
        };
        text.map_err(|problem| vec![problem])
    });
    match printed {
        Ok(text) => {
            output::print(&format!("{}\n", text.trim_end()))?;
            Ok(())
        }
        Err(problems) => Err(Failure::Input(render(&problems, &sources, &Level::ERROR))),
    }
}

/// Wider comments are hard to read.
const WIDTH_MAX: usize = 100;

/// A name that needs no quotes in TOML.
fn parse_arm(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("expected letters, digits, `-` and `_`".to_owned()),
    }
}

/// The format of this name.
pub(super) fn parse_format(text: &str) -> Result<Format, String> {
    let known = Format::ALL.map(Format::name);
    Format::find(text).ok_or_else(|| Problem::unknown("format", text, &known).to_string())
}
