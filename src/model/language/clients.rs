//! `[clients.NAME]`: who asks, when, and about what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{one, step::Step};
use crate::kernel::time::Span;
use crate::model::quantity::Rate;

/// `[clients.NAME]`: users who send requests.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// How many client processes: each has its own retry budgets and breakers.
    #[serde(default = "one")]
    pub processes: u32,
    /// When users arrive.
    pub arrivals: Arrivals,
    /// Which key a user is about.
    #[serde(default)]
    pub keys: Keys,
    /// How long a user waits for one request, retries included.
    #[serde(default)]
    pub patience: Option<Span>,
    /// What a user does: calls and pauses.
    pub flow: Vec<Step>,
    /// The zone that it is in.
    #[serde(default)]
    pub zone: Option<String>,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
}

/// When users arrive: an open loop, so that a slow system does not slow its load.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// A Poisson process of this rate.
    Poisson(Rate),
    /// Equal gaps at this rate.
    Constant(Rate),
    /// A Poisson process whose rate changes in steps.
    Profile(Vec<ProfileStep>),
    /// Recorded arrivals.
    Trace(Trace),
}

/// From `at` on, this rate.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileStep {
    /// Since the start of the run.
    pub at: Span,
    /// The rate from then on.
    pub rate: Rate,
}

/// Arrivals recorded in a CSV file.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The file, relative to the file that names it.
    pub path: String,
    /// The column that holds the timestamps: seconds as a number, or date and time.
    pub column: String,
    /// How many times faster the trace is played: 2 halves every gap.
    #[serde(default = "one_f64")]
    pub speed: f64,
    /// How many users arrive for each line, at its time.
    #[serde(default = "one")]
    pub copies: u32,
}

/// Which key a user is about.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Keys {
    /// Each of so many keys is equally likely.
    Uniform(u32),
    /// Key `k` of `of` has weight `1 / k^exponent`.
    Zipf {
        /// The exponent.
        exponent: f64,
        /// How many keys.
        of: u32,
    },
}

impl Default for Keys {
    fn default() -> Keys {
        Keys::Uniform(1)
    }
}

fn one_f64() -> f64 {
    1.0
}
