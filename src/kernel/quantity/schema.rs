//! How quantities are written, for editors: each is a pattern of text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{COUNT, Count, DURATION, RATE, Rate, SHARE, Share};
use crate::kernel::time::Span;

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
