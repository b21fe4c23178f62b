//! gRPC retry throttling (gRFC A6; grpc-go `clientconn.go` and `stream.go`).

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::quantity::Number;

/// The rule of gRPC retry throttling; the defaults are those of gRFC A6.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// The most tokens; it starts full. 10 by default.
    #[serde(with = "Number::<0, 1000>")]
    pub max_tokens: f64,
    /// Tokens that a success adds; a failure takes one. 0.1 by default.
    #[serde(with = "Number::<0, 1000>")]
    pub token_ratio: f64,
    /// Whether the level is looked at after the back-off instead of before it (grpc-js): then a
    /// denied call is held for the whole back-off first. False by default.
    pub after_wait: bool,
}

impl Default for Throttle {
    fn default() -> Throttle {
        Throttle { max_tokens: 10.0, token_ratio: 0.1, after_wait: false }
    }
}

/// The tokens of one server name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThrottleState {
    tokens: f64,
}

impl Throttle {
    /// A full bucket.
    #[must_use]
    pub fn state(&self) -> ThrottleState {
        ThrottleState { tokens: self.max_tokens }
    }

    /// An attempt succeeded.
    pub fn succeed(&self, state: &mut ThrottleState) {
        state.tokens = (state.tokens + self.token_ratio).min(self.max_tokens);
    }

    /// An attempt failed in a way that the retry rule names.
    pub fn fail(&self, state: &mut ThrottleState) {
        state.tokens = (state.tokens - 1.0).max(0.0);
    }

    /// Whether retries are on: only above half.
    #[must_use]
    pub fn allows(&self, state: &ThrottleState) -> bool {
        state.tokens > self.max_tokens / 2.0
    }
}

impl ThrottleState {
    /// The tokens left.
    #[must_use]
    pub fn tokens(&self) -> f64 {
        self.tokens
    }
}
