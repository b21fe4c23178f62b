//! Experiments: arms x factors x seeds, run and compared.

pub mod campaign;
pub mod language;
pub mod run;
pub mod schema;
pub mod statistics;
pub mod summary;
pub mod theory;
