//! How quantities are written, for editors: each is a pattern of text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::distribution::DISTRIBUTION;
use super::{COUNT, Count, DURATION, RATE, Rate, SHARE, Share};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::recording::Recording;

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": DURATION,
            "pattern": r"^\s*[0-9][0-9._]*\s*(ns|us|µs|ms|s|min|h|d)\s*$",
        })
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": RATE,
            "pattern": r"^\s*[0-9][0-9._]*\s*/\s*(s|min|h)\s*$",
        })
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": SHARE,
            "oneOf": [
                { "type": "number", "minimum": 0, "maximum": 1 },
                { "type": "string", "pattern": r"^\s*[0-9][0-9._]*\s*%\s*$" },
            ],
        })
    }
}

impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": COUNT,
            "oneOf": [
                { "type": "integer", "minimum": 0, "maximum": 3_999_999_999_u32 },
                { "const": "unlimited" },
            ],
        })
    }
}

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
