//! The parameters of a law: numbers and words by name.

use indexmap::IndexMap;

use crate::model::problem::Problem;

/// How many servers and places a law is computed for.
pub(super) const MOST_SERVERS: u32 = 100_000;

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
            Some(Parameter::Word(word)) => Err(Problem::new(format!(
                "the law needs the number `{name}`, and it is the word `{word}`"
            ))
            .expected("a number")
            .inside(name)),
            None => Err(Problem::new(format!("the law needs the number `{name}`"))
                .expected(format!("`{name}` in `from` or `with`"))),
        }
    }

    /// A number above 0.
    ///
    /// # Errors
    /// If it is not there, or not above 0.
    pub fn positive(&self, name: &str) -> Result<f64, Problem> {
        let number = self.number(name)?;
        match number > 0.0 && number.is_finite() {
            true => Ok(number),
            false => Err(beyond(name, number, "a number above 0")),
        }
    }

    /// A probability.
    ///
    /// # Errors
    /// If it is not there, or not from 0 to 1.
    pub fn share(&self, name: &str) -> Result<f64, Problem> {
        let number = self.number(name)?;
        match (0.0..=1.0).contains(&number) {
            true => Ok(number),
            false => Err(beyond(name, number, "a number from 0 to 1")),
        }
    }

    /// A whole number from 1 to `most`.
    ///
    /// # Errors
    /// If it is not there, or another one.
    pub fn whole(&self, name: &str, most: u32) -> Result<u32, Problem> {
        let number = self.number(name)?;
        match number.fract() == 0.0 && (1.0..=f64::from(most)).contains(&number) {
            true => Ok(number as u32),
            false => Err(beyond(name, number, &format!("a whole number from 1 to {most}"))),
        }
    }

    /// A word; `None` if there is none of this name.
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
    pub fn says(&self, name: &str, word: &str) -> bool {
        self.word(name) == Some(word)
    }
}

/// A parameter that the law is not about.
fn beyond(name: &str, number: f64, expected: &str) -> Problem {
    Problem::new(format!("the law is not about `{name}` = {number}"))
        .expected(expected)
        .inside(name)
}

/// Refuses a load that servers cannot bear: there is no steady state. The load is what they are
/// asked for, as a share of what they can do.
///
/// # Errors
/// If it is not below 1.
pub(super) fn steady(load: f64) -> Result<(), Problem> {
    match load < 1.0 {
        true => Ok(()),
        false => Err(Problem::new(format!(
            "the law is about a steady state, and there is none at a load of {:.1}%",
            100.0 * load
        ))
        .expected("a load below 100%, or an experiment without `[theory]`")),
    }
}
