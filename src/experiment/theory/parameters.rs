//! The parameters of a law: numbers and words by name.

use indexmap::IndexMap;

use crate::model::problem::Problem;

/// The parameters of a law.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(pub IndexMap<String, Parameter>);

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// A number; seconds where it is a time, a second where it is a rate.
    Number(f64),
    /// A word that says which of several cases there is.
    Word(String),
}

impl Parameters {
    /// A number.
    ///
    /// # Errors
    /// If it is not there, or no number.
    pub fn number(&self, name: &str) -> Result<f64, Problem> {
        match self.0.get(name) {
            Some(Parameter::Number(number)) => Ok(*number),
            _ => Err(Problem::new(format!("the law needs the number `{name}`"))
                .expected(format!("`{name}` in `from` or `with`"))),
        }
    }

    /// A whole number from 0 on; others are cut off.
    ///
    /// # Errors
    /// As [`number`](Parameters::number).
    pub fn whole(&self, name: &str) -> Result<u32, Problem> {
        self.number(name).map(|number| number.clamp(0.0, 1e6) as u32)
    }

    /// A word; `None` if there is none of this name.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Parameter::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Sets a number.
    pub fn set(&mut self, name: &str, value: f64) {
        self.0.insert(name.to_owned(), Parameter::Number(value));
    }

    /// Whether a word is this one.
    #[must_use]
    pub fn says(&self, name: &str, word: &str) -> bool {
        self.word(name) == Some(word)
    }
}
