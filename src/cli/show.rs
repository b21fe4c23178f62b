//! `stormglass show`: the complete model, and `stormglass schema`: what editors ask for.

use super::{Failure, SchemaArguments, SchemaOf, ShowArguments, load, output};
use crate::experiment::plan::schema::{BUDGET_SCHEMA, EXPERIMENT_SCHEMA};
use crate::model::show::MODEL_SCHEMA;
use crate::report::model::model_text;

/// Prints a model with every default filled in.
pub(super) fn show(arguments: &ShowArguments) -> Result<(), Failure> {
    let model = load::load_model(arguments)?;
    match arguments.json {
        true => output::print_exactly(&format!("{:#}\n", serde_json::json!(model))),
        false => output::print_exactly(&model_text(&model)),
    }
}

/// Prints a JSON Schema.
pub(super) fn schema(arguments: &SchemaArguments) -> Result<(), Failure> {
    output::print_exactly(match arguments.of {
        SchemaOf::Model => MODEL_SCHEMA,
        SchemaOf::Experiment => EXPERIMENT_SCHEMA,
        SchemaOf::Budget => BUDGET_SCHEMA,
    })
}

#[cfg(test)]
mod tests {
    use crate::{experiment, model};

    /// `STORMGLASS_SCHEMA=write cargo test --lib schema` makes them so.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "whether files are written, not what they say")]
    fn the_schemas_in_the_folder_are_current() {
        let writes = std::env::var("STORMGLASS_SCHEMA").is_ok_and(|what| what == "write");
        let derived = [
            ("model", model::show::derived_schema()),
            ("experiment", experiment::plan::schema::derived_schema()),
            ("budget", schemars::schema_for!(experiment::budget::language::BudgetText)),
        ];
        for (name, schema) in derived {
            let path = format!("{}/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
            let current = format!("{:#}\n", schema.as_value());
            if writes {
                std::fs::write(&path, &current).expect("a file that can be written");
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            let hint = "STORMGLASS_SCHEMA=write cargo test --lib schema";
            assert!(committed == current, "schema/{name}.json is not current: {hint}");
        }
    }
}
