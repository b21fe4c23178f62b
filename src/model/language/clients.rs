//! `[clients.NAME]`: who asks, when, and about what.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrivals::Arrivals;
use super::{one, step::Step};
use crate::kernel::time::Span;
use crate::model::quantity::Share;

/// `[clients.NAME]`: users who send requests.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
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
    /// Which thing within its key a user is about, such as the seat of a concert.
    #[serde(default)]
    pub subkeys: Keys,
    /// A part of the users that is about one key, which changes from time to time.
    #[serde(default)]
    pub hot: Option<Hot>,
    /// How long a user waits for one request, retries included.
    #[serde(default)]
    pub patience: Option<Span>,
    /// What a user does: calls and pauses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flow: Vec<Step>,
    /// Instead of `flow`: several things that users do, each in its share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mix: Vec<Choice>,
    /// The zone that it is in.
    #[serde(default)]
    pub zone: Option<String>,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
}

/// One of several things that users do.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// How often it is chosen, in proportion to the weights of the others.
    pub weight: f64,
    /// What the user does then: calls and pauses.
    pub flow: Vec<Step>,
}

/// A key that is hot for a while: a part of the users is about it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hot {
    /// The part of the users that is about the hot key; the others are about any key.
    pub share: Share,
    /// How long a key stays hot before another one is.
    pub every: Span,
}

/// Which key a user is about.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
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
