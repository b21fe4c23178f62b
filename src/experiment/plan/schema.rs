//! The JSON Schemas of experiments and budgets.

/// The JSON Schema of experiments: `schema/experiment.json`. What names mean and which numbers fit
/// together is beyond it.
pub const EXPERIMENT_SCHEMA: &str = include_str!("../../../schema/experiment.json");

/// The JSON Schema of files for `stormglass budget`: `schema/budget.json`.
pub const BUDGET_SCHEMA: &str = include_str!("../../../schema/budget.json");

// Derived where it is tested, so that no other build waits for it.
#[cfg(test)]
mod keys;
#[cfg(test)]
pub(crate) use keys::derived_schema;
