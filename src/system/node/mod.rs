//! What nodes keep, each by its kind.

mod arrival;
mod brought;
pub(super) mod cache;
mod clients;
pub(super) mod database;
mod failover;
mod flight;
mod lock;
mod outbox;
mod parked;
mod provider;
mod queue;
mod replica;
mod rules;
pub(super) mod shown;

use std::collections::BTreeMap;

use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::{Kind, NodeId, NodeStep, Program};
use crate::system::context::Context;
use crate::system::job::Progress;

/// What a node keeps, by its kind.
#[derive(Clone, Debug)]
pub(in crate::system) enum Local {
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
pub(in crate::system) struct Nodes {
    pub(in crate::system) locals: Vec<Local>,
    /// For each database the node that leads: itself, or a replica that was promoted.
    pub(in crate::system) leaders: Vec<NodeId>,
    /// Whether anybody compares the answers that it gets with what it knows.
    pub(in crate::system) notes_rows: bool,
    /// What transactions were told of rows, where that is more than one word holds.
    pub(in crate::system) brought: Vec<brought::Known>,
    /// What users were told, by order; only kept where a read depends on it.
    pub(in crate::system) sessions: BTreeMap<u64, replica::Session>,
    /// Rows that processes are fetching for a cache.
    pub(in crate::system) flights: BTreeMap<flight::FlightKey, flight::Flight>,
    /// How many messages wait in all queues.
    pub(in crate::system) queued: usize,
    /// How many users came.
    pub(in crate::system) orders: u64,
    /// The orders that are kept, in ascending order; `None` keeps all.
    pub(in crate::system) kept_orders: Option<Vec<u64>>,
}

impl Nodes {
    /// What nodes keep at the beginning.
    pub(in crate::system) fn new(program: &Program) -> Nodes {
        Nodes {
            locals: program.nodes.iter().map(|node| Local::new(program, &node.kind)).collect(),
            leaders: (0..program.nodes.len()).map(|index| NodeId(index as u16)).collect(),
            notes_rows: program.has_sessions || program.operations.iter().any(|o| o.compares),
            brought: Vec::new(),
            sessions: BTreeMap::new(),
            flights: BTreeMap::new(),
            queued: 0,
            orders: 0,
            kept_orders: None,
        }
    }
}

/// What every kind of node does, each in its own way: whoever adds a kind adds its lines here.
impl Nodes {
    /// A node begins what it does without anybody's doing.
    pub(super) fn start(&mut self, cx: &mut Context<'_>, node: NodeId) {
        match &cx.core.program().node(node).kind {
            Kind::Outbox(relay) => cx.start_relay(node, relay.operation),
            Kind::Database(_) => self.begin_flushing(cx, node),
            Kind::Service(_) => cx.schedule_pauses(node),
            Kind::Clients(_)
            | Kind::Replica(_)
            | Kind::Cache(_)
            | Kind::Queue(_)
            | Kind::Provider(_) => {}
        }
    }

    /// A job takes a step that its kind of node does.
    pub(super) fn take_step(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        step: &NodeStep,
    ) -> Progress {
        match *step {
            NodeStep::Data(step) => self.take_data_step(cx, handle, step),
            NodeStep::Cache(step) => self.take_cache_step(cx, handle, step),
            NodeStep::Queue(step) => self.take_queue_step(cx, handle, step),
            NodeStep::Provider(step) => self.take_provider_step(cx, handle, step),
            NodeStep::Relay(ref step) => self.take_relay_step(cx, handle, step),
        }
    }

    /// An instance of a node has died: what it had in memory is gone.
    pub(super) fn lose_memory(&mut self, cx: &mut Context<'_>, node: NodeId, instance: u32) {
        match &mut self.locals[node.0 as usize] {
            Local::Cache(cache) => *cache = cache::Cache::default(),
            Local::Relay(relay) => relay.forget(instance),
            Local::Provider(provider) => provider.forget_unfinished(),
            Local::Database(_) => self.lose_log(cx, node),
            Local::Queue(_) => self.lose_messages(cx, node),
            Local::Replica(_) => self.lose_readers(cx, node),
            Local::Nothing | Local::Clients(_) => {}
        }
        self.lose_flights(node, instance);
    }

    /// An instance that had died starts again, from what is durable.
    pub(super) fn restart(&mut self, cx: &mut Context<'_>, node: NodeId, instance: u32) {
        match &cx.core.program().node(node).kind {
            Kind::Outbox(relay) => self.restart_relay(cx, node, instance, relay.operation),
            Kind::Clients(_)
            | Kind::Service(_)
            | Kind::Database(_)
            | Kind::Replica(_)
            | Kind::Cache(_)
            | Kind::Queue(_)
            | Kind::Provider(_) => {}
        }
    }

    /// A node that was down or stood still goes on.
    pub(super) fn go_on(&mut self, cx: &mut Context<'_>, node: NodeId) {
        match &cx.core.program().node(node).kind {
            Kind::Queue(_) => self.resume_queue(cx, node),
            Kind::Replica(_) => self.replicate(cx, node),
            Kind::Service(service) if service.takes.is_some() => self.offer_worker(cx, node),
            Kind::Service(_)
            | Kind::Clients(_)
            | Kind::Database(_)
            | Kind::Cache(_)
            | Kind::Outbox(_)
            | Kind::Provider(_) => {}
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

impl Nodes {
    /// How many messages and events, in an outbox, held by a relay or on their way to one, are not
    /// done with, where anybody takes them, and how many transactions replicas have not applied.
    pub(in crate::system) fn unfinished(&mut self, cx: &mut Context<'_>) -> usize {
        let mut count = 0;
        for index in 0..self.locals.len() {
            let node = NodeId(index as u16);
            if let Local::Replica(replica) = &self.locals[index] {
                count += replica.pending.len();
            } else if !cx.is_dead_end(node) {
                count += self.unprocessed(cx, node).len();
            }
        }
        count
    }
}

impl Nodes {
    /// The order and due time of everything that waits at a node to be processed.
    pub(in crate::system) fn unprocessed(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
    ) -> Vec<(u64, Time)> {
        match &self.locals[node.0 as usize] {
            Local::Database(_) => {
                let leader = self.leaders[node.0 as usize];
                self.store(leader).unsent()
            }
            Local::Queue(queue) => queue.unprocessed(),
            Local::Relay(_) => self.held_events(cx, node),
            _ => Vec::new(),
        }
    }
}
