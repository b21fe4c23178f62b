//! Lengths of time that stand in a CSV file: they replace the place in a document that names them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::column::Columns;
use super::deserialize::read;
use super::document::{Data, Value};
use super::problem::Problem;
use super::quantity::{RECORDED_MAX, parse_duration};

/// Reads a file that a model names, by its path as written.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, Problem>;

/// A column of numbers of a CSV file, each a length of time.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The file, relative to the file that names it.
    pub path: String,
    /// The column that holds the lengths, as plain numbers.
    pub column: String,
    /// The unit of the numbers: `"ms"`.
    pub unit: String,
}

/// The document with every `{ empirical = { path, column, unit } }` as the list of lengths that the
/// file holds.
///
/// # Errors
/// If a file cannot be read, or does not hold lengths of time.
pub fn with_recordings<'d>(
    document: &'d Value,
    read_file: ReadFile<'_>,
) -> Result<Cow<'d, Value>, Problem> {
    if !names_recording(document) {
        return Ok(Cow::Borrowed(document));
    }
    let mut document = document.clone();
    fill(&mut document, read_file)?;
    Ok(Cow::Owned(document))
}

/// The value of a table whose one key is `empirical`, if it names a file.
fn recording(value: &Value) -> Option<&Value> {
    let Data::Table(fields) = &value.data else { return None };
    let lengths = fields.get("empirical").filter(|_| fields.len() == 1)?;
    matches!(lengths.value.data, Data::Table(_)).then_some(&lengths.value)
}

fn names_recording(value: &Value) -> bool {
    recording(value).is_some()
        || match &value.data {
            Data::Table(fields) => fields.values().any(|field| names_recording(&field.value)),
            Data::List(values) => values.iter().any(names_recording),
            _ => false,
        }
}

fn fill(value: &mut Value, read_file: ReadFile<'_>) -> Result<(), Problem> {
    let lengths = match recording(value) {
        Some(recording) => Some(lengths(recording, read_file)?),
        None => None,
    };
    match (&mut value.data, lengths) {
        (Data::Table(fields), Some(lengths)) => {
            fields.values_mut().for_each(|field| field.value.data = Data::List(lengths.clone()));
        }
        (Data::Table(fields), None) => {
            for field in fields.values_mut() {
                fill(&mut field.value, read_file)?;
            }
        }
        (Data::List(values), _) => {
            for value in values {
                fill(value, read_file)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn lengths(text: &Value, read_file: ReadFile<'_>) -> Result<Vec<Value>, Problem> {
    let recording: Recording = read(text)?;
    let file = read_file(&recording.path).map_err(|problem| problem.inside("path"));
    file.and_then(|file| column(&recording, &file))
        .map(|lengths| {
            let value = |length| Value { data: Data::Text(length), at: text.at };
            lengths.into_iter().map(value).collect()
        })
        .map_err(|problem| problem.located(text, &[]))
}

fn column(recording: &Recording, file: &str) -> Result<Vec<String>, Problem> {
    if parse_duration(&format!("1{}", recording.unit)).is_none() {
        return Err(Problem::new(format!("`{}` is no unit of time", recording.unit))
            .expected("one of ns, us, ms, s, min, h, d")
            .inside("unit"));
    }
    let mut columns = Columns::new(&recording.path, file);
    let column = columns.find("column", &recording.column)?;
    let mut lengths = Vec::new();
    while let Some(row) = columns.next_row()? {
        let length = format!("{}{}", row.field(column), recording.unit);
        if parse_duration(&length).is_none() {
            let field = row.field(column);
            let expected = "a number of at least 0 such as 12.5, of at most a century";
            return Err(row.wrong(&format!("`{field}` is no length")).expected(expected));
        }
        if lengths.len() == RECORDED_MAX {
            return Err(Problem::new(format!("more than {RECORDED_MAX} lengths are recorded"))
                .expected("a sample of them")
                .inside("path"));
        }
        lengths.push(length);
    }
    if lengths.is_empty() {
        return Err(Problem::new(format!("`{}` has no rows", recording.path))
            .expected("a row for each length")
            .inside("path"));
    }
    Ok(lengths)
}
