//! The JSON Schema of experiments.

/// The JSON Schema of experiments: `schema/experiment.json`. What names mean and which numbers fit
/// together is beyond it.
pub const EXPERIMENT_SCHEMA: &str = include_str!("../../schema/experiment.json");

// Derived where it is tested, so that no other build waits for it.
#[cfg(test)]
mod keys;
#[cfg(test)]
pub(crate) use keys::derived_schema;
