//! Pure decision machines: (state, input, now, draw) to a decision. They see no network, no queue
//! and no clock.
//!
//! [`Policy`] puts the machines around a call. What real libraries and proxies do is in files,
//! which the room of models reads.

pub mod adaptive;
pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
pub mod codel;
mod composite;
pub mod connections;
pub mod custom;
pub mod deadline;
pub mod hedge;
pub mod keys;
pub mod limit;
mod outcome;
pub mod outlier;
pub mod rate_limit;
pub mod retry;
mod rolling;
mod scope;
pub mod throttling;

pub use composite::{Admission, AfterAttempt, Denial, GiveUp, Holdings, Policy, Progress, State};
pub use outcome::{Code, Errors, Outcome, OutcomeKind, OutcomeSet, Response, Status};
pub use scope::Scope;
