//! Virtual time, keyed randomness, quantities, the event queue, the run digest and limits.
//!
//! The kernel names no domain noun and imports nothing from the other rooms.

pub mod digest;
pub mod draw;
mod erlang;
pub mod limit;
mod normal;
pub mod quantity;
pub mod queue;
pub mod sample;
pub mod slab;
pub mod time;
