//! `arrivals` of `[clients.NAME]`.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::one;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::{Rate, Share};

/// When users arrive. All but `closed` are open loops: a slow system does not slow its load.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// A Poisson process of this rate.
    Poisson(Rate),
    /// Equal gaps at this rate.
    Constant(Rate),
    /// A Poisson process whose rate changes in steps, ramps and spikes.
    Profile(Vec<ProfileStep>),
    /// A Poisson process whose rate goes up and down like a cosine, again and again.
    Daily(Daily),
    /// A Poisson process that is calm or in a burst, each for an exponential time: a two-state
    /// Markov-modulated Poisson process.
    Bursts(Bursts),
    /// Recorded arrivals.
    Trace(Trace),
    /// A closed loop: always the same users, each of whom thinks, goes through the flow, and does
    /// so again. A slow system slows its load, which hides overload.
    Closed(Closed),
}

/// From `at` on, this rate.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProfileStep {
    /// Since the start of the run.
    pub at: Span,
    /// The rate from then on.
    pub rate: Rate,
    /// A spike: the rate is as before from this time on. With `to`, the end of a ramp.
    #[serde(default)]
    pub until: Option<Span>,
    /// A ramp: the rate changes steadily, and has this value from `until` on.
    #[serde(default)]
    pub to: Option<Rate>,
}

/// A rate that goes up and down around its mean.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// The mean rate.
    pub mean: Rate,
    /// How far the rate goes above and below its mean, as a share of it.
    pub amplitude: Share,
    /// How long it takes to come round.
    #[serde(default = "one_day")]
    pub period: Span,
    /// When it is highest, since the start of the period.
    pub peak: Span,
    /// How much of the period is over when the run starts.
    #[serde(default)]
    pub start: Span,
}

/// Two rates that take turns at random.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// The rate while it is calm.
    pub calm: Rate,
    /// The rate in a burst.
    pub burst: Rate,
    /// How long it is calm, on average.
    pub calm_for: Span,
    /// How long a burst lasts, on average.
    pub burst_for: Span,
}

/// Arrivals recorded in a CSV file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The file, relative to the file that names it.
    pub path: String,
    /// The column that holds the timestamps: seconds as a number, or date and time.
    pub column: String,
    /// The sizes of the requests, for work that says `per_size`.
    #[serde(default)]
    pub size: Option<Size>,
    /// How many times faster the trace is played: 2 halves every gap.
    #[serde(default = "one_f64")]
    pub speed: f64,
    /// How many users arrive for each line, at its time.
    #[serde(default = "one")]
    pub copies: u32,
    /// How many times as many users arrive: with 1.5, every second line at random has one more,
    /// with 0.1 nine lines of ten have none.
    #[serde(default = "one_f64")]
    pub rate: f64,
}

/// Where a trace says how large each request is.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// The column, of numbers.
    pub column: String,
    /// The number that is the size 1.
    pub unit: f64,
}

/// Users of a closed loop.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// How many.
    pub users: u32,
    /// How long each thinks before each round, the first one included.
    pub think: Distribution,
}

fn one_f64() -> f64 {
    1.0
}

fn one_day() -> Span {
    Span::from_secs(86_400)
}
