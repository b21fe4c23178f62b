//! `[rare]`, as it is written.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How likely is it that something grows so far, if that is too rare to wait for?
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RareText {
    /// What grows: `"in NODE"`, requests that are at a node, at work or waiting, or messages that
    /// are in a queue and not done with; `"oldest in NODE"`, for how many whole milliseconds the
    /// oldest of them has been there, as far as an event shows it.
    pub of: String,
    /// How far: so many, or so many milliseconds.
    pub reaches: u64,
    /// Until when it counts.
    #[serde(default)]
    pub before: Before,
    /// The levels on the way, ascending; without them, pilots find some that every second
    /// run passes.
    #[serde(default)]
    pub levels: Option<Vec<u64>>,
    /// How many runs begin at each level, for each seed.
    #[serde(default = "RareText::effort")]
    pub effort: u64,
}

/// Until when it counts that something grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// The end of the run.
    #[default]
    End,
    /// The first time that nothing is there any more, after something was.
    Empty,
}

impl RareText {
    fn effort() -> u64 {
        400
    }
}
