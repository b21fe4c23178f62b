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
        return Err(Problem::unknown(
            &format!("version of the preset `{family}`"),
            version,
            &versions,
        ));
    }
    let mut names: Vec<&str> = presets::all().map(|preset| preset.name).collect();
    names.dedup();
    Err(Problem::unknown("preset", family, &names))
}

/// Copies of a call that run side by side, late replies, and ejected instances need more than a
/// caller that waits: a policy that is not run as it is meant is refused.
///
/// # Errors
/// What the policy needs and runs do not have.
pub fn runnable(policy: &Policy) -> Result<(), Problem> {
    let copies = policy.hedge.is_some() || policy.retry.is_some_and(|retry| retry.keep_timed_out);
    let late = policy.breaker.is_some_and(|breaker| breaker.hears_replies_after_timeout);
    if copies || late || policy.outlier.is_some() {
        let what = match (copies, late) {
            (true, _) => "copies of a running attempt",
            (_, true) => "a breaker that hears replies after their timeout",
            _ => "ejected instances",
        };
        return Err(Problem::new(format!("this policy needs {what}"))
            .expected("a policy without: runs do not have them"));
    }
    Ok(())
}
