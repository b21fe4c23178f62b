//! Parts of policies whose keys are not their fields: they are read as tables of keys, each of
//! which may be left out, and made of those beside the machine.

use std::fmt;

/// What is wrong with keys that were read: what, what was expected, and at which key, each on a
/// line of its own, which is how it passes through serde.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    what: String,
    expected: String,
    key: &'static str,
}

impl Wrong {
    /// Something is wrong with the table as a whole.
    pub fn new(what: impl Into<String>, expected: impl Into<String>) -> Wrong {
        Wrong { what: what.into(), expected: expected.into(), key: "" }
    }

    /// It is wrong at this key.
    #[must_use]
    pub fn at(self, key: &'static str) -> Wrong {
        Wrong { key, ..self }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wrong { what, expected, key } = self;
        write!(f, "{what}\n{expected}")?;
        if key.is_empty() { Ok(()) } else { write!(f, "\n{key}") }
    }
}

/// Declares a table in which every key may be left out; `as` says how a value is written, where its
/// type does not.
macro_rules! keys {
    (
        $(#[$about:meta])*
        $seen:vis struct $name:ident {
            $($(#[$of_key:meta])* $key:ident: $kind:ty $(as $with:literal)?,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(default, deny_unknown_fields)]
        $seen struct $name {
            $(
                $(#[$of_key])*
                #[serde(skip_serializing_if = "Option::is_none" $(, with = $with)?)]
                $seen $key: Option<$kind>,
            )*
        }

        impl $name {
            /// The keys that are given.
            fn written(&self) -> Vec<&'static str> {
                let mut keys = Vec::new();
                $(if self.$key.is_some() {
                    keys.push(stringify!($key));
                })*
                keys
            }

            /// Refuses keys that mean nothing for `what`.
            fn only(&self, what: &str, allowed: &[&[&str]]) -> Result<(), Wrong> {
                $crate::policy::keys::only(&self.written(), what, allowed)
            }
        }
    };
}

pub(super) use keys;

/// Declares that a choice is written as a table with its `kind` and the keys of that; it may also
/// be read as a table with the kind as its key. Without its kind a table may change numbers of a
/// preset.
macro_rules! by_kind {
    ($name:ident { $($variant:ident($rule:ident): $kind:literal,)* }) => {
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut kinds: Vec<schemars::Schema> = Vec::new();
                $(
                    kinds.push(schemars::json_schema!({
                        "type": "object",
                        "properties": { $kind: generator.subschema_for::<$rule>() },
                        "required": [$kind],
                        "additionalProperties": false,
                    }));
                    let mut kind = $rule::json_schema(generator);
                    let keys = kind.ensure_object().get_mut("properties");
                    let keys = keys.and_then(serde_json::Value::as_object_mut).expect("keys");
                    keys.insert("kind".to_owned(), serde_json::json!({ "const": $kind }));
                    kind.remove("required");
                    kinds.push(kind);
                )*
                schemars::json_schema!({ "anyOf": kinds })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                #[derive(serde::Serialize)]
                struct Kind<'a, T> {
                    kind: &'static str,
                    #[serde(flatten)]
                    rule: &'a T,
                }
                match self {
                    $($name::$variant(rule) => Kind { kind: $kind, rule }.serialize(serializer),)*
                }
            }
        }
    };
}

pub(super) use by_kind;

/// What has to be there may be that of a preset.
#[cfg(feature = "schema")]
pub(super) fn without_required(schema: &mut schemars::Schema) {
    schema.remove("required");
}

/// Refuses keys that mean nothing for `what`.
pub(super) fn only(written: &[&'static str], what: &str, allowed: &[&[&str]]) -> Result<(), Wrong> {
    let is_allowed = |key: &&&str| allowed.iter().any(|keys| keys.contains(key));
    match written.iter().find(|key| !is_allowed(key)) {
        None => Ok(()),
        Some(key) => Err(Wrong::new(
            format!("`{key}` means nothing for {what}"),
            format!("of: {}", allowed.concat().join(", ")),
        )
        .at(key)),
    }
}

/// A value that must be there.
pub(super) fn needed<T>(value: Option<T>, key: &'static str) -> Result<T, Wrong> {
    let wrong = || Wrong::new(format!("`{key}` is missing"), format!("`{key}` must be given here"));
    value.ok_or_else(wrong)
}

/// A number within bounds.
pub(super) fn within(key: &'static str, number: f64, from: f64, to: f64) -> Result<f64, Wrong> {
    if (from..=to).contains(&number) {
        return Ok(number);
    }
    let what = format!("`{key}` cannot be {number}");
    Err(Wrong::new(what, format!("a number from {from} to {to:e}")).at(key))
}
