//! One published figure.

use serde::{Deserialize, Serialize};

/// A number that somebody published.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What of a run it is, by its name in results.
    pub metric: String,
    /// What over the runs it is.
    pub statistic: Statistic,
    /// How much it is.
    pub value: f64,
    /// Its standard error; `None` if it is not published.
    pub standard_error: Option<f64>,
    /// How many runs it rests on; `None` if it is exact, or not published.
    pub runs: Option<u64>,
    /// How much it may be off because it was rounded, or read from a picture.
    pub tolerance: Tolerance,
    /// What tells it from other figures of the same; empty if nothing does.
    pub remark: String,
}

/// What over the runs a figure is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// The mean of the runs.
    Mean,
    /// The share of the runs in which something happened.
    Share,
    /// This quantile of the runs.
    Quantile(f64),
}

/// How much a figure may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// This much.
    Absolute(f64),
    /// This share of it.
    Relative(f64),
}

/// A number of one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reading {
    Number(f64),
    /// There is no such number in this run: nothing recovered, nothing was answered.
    Nothing,
    /// A limit ended the run, so that nothing can be said.
    CutOff,
}

impl Figure {
    /// What tables call it: `calls`, `median of recovery_s`, `recovery_s (of a fluid)`.
    pub fn name(&self) -> String {
        let name = match self.statistic {
            Statistic::Mean | Statistic::Share => self.metric.clone(),
            Statistic::Quantile(0.5) => format!("median of {}", self.metric),
            Statistic::Quantile(p) => format!("p{} of {}", p * 100.0, self.metric),
        };
        if self.remark.is_empty() { name } else { format!("{name} ({})", self.remark) }
    }

    /// How much it may be off, in its own unit.
    pub fn off(&self) -> f64 {
        match self.tolerance {
            Tolerance::Absolute(tolerance) => tolerance,
            Tolerance::Relative(share) => share * self.value.abs(),
        }
    }
}
