//! The smallest run that still shows what went wrong, and a file that repeats it.

pub mod minimize;
pub mod reproduction;
