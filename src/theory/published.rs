//! Published numbers: rows of a CSV file with the columns `id,group,params,quantity,value,formula`.

use indexmap::IndexMap;
use serde::Deserialize;

use super::parameters::{Parameter, Parameters};
use super::{Quantity, Theory};
use crate::model::problem::Problem;

/// One published number.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name, such as `MM1-001`.
    pub id: String,
    /// The law.
    pub group: String,
    /// Under which parameters.
    pub parameters: Parameters,
    /// What it is.
    pub quantity: String,
    /// How much it is.
    pub value: f64,
}

/// The columns of the file.
#[derive(Deserialize)]
struct Columns {
    id: String,
    group: String,
    params: String,
    quantity: String,
    value: f64,
}

impl Row {
    /// Reads a file of published numbers.
    ///
    /// # Errors
    /// The first line that is not as it should be.
    pub fn read_all(text: &str) -> Result<Vec<Row>, Problem> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.deserialize::<Columns>().map(|columns| read(columns.map_err(wrong)?)).collect()
    }

    /// Whether it is the number that a theory gives for a quantity. A word of the theory may be the
    /// beginning of the published one.
    pub fn is_of(&self, theory: &Theory, quantity: &Quantity) -> bool {
        let own = &theory.parameters.0;
        self.group == theory.law.group()
            && self.quantity == quantity.name
            && self.parameters.0.iter().all(|(name, value)| match (value, own.get(name)) {
                (Parameter::Number(value), Some(Parameter::Number(own))) => {
                    (value - own).abs() <= 1e-6 * value.abs()
                }
                (Parameter::Word(word), Some(Parameter::Word(own))) => word.starts_with(own),
                _ => false,
            })
    }
}

fn read(columns: Columns) -> Result<Row, Problem> {
    let Columns { id, group, params, quantity, value } = columns;
    let fields: IndexMap<String, serde_json::Value> =
        serde_json::from_str(&params).map_err(wrong)?;
    let parameter = |(name, value): (String, serde_json::Value)| {
        let parameter = match value {
            serde_json::Value::String(word) => Parameter::Word(word),
            value => Parameter::Number(value.as_f64()?),
        };
        Some((name, parameter))
    };
    // What is true or false describes the model and is no number.
    let parameters = Parameters(fields.into_iter().filter_map(parameter).collect());
    Ok(Row { id, group, parameters, quantity, value })
}

fn wrong(error: impl std::fmt::Display) -> Problem {
    Problem::new(format!("this is no file of published numbers: {error}"))
        .expected("the columns id, group, params (a JSON object), quantity, value and formula")
}
