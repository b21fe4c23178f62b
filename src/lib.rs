//! Stormglass: a deterministic simulator of distributed systems under failure.
//!
//! The rooms, lowest first; each imports only from those before it (`docs/architecture.md`).

pub mod experiment;
pub mod kernel;
pub mod model;
pub mod policy;
pub mod system;
