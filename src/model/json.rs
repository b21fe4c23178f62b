//! JSON as the same language: parsed by `jsonc-parser`, which keeps places, with every extension
//! of JSON switched off; and JSON as other programs' configurations have it.

use indexmap::IndexMap;
use jsonc_parser::ast;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};

use super::document::{Data, Field, Location, Sources, Value};
use super::problem::{Problem, shortened};

/// Deeper nesting than this is refused before it is parsed.
const DEPTH_MAX: usize = 64;

/// What is read beside JSON itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// Nothing.
    Strict,
    /// Comments and trailing commas, and null is as if it were not written: what .NET reads as
    /// configuration.
    Configuration,
}

impl Value {
    /// Parses the file `source` as JSON, whatever its name is.
    ///
    /// # Errors
    /// The first thing that is not JSON, or something else than a table at the top.
    pub fn parse_json(sources: &Sources, source: usize) -> Result<Value, Vec<Problem>> {
        let value = parse(sources.text(source), source, Dialect::Strict);
        let value = value.map_err(|problem| vec![problem])?;
        match value.data {
            Data::Table(_) => Ok(value),
            other => {
                let found = other.describe();
                let problem = Problem::new(format!("expected a table at the top, found {found}"));
                Err(vec![problem.at(value.at).expected("{ \"name\": … }")])
            }
        }
    }

    /// Parses a text of the file `source` as JSON with comments, trailing commas and keys without a
    /// value, as configurations of other programs have them; at the top may be a list.
    ///
    /// # Errors
    /// The first error of syntax.
    pub fn parse_configuration(text: &str, source: usize) -> Result<Value, Problem> {
        parse(text, source, Dialect::Configuration)
    }
}

/// Parses a JSON text; `source` is its index among the sources.
///
/// # Errors
/// The first thing that is not JSON, a key that is written twice, or too deep a nesting.
fn parse(text: &str, source: usize, dialect: Dialect) -> Result<Value, Problem> {
    refuse_deep_nesting(text, source)?;
    let collect = CollectOptions { comments: CommentCollectionStrategy::Off, tokens: false };
    let is_lenient = dialect == Dialect::Configuration;
    let options = ParseOptions {
        allow_comments: is_lenient,
        allow_loose_object_property_names: false,
        allow_trailing_commas: is_lenient,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_extended_string_escapes: false,
        allow_non_finite_numbers: false,
    };
    let parsed = parse_to_ast(text, &collect, &options).map_err(|error| {
        Problem::new(error.kind().to_string().to_lowercase())
            .at(place(error.range(), source))
            .expected("valid JSON")
    })?;
    let value = parsed.value.ok_or_else(|| {
        Problem::new("the file is empty")
            .at(Location { source, start: 0, end: 0 })
            .expected("{ … }")
    })?;
    convert(&value, source, dialect)
}

/// Brackets inside strings count too: no model comes near the limit.
fn refuse_deep_nesting(text: &str, source: usize) -> Result<(), Problem> {
    let mut depth = 0_usize;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            let at = Location { source, start: position, end: position + 1 };
            return Err(Problem::new("nested too deeply")
                .at(at)
                .expected(format!("at most {DEPTH_MAX} levels")));
        }
    }
    Ok(())
}

fn place(range: Range, source: usize) -> Location {
    Location { source, start: range.start, end: range.end }
}

fn convert(value: &ast::Value<'_>, source: usize, dialect: Dialect) -> Result<Value, Problem> {
    let at = place(value.range(), source);
    let data = match value {
        ast::Value::StringLit(text) => Data::Text(text.value.to_string()),
        ast::Value::NumberLit(number) => convert_number(number.value, at)?,
        ast::Value::BooleanLit(boolean) => Data::Boolean(boolean.value),
        ast::Value::NullKeyword(_) => {
            return Err(Problem::new("null has no meaning here")
                .at(at)
                .expected("leave the key out to get its default"));
        }
        ast::Value::Array(array) => Data::List(
            array
                .elements
                .iter()
                .filter(|value| {
                    let is_nothing = matches!(value, ast::Value::NullKeyword(_));
                    !(is_nothing && dialect == Dialect::Configuration)
                })
                .map(|value| convert(value, source, dialect))
                .collect::<Result<_, _>>()?,
        ),
        ast::Value::Object(object) => {
            let mut fields = IndexMap::new();
            for property in &object.properties {
                let key_at = place(property.name.range(), source);
                let is_nothing = matches!(property.value, ast::Value::NullKeyword(_));
                if is_nothing && dialect == Dialect::Configuration {
                    continue;
                }
                let value = convert(&property.value, source, dialect)?;
                let name = property.name.as_str().to_owned();
                if fields.insert(name, Field { key_at, value }).is_some() {
                    return Err(Problem::new("this name is written twice")
                        .at(key_at)
                        .expected("one place for each name"));
                }
            }
            Data::Table(fields)
        }
    };
    Ok(Value { data, at })
}

fn convert_number(text: &str, at: Location) -> Result<Data, Problem> {
    if let Ok(integer) = text.parse() {
        return Ok(Data::Integer(integer));
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Data::Float(number)),
        _ => Err(Problem::new(format!("`{}` is not a finite number", shortened(text)))
            .at(at)
            .expected("a finite number")),
    }
}
