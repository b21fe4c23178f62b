//! What is to be run: an experiment as it is written, read into the cells of a campaign.

mod build;
pub mod campaign;
pub mod cell;
pub mod chosen;
pub(in crate::experiment) mod clock;
pub(in crate::experiment) mod documents;
pub mod explored;
pub mod extends;
pub mod imports;
pub mod language;
pub(in crate::experiment) mod limits;
pub mod milestones;
pub mod objectives;
pub mod observe;
pub mod patch;
pub mod point;
pub mod quantity;
pub mod schema;
pub mod seeds;
pub(in crate::experiment) mod unwritten;
pub(in crate::experiment) mod variant;
