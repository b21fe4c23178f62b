//! Closed forms: what theory says of a model, and which number of a run it is to be compared with.
//!
//! An experiment names the law that its model follows and where in the model the law's parameters
//! stand (`[theory]`). The values are then computed from the model as it is run, patches included,
//! so that theory and simulation are told for any parameters.

mod account;
mod cache;
mod composition;
mod delivery;
mod drain;
mod latency;
mod law;
mod loss;
mod mean_field;
mod numeric;
mod observable;
mod parameters;
pub mod published;
mod queue;
mod retrial;
mod retry;
mod single_server;
mod text;

pub use law::Law;
pub use mean_field::{Folds, MeanField, MeanFieldText};
pub use observable::Observable;
pub use parameters::Parameters;
pub use text::TheoryText;

use crate::model::problem::Problem;

/// What theory says of one cell of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Theory {
    /// The law that the model follows.
    pub law: Law,
    /// Its parameters, as the model has them.
    pub parameters: Parameters,
    /// What the law says, of what is compared.
    pub quantities: Vec<Quantity>,
}

/// A number that theory gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// Its name, as published.
    pub name: String,
    /// Its value; seconds where it is a time.
    pub value: f64,
    /// What of a run it is the expectation of; `None` if a run does not show it.
    pub measured: Option<Observable>,
    /// How narrow an interval has to be: half of its width, as a share of the value.
    pub precision: f64,
}

impl Quantity {
    /// A number that a run shows.
    pub fn shown(name: impl Into<String>, value: f64, measured: Observable) -> Quantity {
        let name = name.into();
        let precision = precision(&name);
        Quantity { name, value, measured: Some(measured), precision }
    }

    /// A share of all requests. What happens to fewer than one in a thousand is not seen often
    /// enough to be compared: an interval of 1% would take more than 130 million requests where it
    /// happens independently, and several times as many where it comes in clusters.
    fn share(name: impl Into<String>, value: f64, measured: Observable) -> Quantity {
        match value > 0.0 && value < 0.999e-3 {
            true => Quantity::unseen(name, value),
            false => Quantity::shown(name, value, measured),
        }
    }

    /// A number that no run shows.
    fn unseen(name: impl Into<String>, value: f64) -> Quantity {
        let name = name.into();
        let precision = precision(&name);
        Quantity { name, value, measured: None, precision }
    }
}

/// 1%, but 3% for the 99.9th percentile and for variances, which need far longer runs.
fn precision(name: &str) -> f64 {
    if name.contains("0.999") || name.starts_with("var") { 0.03 } else { 0.01 }
}

/// Where servers are busy 90% of the time or more, intervals may be twice as wide. How long a run
/// has to be for an interval grows with 1 / (1 - load)^2 (Whitt: "Planning queueing simulations",
/// Management Science 35, 1989): to be as narrow as at 80%, runs at 95% had to be sixteen times as
/// long.
fn at_load(load: f64, mut all: Vec<Quantity>) -> Vec<Quantity> {
    if (0.9..1.1).contains(&load) {
        all.iter_mut().for_each(|quantity| quantity.precision *= 2.0);
    }
    all
}

/// What a law says under these parameters.
type Says = Result<Vec<Quantity>, Problem>;
