//! Experiments: arms x factors x seeds, run and compared.

pub mod campaign;
pub mod comparison;
pub mod language;
pub mod metastability;
pub mod patch;
pub mod record;
pub mod run;
pub mod schema;
pub mod statistics;
pub mod summary;
