//! Experiments: arms x factors x seeds, run and compared.

pub mod campaign;
pub mod case;
pub mod check;
pub mod compare;
pub mod comparison;
pub mod expect;
pub mod language;
pub mod metastability;
pub mod metrics;
pub mod milestones;
pub mod minimize;
pub mod patch;
pub mod point;
pub mod published;
pub mod ramp;
pub mod record;
pub mod reproduction;
pub mod run;
pub mod schema;
pub mod search;
pub mod seeds;
pub mod sometimes;
pub mod statistics;
pub mod story;
pub mod summary;
pub mod theory;
mod unwritten;
