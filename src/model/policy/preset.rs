//! Presets by name.

use crate::model::problem::Problem;
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
