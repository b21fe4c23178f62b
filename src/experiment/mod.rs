//! Experiments: arms, factors and seeds, and what may be concluded from their runs.

pub mod statistics;
