//! The version of the files of results, and how JSON is written in them.

use serde_json::Value;

/// The version of the formats of results.
pub const FORMAT: u32 = 5;

/// JSON as people read it.
pub(super) fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("values are plain data");
    text.push('\n');
    text
}
