//! Stormglass: a deterministic simulator of distributed systems under failure.
//!
//! A system is a file in `models/`, a question about it is a file in `experiments/`, and every
//! answer can be reproduced byte for byte from the file and a seed. Most people use the command
//! `stormglass`; a program reads an experiment, runs it, and asks for what it came to:
//!
//! ```
//! # #[cfg(feature = "cli")]
//! # fn main() -> Result<(), stormglass::Error> {
//! let experiment = stormglass::Experiment::from_path("experiments/canary.toml")?;
//! let results = experiment.with_seeds(1..3)?.run()?;
//! for sentence in results.answer() {
//!     println!("{sentence}");
//! }
//! let arm = &results.arms()[0];
//! assert!(arm.metric("success_ratio").is_some_and(|success| success.mean > 0.5));
//! assert!(arm.promises.iter().any(|promise| promise.exposure > 0));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "cli"))]
//! # fn main() {}
//! ```
//!
//! A retry policy of one's own implements [`policy::custom::Custom`] and takes the place of one of
//! the model: [`Experiment::with_policy`], and `examples/custom_policy.rs`.
//!
//! What is not shown here is for the tests of the project, and changes without notice. Its rooms
//! form layers, of which each imports only from those below it (`docs/architecture.md`).

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod experiment;
#[doc(hidden)]
pub mod import;
#[doc(hidden)]
pub mod published;
#[doc(hidden)]
pub mod report;

#[doc(inline)]
pub use crate::statistics::Interval;
#[cfg(feature = "cli")]
#[doc(inline)]
pub use cli::library::{Arm, Error, Estimate, Experiment, Promise, Results};
#[doc(hidden)]
pub use stormglass_engine::{
    capacity, fault, invariant, metric, model, statistics, system, theory, twin,
};
#[doc(inline)]
pub use stormglass_engine::{kernel, policy};
