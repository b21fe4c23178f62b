//! How lengths of time that vary are written, for editors.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::distribution::DISTRIBUTION;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::recording::Recording;

impl JsonSchema for Distribution {
    fn schema_name() -> Cow<'static, str> {
        "Distribution".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let lengths = generator.subschema_for::<Vec<Span>>();
        let recording = generator.subschema_for::<Recording>();
        json_schema!({
            "description": DISTRIBUTION,
            "oneOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "description": "Recorded lengths, each as likely as any other.",
                    "properties": { "empirical": { "oneOf": [lengths, recording] } },
                    "required": ["empirical"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
