//! What a run costs: prices of what is counted in it, in the unit that the experiment names.
//!
//! A cost is computed in whole millionths of the unit, so that it is exact for every amount that
//! can be written, and rounded once for each part. Who does less pays less: what is lost costs
//! nothing unless it has a price.

mod amount;
pub(super) mod build;
mod cost;
mod counted;
pub mod language;
mod named;

use super::measure::metrics::{Metric, Of};
use crate::kernel::time::Span;
use crate::metric::MetricId;
pub use amount::Amount;
pub use counted::Counted;

/// The prices of an experiment for a program.
#[derive(Clone, Debug)]
pub struct Prices {
    /// The unit of all of them.
    pub currency: String,
    /// Each of them, in the order of the experiment.
    pub list: Vec<Price>,
}

/// What one of the things costs that are counted in a run.
#[derive(Clone, Debug)]
pub struct Price {
    /// Its name in results: `cost.NAME`.
    pub name: String,
    /// What tables and pictures call it.
    pub label: String,
    /// What is counted, as the experiment says it.
    pub what: String,
    /// What is counted.
    pub counted: Counted,
    /// What so many of them cost.
    pub amount: Amount,
    /// So many of them: a number of things, or of nanoseconds.
    pub per: u64,
    /// Whether nobody has looked it up.
    pub is_assumed: bool,
}

impl Prices {
    /// What tables call a metric of these; `None` of others.
    #[must_use]
    pub fn called(&self, metric: &Metric) -> Option<String> {
        match (metric.id, metric.of) {
            (MetricId::Cost, Of::Price(place)) => {
                Some(format!("{}, {}", self.list.get(place)?.label, self.currency))
            }
            (MetricId::Cost, _) => Some(format!("{}, {}", metric.name, self.currency)),
            _ => None,
        }
    }

    /// The labels of the prices that nobody has looked up.
    #[must_use]
    pub fn assumed(&self) -> Vec<&str> {
        self.list.iter().filter(|it| it.is_assumed).map(|it| it.label.as_str()).collect()
    }
}

impl Price {
    /// "0.08 for 1h of instances of api", as the experiment says it.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.counted.is_time(), self.per) {
            (true, per) => {
                format!("{} for {} of {}", self.amount, Span(per), self.what)
            }
            (false, 1) => format!("{} each for {}", self.amount, self.what),
            (false, per) => format!("{} for {per} of {}", self.amount, self.what),
        }
    }
}
