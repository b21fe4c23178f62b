//! Policies: what presets retry, and policies as random processes: the independence of draws and
//! scopes, the closed forms they obey, and what becomes of both in a run.
//!
//! Every seed is fixed, so a test that passes once always passes. The stated probability is that of
//! a failure under another seed, if the policy is right.

mod breaker;
#[path = "../common/mod.rs"]
mod common;
mod composite;
mod connections;
mod ejection;
#[path = "../../examples/custom_policy.rs"]
#[expect(dead_code, reason = "only its table is wanted here")]
mod example;
mod independence;
mod leaks;
mod own;
mod presets;
mod retried;
mod running;
mod truths;
