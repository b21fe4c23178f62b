//! Pure decision machines: (state, input, now, draw) to a decision. They see no network, no queue
//! and no clock.
//!
//! [`Policy`] puts the machines around a call; [`presets`] has what real libraries and proxies do.

pub mod adaptive;
pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
mod composite;
pub mod hedge;
mod outcome;
pub mod presets;
pub mod rate_limit;
pub mod retry;

pub use composite::{Admission, Denial, GiveUp, Policy, Progress, State, Verdict};
pub use outcome::{OUTCOMES, Outcome, OutcomeSet, Response};
