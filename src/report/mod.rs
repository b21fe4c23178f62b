//! What people and other programs read: numbers, tables, charts. Pure functions of plain data.
//!
//! Nothing here opens a file, reads a clock or looks at the terminal, and nothing here knows what
//! was simulated: a caller hands over labels and numbers, and gets text or bytes back.

pub mod chart;
pub mod number;
pub mod table;
