//! `check`, `minimize`, `replay`, `explain` and `compare-runs`, through the built program.

mod chosen;
mod exercised;
mod finding;
mod judged;
mod named;
mod names;
mod outcomes;
mod printed;
mod reach;
mod regressions;
mod report;

use std::path::Path;
use std::process::Command;

/// What a run of the program came to.
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) error: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the program in the project's folder, outside of any CI.
pub(super) fn stormglass(arguments: &[&str]) -> Ran {
    with_environment(arguments, &[])
}

fn with_environment(arguments: &[&str], environment: &[(&str, &Path)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.current_dir(root()).args(arguments);
    for name in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "TF_BUILD", "TEAMCITY_VERSION"] {
        command.env_remove(name);
    }
    for (name, value) in environment {
        command.env(name, value);
    }
    let output = command.output().expect("the program starts");
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        error: String::from_utf8(output.stderr).expect("text"),
    }
}

const CANARY: &str = "experiments/canary.toml";

pub(super) fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}
