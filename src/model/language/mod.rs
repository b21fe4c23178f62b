//! The language of `models/*.toml`, as it is written. Every default stands here, once.

mod answer;
mod arrivals;
mod cache;
mod clients;
mod database;
mod link;
mod outbox;
mod overload;
mod pool;
mod provider;
mod queue;
mod replica;
mod service;
mod step;

use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::Count;

pub use answer::{Failure, Protocol, Reply};
pub use arrivals::{Arrivals, Bursts, Closed, Daily, ProfileStep, Size, Trace};
pub use cache::Cache;
pub use clients::{Choice, Clients, Hot, Keys};
pub use database::{Database, Flush, Replication, Rows, SemiSync, Table};
pub use link::{Link, Reordering};
pub use outbox::{Claim, OrderingKey, Outbox, Publish, Route, Tail};
pub use overload::{
    Allowance, Bulkhead, ConcurrencyCost, DiscardExpired, PropagateDeadline, RateLimit,
};
pub use pool::Pool;
pub use provider::{ConcurrentKey, Mismatch, Provider, ProviderRateLimit};
pub use queue::{PartitionBy, Queue};
pub use replica::Replica;
pub use service::{Balance, Handler, Line, Order, Pauses, Service};
pub use step::{
    Condition, Expectation, Invalidation, KeyOf, Otherwise, Quality, Step, Wait, all_steps,
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

pub(super) fn instantly() -> Distribution {
    Distribution::Constant(Span::ZERO)
}
