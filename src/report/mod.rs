//! What people and other programs read: tables, charts, CSV, Parquet and JSON. Pure functions of
//! results.
//!
//! Nothing here opens a file, reads a clock or looks at the terminal. [`chart`], [`columns`],
//! [`escape`], [`number`], [`parquet`] and [`table`] do not even know what was simulated: they get
//! labels and numbers.

pub mod answer;
pub mod arms;
pub mod attribution;
pub mod blast_radius;
pub mod budget;
pub mod caches;
pub mod capacity;
pub mod chart;
pub mod check;
pub mod choose;
pub mod columns;
pub mod command;
pub mod comparison;
pub mod detail;
pub mod escape;
pub mod figures;
pub mod files;
pub mod findings;
pub mod format;
mod layout;
pub mod model;
pub mod moment;
pub mod notes;
pub mod number;
mod objectives;
pub mod observed;
pub mod outage_map;
pub mod outputs;
pub mod page;
pub mod parquet;
pub mod parting;
pub mod phase;
pub mod policies;
pub mod policy;
pub mod power;
pub mod price;
pub mod promises;
pub mod published;
pub mod question;
pub mod ramp;
pub mod rare;
pub mod review;
pub mod roles;
pub mod search;
pub mod sensitivity;
mod sizes;
pub mod sources;
pub mod story;
pub mod table;
pub mod unsure;
pub mod validation;
pub mod violations;
pub mod warm_up;
