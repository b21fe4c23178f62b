//! What nodes keep, each by its kind.

use std::collections::BTreeMap;

use super::{brought, cache, clients, database, flight, outbox, provider, queue, replica};
use crate::model::program::{Kind, NodeId, Program};

/// What a node keeps, by its kind.
#[derive(Clone, Debug)]
pub(super) enum Local {
    /// Services keep nothing between jobs.
    Nothing,
    Clients(clients::Clients),
    Database(database::Database),
    Replica(replica::Replica),
    Cache(cache::Cache),
    Queue(queue::Queue),
    Provider(provider::Provider),
    Relay(outbox::Relay),
}

/// What all nodes keep.
#[derive(Clone, Debug)]
pub(super) struct Nodes {
    pub(super) locals: Vec<Local>,
    /// For each database the node that leads: itself, or a replica that was promoted.
    pub(super) leaders: Vec<NodeId>,
    /// Whether anybody compares the answers that it gets with what it knows.
    pub(super) notes_rows: bool,
    /// What transactions were told of rows, where that is more than one word holds.
    pub(super) brought: Vec<brought::Known>,
    /// What users were told, by order; only kept where a read depends on it.
    pub(super) sessions: BTreeMap<u64, replica::Session>,
    /// Rows that processes are fetching for a cache.
    pub(super) flights: BTreeMap<flight::FlightKey, flight::Flight>,
    /// How many messages wait in all queues.
    pub(super) queued: usize,
}

impl Nodes {
    /// What nodes keep at the beginning.
    pub(super) fn new(program: &Program) -> Nodes {
        Nodes {
            locals: program.nodes.iter().map(|node| Local::new(program, &node.kind)).collect(),
            leaders: (0..program.nodes.len()).map(|index| NodeId(index as u16)).collect(),
            notes_rows: program.has_sessions || program.operations.iter().any(|o| o.compares),
            brought: Vec::new(),
            sessions: BTreeMap::new(),
            flights: BTreeMap::new(),
            queued: 0,
        }
    }
}

impl Local {
    fn new(program: &Program, kind: &Kind) -> Local {
        match kind {
            Kind::Clients(rules) => Local::Clients(clients::Clients::new(rules)),
            Kind::Database(_) => Local::Database(database::Database::new(program)),
            Kind::Replica(rules) => Local::Replica(replica::Replica::new(program, rules)),
            Kind::Cache(_) => Local::Cache(cache::Cache::default()),
            Kind::Queue(rules) => Local::Queue(queue::Queue::new(rules)),
            Kind::Provider(_) => Local::Provider(provider::Provider::default()),
            Kind::Outbox(_) => Local::Relay(outbox::Relay::default()),
            Kind::Service(_) => Local::Nothing,
        }
    }
}
