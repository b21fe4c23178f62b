//! The language of `models/*.toml`, as it is written. Every default stands here, once.

mod cache;
mod clients;
mod database;
mod link;
mod outbox;
mod provider;
mod queue;
mod replica;
mod service;
mod step;

use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::Count;

pub use cache::Cache;
pub use clients::{Arrivals, Clients, Keys, ProfileStep, Trace};
pub use database::{Database, Flush, Replication, Rows, SemiSync, Table};
pub use link::Link;
pub use outbox::Outbox;
pub use provider::Provider;
pub use queue::Queue;
pub use replica::Replica;
pub use service::{Balance, Handler, Line, Order, Service};
pub use step::{
    Condition, Expectation, Invalidation, KeyOf, Otherwise, Reply, Step, Wait, all_steps,
};

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

fn unlimited() -> Count {
    Count::Unlimited
}

fn instantly() -> Distribution {
    Distribution::Constant(Span::ZERO)
}
