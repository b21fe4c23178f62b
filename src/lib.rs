//! Stormglass: a deterministic simulator of distributed systems under failure.
//!
//! A system is a file in `models/`, a question about it is a file in `experiments/`, and every
//! answer can be reproduced byte for byte from the file and a seed.
//!
//! The rooms form layers, and each imports only from those below it (`docs/architecture.md`):
//! [`kernel`], [`policy`], [`model`], [`import`], [`system`], [`fault`], [`invariant`], [`metric`],
//! [`capacity`], [`experiment`], [`report`], [`cli`].

pub mod capacity;
#[cfg(feature = "cli")]
pub mod cli;
pub mod experiment;
pub mod fault;
pub mod import;
pub mod invariant;
pub mod kernel;
pub mod metric;
pub mod model;
pub mod policy;
pub mod report;
pub mod system;
