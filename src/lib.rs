//! Stormglass: a deterministic simulator of distributed systems under failure.
//!
//! The rooms, lowest first; each imports only from those before it (`docs/architecture.md`).

pub mod kernel;
pub mod policy;
pub mod report;
