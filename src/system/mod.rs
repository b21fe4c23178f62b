//! What runs: nodes, the messages between them, and the loop that lets time pass.
//!
//! A [`World`] is one run of a compiled program. Everything that a node does is a job: the flow of
//! a user, the handler of a service, the transaction of a database. Jobs call other nodes by
//! messages over links; nothing else connects nodes.

mod calls;
mod context;
pub mod control;
mod core;
mod event;
pub mod fact;
mod fleet;
mod job;
mod jobs;
mod ledger;
mod network;
mod node;
mod observer;
mod refusal;
pub mod remembered;
mod request;
pub mod trace;
mod world;

pub use ledger::Traffic;
pub use observer::{Audience, Observer, Sight};
pub use world::fork;
pub use world::{Outcome, World};
