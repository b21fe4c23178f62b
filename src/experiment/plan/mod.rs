//! What is to be run: an experiment as it is written, read into the cells of a campaign.

mod build;
pub mod campaign;
pub mod cell;
pub mod chosen;
pub(in crate::experiment) mod clock;
pub mod documents;
pub mod explored;
pub mod extends;
pub(in crate::experiment) mod followed;
pub mod imports;
pub mod language;
pub mod limits;
pub mod measure;
pub mod milestones;
pub mod objectives;
pub mod observe;
pub(in crate::experiment) mod overrides;
pub mod patch;
pub mod point;
pub mod quantity;
pub mod schema;
pub mod seeds;
pub mod top;
pub(in crate::experiment) mod unwritten;
pub mod variant;
