//! Results as columns of one type each, and these as CSV. `report::parquet` writes the same.

use super::escape;

/// The values of a column. Only numbers and flags can be missing in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Names and other text.
    Text(Vec<String>),
    /// Whole numbers: counts, seeds.
    Count(Vec<u64>),
    /// Numbers with a fraction.
    Number(Vec<Option<f64>>),
    /// Yes or no.
    Flag(Vec<Option<bool>>),
}

/// A column with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name, with the unit.
    pub name: String,
    /// Its values, one for each row.
    pub values: Values,
}

impl Column {
    pub fn text(name: impl Into<String>, values: impl Iterator<Item = String>) -> Column {
        Column { name: name.into(), values: Values::Text(values.collect()) }
    }

    /// A column of whole numbers.
    pub fn count(name: impl Into<String>, values: impl Iterator<Item = u64>) -> Column {
        Column { name: name.into(), values: Values::Count(values.collect()) }
    }

    /// A column of numbers, some of which may be missing.
    pub fn number(name: impl Into<String>, values: impl Iterator<Item = Option<f64>>) -> Column {
        Column { name: name.into(), values: Values::Number(values.collect()) }
    }

    /// A column of flags, some of which may be missing.
    pub fn flag(name: impl Into<String>, values: impl Iterator<Item = Option<bool>>) -> Column {
        Column { name: name.into(), values: Values::Flag(values.collect()) }
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        match &self.values {
            Values::Text(values) => values.len(),
            Values::Count(values) => values.len(),
            Values::Number(values) => values.len(),
            Values::Flag(values) => values.len(),
        }
    }

    /// A field as text; empty where a value is missing.
    fn field(&self, row: usize) -> String {
        match &self.values {
            Values::Text(values) => escape::csv(&values[row]),
            Values::Count(values) => values[row].to_string(),
            Values::Number(values) => values[row].map(|n| n.to_string()).unwrap_or_default(),
            Values::Flag(values) => values[row].map(|flag| flag.to_string()).unwrap_or_default(),
        }
    }
}

/// The columns as CSV: a line with their names, and one for each row.
///
/// # Panics
/// If the columns differ in length.
pub fn csv(columns: &[Column]) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    let failed = "writing to memory does not fail";
    table.write_record(columns.iter().map(|column| &column.name)).expect(failed);
    for row in 0..columns.first().map_or(0, Column::rows) {
        table.write_record(columns.iter().map(|column| column.field(row))).expect(failed);
    }
    String::from_utf8(table.into_inner().expect(failed)).expect("every field is text")
}
