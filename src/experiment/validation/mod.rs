//! Validation: what theory says and others published, beside what runs show (`stormglass
//! validate`).
//!
//! The rooms `theory` and `published` know no runs. Which number of which run their numbers are
//! compared with is said here.

pub mod figures;
pub mod language;
pub mod laws;
mod observed;
mod quick;
mod source;
