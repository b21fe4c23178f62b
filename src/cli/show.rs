//! `stormglass show`: the complete model, and `stormglass schema`: what editors ask for.

use super::{Failure, SchemaArguments, SchemaOf, ShowArguments, load, output};
use crate::experiment::schema::experiment_schema;
use crate::model::show::model_schema;
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
    let schema = match arguments.of {
        SchemaOf::Model => model_schema(),
        SchemaOf::Experiment => experiment_schema(),
    };
    output::print_exactly(&format!("{:#}\n", schema.as_value()))
}
