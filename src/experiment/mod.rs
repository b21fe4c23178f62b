//! Experiments: arms x factors x seeds, run and compared.

pub mod budget;
pub mod compare;
pub mod judge;
pub mod measure;
pub mod outage_map;
pub mod plan;
pub mod price;
pub mod review;
pub mod run;
pub mod search;
pub mod shrink;
pub mod validation;
