//! What people call the invariants.

use crate::invariant::CATALOGUE;

/// The short name of what is counted when an invariant breaks.
#[must_use]
pub fn label(invariant: &str) -> &str {
    CATALOGUE.iter().find(|entry| entry.name == invariant).map_or(invariant, |entry| entry.label)
}
