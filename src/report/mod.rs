//! What people and other programs read: tables, charts, CSV and JSON. Pure functions of results.
//!
//! Nothing here opens a file, reads a clock or looks at the terminal. [`chart`], [`number`] and
//! [`table`] do not even know what was simulated: they get labels and numbers.

pub mod arms;
pub mod chart;
pub mod check;
pub mod comparison;
pub mod figures;
pub mod files;
pub mod front;
pub mod model;
pub mod number;
pub mod parting;
pub mod policy;
pub mod promises;
pub mod story;
pub mod table;
