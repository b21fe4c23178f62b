//! Virtual time, keyed randomness, the event queue, the run digest and limits.
//!
//! The kernel names no domain noun and imports nothing from the other rooms.

pub mod draw;
pub mod time;
