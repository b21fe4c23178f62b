//! One comparison of an arm with the baseline.

use super::losses::Lost;
use super::measured::Source;
use super::modes::Modes;
use crate::statistics::Interval;
use crate::statistics::verdict::{Conclusion, Direction};

/// One arm against the baseline at one point, by one metric: arm - baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The index of the arm's cell in the campaign.
    pub cell: usize,
    /// The index of the baseline's.
    pub baseline: usize,
    /// What is compared, by its name in results.
    pub metric: String,
    /// What that is.
    pub source: Source,
    /// Whether it belongs to the declared family; otherwise it is exploratory.
    pub is_primary: bool,
    /// How it was compared.
    pub method: Method,
    /// Which way it is good.
    pub better: Direction,
    /// Seeds under which both have a value.
    pub pairs: u64,
    /// Seeds under which one has none.
    pub missing: u64,
    /// The arm's mean over these seeds; where there are none, over those of its values.
    pub mean: Option<f64>,
    /// The baseline's.
    pub baseline_mean: Option<f64>,
    /// The arm's runs that collapsed and the others apart, where there are both.
    pub modes: Option<Modes>,
    /// The baseline's.
    pub baseline_modes: Option<Modes>,
    /// The mean difference: exactly 0 for an arm and itself.
    pub difference: Option<f64>,
    /// Its interval, Student's or Newcombe's; `None` for fewer than three pairs of an amount, and
    /// where too few runs break a promise to tell how often it breaks.
    pub interval: Option<Interval>,
    /// Its BCa bootstrap interval, of primary amounts.
    pub bootstrap: Option<Interval>,
    /// The two-sided p-value of no difference.
    pub p: Option<f64>,
    /// The same, corrected over the declared family.
    pub p_holm: Option<f64>,
    /// The p-value that the arms differ by more than makes a difference, twice the larger one-sided
    /// one: at most 0.05 where the interval lies inside the region.
    pub p_equivalent: Option<f64>,
    /// The same, corrected over the declared family.
    pub p_equivalent_holm: Option<f64>,
    /// The mean difference in standard deviations of the differences: Cohen's d_z.
    pub effect_size: Option<f64>,
    /// The arm's mean over the baseline's.
    pub ratio: Option<f64>,
    /// Its BCa bootstrap interval, of primary amounts.
    pub ratio_interval: Option<Interval>,
    /// The differences that make no difference in practice.
    pub equivalent: Option<Interval>,
    /// Of what one arm threw away more than the other, of all that makes this metric look better.
    pub lost: Vec<Lost>,
    /// Which faults of theirs struck in none of the runs that are compared.
    pub untested: Vec<Faults>,
    /// Why the arm has no number of a promise.
    pub idle: Option<Idle>,
    /// Why the baseline has none.
    pub baseline_idle: Option<Idle>,
    /// What may be said.
    pub verdict: Conclusion,
}

impl Pair {
    /// Whether it compares how often a promise is broken.
    #[must_use]
    pub fn is_promise(&self) -> bool {
        matches!(self.source, Source::Rate(_))
    }
}

/// Faults of an arm, by how they came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Those that the experiment lists.
    Listed,
    /// Those that were drawn for each run.
    Random,
}

impl Faults {
    /// The word for files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Faults::Listed => "listed",
            Faults::Random => "random",
        }
    }
}

/// Why an arm has no number of how a promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Nothing could have broken it.
    NotExercised,
    /// What could have broken it was not due when the runs ended.
    NotJudged,
}

impl Idle {
    /// The words for tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Idle::NotExercised => "not exercised",
            Idle::NotJudged => "not judged",
        }
    }
}

/// How two arms are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// An amount: Student's t of paired differences.
    PairedT,
    /// Whether something happened: exact McNemar, Newcombe's interval.
    McNemar,
    /// How often a promise is broken, where few runs break it: the exact sign-flip test.
    SignFlip,
}

impl Method {
    /// The word for files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::PairedT => "paired t",
            Method::McNemar => "mcnemar",
            Method::SignFlip => "sign-flip",
        }
    }
}
