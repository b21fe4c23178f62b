//! The engine of Stormglass: what a run is made of, and what judges and measures it.
//!
//! It is a crate of its own because it is what has to be fast: `Cargo.toml` has it optimised, and
//! what reads files, draws and writes around it not, which halves the time of a first build. Its
//! rooms form layers, of which each imports only from those below it (`docs/architecture.md`).
//! Programs use the crate `stormglass`, which has the parts of it that stay.

pub mod capacity;
pub mod fault;
pub mod invariant;
pub mod kernel;
pub mod metric;
pub mod model;
pub mod policy;
pub mod statistics;
pub mod system;
pub mod theory;
pub mod twin;
