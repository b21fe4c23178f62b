//! Numbers of runs: of one, and of the runs of a cell together.

pub mod amplification;
pub mod count;
pub mod metrics;
pub(in crate::experiment) mod most;
pub mod percentile;
pub mod ramp;
pub(in crate::experiment) mod rate;
pub mod spread;
pub mod summary;
pub(in crate::experiment) mod value;
pub mod warm_up;
