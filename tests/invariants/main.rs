//! What a run says about promises: every planted bug is found, and nothing else is.

#[path = "../common/mod.rs"]
mod common;
mod lost_updates;
mod planted_bugs;
mod semantics;
mod stories;
