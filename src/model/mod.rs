//! The language of `models/*.toml`: parse, validate, compile to flat tables.

mod arrivals;
mod check;
mod column;
pub mod compile;
mod deserialize;
pub mod document;
pub mod hidden;
mod json;
pub mod language;
pub mod policy;
mod pools;
pub mod presets;
pub mod problem;
pub mod program;
pub mod quantity;
pub mod recording;
pub mod renamed;
mod render;
pub mod show;
mod trace;
mod warnings;

pub use check::name as plain_name;
pub use compile::compile;
pub use deserialize::{read, read_each};
pub use warnings::{doubtful, unused};
