//! Where messages and events wait that may still come to write a row.
//!
//! A message leads to what its handlers do, and to what whoever they call does; an event in an
//! outbox leads to the queue of its relay, and a dead letter to the queue that it is put into. So a
//! promise can tell what is under way for its own rows from what is under way for others.

use crate::model::program::{
    CacheStep, DataStep, Kind, NodeId, NodeStep, Program, QueueStep, Step, Transaction,
};

/// The queues, outboxes and relays from which something leads to a write.
#[derive(Clone, Debug)]
pub(super) struct OnItsWay {
    /// By node.
    leads: Vec<bool>,
}

impl OnItsWay {
    /// To any transaction that is looked for.
    pub(super) fn to(program: &Program, is_sought: impl Fn(&Transaction) -> bool) -> OnItsWay {
        let graph = Graph::of(program);
        let operations = program.operations.len();
        let mut leads = vec![false; operations + program.nodes.len()];
        let mut found: Vec<usize> = Vec::new();
        for (at, step) in program.steps.iter().enumerate() {
            if let Step::Node(NodeStep::Data(DataStep::Commit(id))) = step
                && is_sought(&program.transactions[id.0 as usize])
            {
                found.extend(graph.operation_at(at as u32));
            }
        }
        while let Some(place) = found.pop() {
            if !std::mem::replace(&mut leads[place], true) {
                found.extend(&graph.before[place]);
            }
        }
        OnItsWay { leads: leads.split_off(operations) }
    }

    /// Only from one node.
    #[cfg(test)]
    pub(super) fn from(node: NodeId) -> OnItsWay {
        let mut leads = vec![false; node.0 as usize + 1];
        leads[node.0 as usize] = true;
        OnItsWay { leads }
    }

    /// Whether what waits at a node may come to it.
    pub(super) fn leads_from(&self, node: NodeId) -> bool {
        self.leads.get(node.0 as usize).copied().unwrap_or(false)
    }
}

/// What leads where: operations, and behind them nodes, at which messages and events wait.
struct Graph {
    /// The first step of each operation, and the operation, in the order of steps.
    starts: Vec<(u32, usize)>,
    /// What leads to each place at once.
    before: Vec<Vec<usize>>,
}

impl Graph {
    fn of(program: &Program) -> Graph {
        let operations = program.operations.len();
        let starts = program.operations.iter().enumerate();
        let mut starts: Vec<(u32, usize)> =
            starts.map(|(place, operation)| (operation.start, place)).collect();
        starts.sort_unstable();
        let before = vec![Vec::new(); operations + program.nodes.len()];
        let mut graph = Graph { starts, before };
        let waiting = |node: NodeId| operations + node.0 as usize;
        for (at, step) in program.steps.iter().enumerate() {
            let Some(own) = graph.operation_at(at as u32) else { continue };
            let node = program.operations[own].node;
            match step {
                Step::Call(call) => graph.lead(own, call.operation.0 as usize),
                Step::Node(NodeStep::Cache(CacheStep::Refresh(_, operation))) => {
                    graph.lead(own, operation.0 as usize);
                }
                Step::Node(NodeStep::Queue(QueueStep::Enqueue | QueueStep::EnqueueBatch)) => {
                    graph.lead(own, waiting(node));
                }
                Step::Node(NodeStep::Data(DataStep::Commit(id)))
                    if !program.transactions[id.0 as usize].events.is_empty() =>
                {
                    graph.lead(own, waiting(node));
                }
                _ => {}
            }
        }
        for (place, node) in program.nodes.iter().enumerate() {
            let own = operations + place;
            match &node.kind {
                Kind::Queue(queue) => {
                    let consumers = queue.groups.iter().flat_map(|group| &group.consumers);
                    for &consumer in consumers {
                        if let Kind::Service(service) = &program.node(consumer).kind
                            && let Some(takes) = service.takes
                        {
                            graph.lead(own, takes.0 as usize);
                        }
                    }
                    if let Some(dead) = queue.dead_letters {
                        graph.lead(own, waiting(dead));
                    }
                }
                Kind::Outbox(outbox) => {
                    graph.lead(waiting(outbox.database), own);
                    let publishes = outbox.publish.map(|publish| publish.operation);
                    for operation in [Some(outbox.operation), publishes].into_iter().flatten() {
                        graph.lead(own, operation.0 as usize);
                    }
                }
                _ => {}
            }
        }
        graph
    }

    fn lead(&mut self, from: usize, to: usize) {
        self.before[to].push(from);
    }

    /// The operation that a step belongs to.
    fn operation_at(&self, step: u32) -> Option<usize> {
        let after = self.starts.partition_point(|&(start, _)| start <= step);
        self.starts[..after].last().map(|&(_, operation)| operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::example::{compiled, two_queues};

    #[test]
    fn what_leads_to_a_write_waits_where_its_handlers_write() {
        let program = two_queues();
        let names = |state: &str| {
            let state = program.find_label(state);
            let writes = |one: &Transaction| one.writes.iter().any(|write| Some(write.1) == state);
            let way = OnItsWay::to(&program, writes);
            let nodes = (0..program.nodes.len()).map(|place| NodeId(place as u16));
            let there = nodes.filter(|&node| way.leads_from(node));
            there.map(|node| program.node(node).name.as_str()).collect::<Vec<_>>()
        };
        let mut paid = names("paid");
        paid.sort_unstable();
        assert_eq!(paid, ["db", "events", "relay"]);
        let mut given_up = names("given_up");
        given_up.sort_unstable();
        assert_eq!(given_up, ["db", "dead", "events", "relay"]);
        assert_eq!(names("accepted"), [""; 0], "no message leads there");
    }

    #[test]
    fn what_a_handler_puts_into_an_outbox_goes_on_from_there() {
        let program = compiled(
            "[clients.users]\narrivals = { poisson = '1/s' }\nflow = [{ call = 'api.place' }]\n\
             [service.api]\nworkers = 1\n\
             on.place.steps = [{ publish = 'first' }, { reply = 'ok' }]\n\
             [service.clerk]\nworkers = 1\ntakes = 'first'\nsteps = [\n\
             { transaction = 'db', write = ['order = seen', 'outbox = seen'] }, { ack = true }]\n\
             [database.db]\ncommit = '0s'\nread = '0s'\ntables = { order = {} }\n\
             [outbox.relay]\ndatabase = 'db'\nqueue = 'second'\npoll = '1s'\n\
             [service.payer]\nworkers = 1\ntakes = 'second'\nsteps = [\n\
             { transaction = 'db', write = ['order = paid'] }, { ack = true }]\n\
             [queue.first]\nvisibility = '30s'\n[queue.second]\nvisibility = '30s'\n",
        );
        let paid = program.find_label("paid");
        let pays = |one: &Transaction| one.writes.iter().any(|write| Some(write.1) == paid);
        let way = OnItsWay::to(&program, pays);
        assert!(way.leads_from(program.find_node("first").unwrap()));
    }
}
