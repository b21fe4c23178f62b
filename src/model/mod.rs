//! The language of `models/*.toml`: parse, validate, compile to flat tables.

mod arrivals;
mod check;
mod column;
pub mod compile;
mod deserialize;
pub mod document;
mod handler;
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
pub mod show;
mod trace;

pub use check::name as plain_name;
pub use check::{doubtful, unused};
pub use compile::compile;
pub use deserialize::{read, read_each};
