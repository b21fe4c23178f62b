//! Numbers of runs: of one, and of the runs of a cell together.

pub mod amplification;
pub mod metrics;
pub mod percentile;
pub mod ramp;
pub(in crate::experiment) mod rate;
pub mod spread;
pub mod summary;
pub mod warm_up;
