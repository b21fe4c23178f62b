//! A model with every default filled in, and the schema of models.

use super::compile::Sections;
use super::document::Value;
use super::problem::Problem;

/// The complete model as a TOML table: sections in the order of the language, keys in the order of
/// their documentation. What is left out has no value: there is no limit, no policy, no such steps.
///
/// # Errors
/// Every section that cannot be read. Whether names and numbers fit together is said by
/// [`super::compile()`].
pub fn complete(document: &Value) -> Result<toml::Table, Vec<Problem>> {
    let mut problems = Vec::new();
    let sections = Sections::read(document, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    toml::Table::try_from(sections).map_err(|error| vec![Problem::new(error.to_string())])
}

/// The JSON Schema of models: `schema/model.json`. What names mean and which numbers fit together
/// is beyond it.
pub const MODEL_SCHEMA: &str = include_str!("../../schema/model.json");

/// The schema of models as the types say it: derived where it is tested, so that no other build
/// waits for it.
#[cfg(feature = "schema")]
pub fn derived_schema() -> schemars::Schema {
    schemars::schema_for!(Sections)
}
