//! Presets by name.

use crate::model::problem::Problem;
use crate::policy::Policy;
use crate::policy::presets::{self, Preset};

/// The preset of this name, `NAME` or `NAME@VERSION`; without a version the newest.
///
/// # Errors
/// If there is none; the nearest is named.
pub fn find(name: &str) -> Result<&'static Preset, Problem> {
    let (family, version) = match name.split_once('@') {
        Some((family, version)) => (family, Some(version)),
        None => (name, None),
    };
    if let Some(preset) = presets::find(family, version) {
        return Ok(preset);
    }
    let versions: Vec<&str> = presets::all()
        .filter(|preset| preset.name == family)
        .map(|preset| preset.version)
        .collect();
    if let (Some(version), false) = (version, versions.is_empty()) {
        return Err(Problem::unknown("version", version, &versions));
    }
    let mut names: Vec<&str> = Vec::new();
    for preset in presets::all() {
        if !names.contains(&preset.name) {
            names.push(preset.name);
        }
    }
    Err(Problem::unknown("preset", family, &names))
}

/// Who is ejected must be known where an instance is chosen, and that is not yet asked: a policy
/// that is not run as it is meant is refused.
///
/// # Errors
/// What the policy needs and runs do not have.
pub fn runnable(policy: &Policy) -> Result<(), Problem> {
    match policy.outlier {
        None => Ok(()),
        Some(_) => Err(Problem::new("this policy ejects instances, and runs do not")
            .expected("a policy without: `without = [\"outlier\"]` leaves it out of a preset")),
    }
}
