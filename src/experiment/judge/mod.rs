//! What is said of runs: expectations, labels, causes, and whether a check passes.

pub mod attribution;
pub mod blast_radius;
pub mod check;
pub mod expect;
pub mod expected;
pub mod metastability;
pub mod sometimes;
pub mod watch;
