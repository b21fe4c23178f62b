//! gRPC retry throttling (gRFC A6; grpc-go `clientconn.go` and `stream.go`).

/// The rule of gRPC retry throttling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throttle {
    /// How many tokens there are at most, and at the start.
    pub max_tokens: f64,
    /// What each success adds; each failure takes one.
    pub token_ratio: f64,
    /// Whether the level is looked at after the back-off instead of before it (grpc-js): then a
    /// denied call is held for the whole back-off first.
    pub after_wait: bool,
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
