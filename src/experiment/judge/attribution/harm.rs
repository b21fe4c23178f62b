//! What went wrong in a run with and without each of its causes.

use serde::{Deserialize, Serialize};

/// What became of a run without each of its causes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Attribution {
    /// By what is counted: each objective, then each promise.
    pub harms: Vec<Harm>,
}

/// How often one thing went wrong, with and without each cause.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Harm {
    /// In the run.
    pub all: u64,
    /// Without any of its causes.
    pub none: u64,
    /// Without each of them, by its number in the plan.
    pub without: Vec<u64>,
    /// The Shapley value of each cause, times the factorial of their number: a whole number.
    pub shapley: Option<Vec<i64>>,
}

impl Harm {
    /// What all causes do together.
    #[must_use]
    pub fn whole(&self) -> i64 {
        self.all as i64 - self.none as i64
    }

    /// What the run has less of without a cause.
    #[must_use]
    pub fn part(&self, cause: usize) -> i64 {
        self.all as i64 - self.without[cause] as i64
    }

    /// What all causes do together less their parts.
    #[must_use]
    pub fn interactions(&self) -> i64 {
        self.whole() - (0..self.without.len()).map(|cause| self.part(cause)).sum::<i64>()
    }

    /// The Shapley value of a cause, if there is one.
    #[must_use]
    pub fn shapley(&self, cause: usize) -> Option<f64> {
        let values = self.shapley.as_ref()?;
        Some(values[cause] as f64 / factorial(values.len()) as f64)
    }
}

pub(super) fn factorial(number: usize) -> i64 {
    (1..=number as i64).product()
}
