//! The promises that the project makes about itself: its structure, its style, its documents, and
//! what its invariants of architecture say about runs.
//!
//! One binary with a module for each promise. Every checker is also run on a small sample that
//! breaks the promise: a checker that cannot fail proves nothing.

mod architecture;
mod circles;
mod contract;
mod dependencies;
mod facts;
mod functions;
mod results;
mod sample;
mod source;
mod tidy;
