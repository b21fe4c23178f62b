//! A compiled model: flat tables, indexed by small ids. This is what runs.

mod arrivals;
mod kind;
mod place;
mod station;
mod step;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::language::Rows;
use super::problem::Problem;
use crate::kernel::draw::Probability;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::policy::Policy;
use crate::policy::Scope;
use crate::policy::custom::Custom;
use crate::policy::outlier::Outlier;

pub use arrivals::{Arrivals, Bursts, Closed, Piece, Rates, Spike, Trace};
pub use kind::*;
pub use place::{Extent, Locality};
pub use station::{Bulkhead, ConcurrencyCost, Order, Pool, Shedding, Station};
pub use step::*;

/// The index of a node in [`Program::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

/// The index of an operation in [`Program::operations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u16);

/// The index of a call edge in [`Program::edges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeId(pub u16);

/// The index of a table in [`Program::tables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u16);

/// The index of a name in [`Program::labels`]: a row state, an event, an audit entry, an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelId(pub u16);

/// The index of a transaction in [`Program::transactions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub u16);

/// The index of a fork in [`Program::forks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForkId(pub u16);

/// The index of a repeated list in [`Program::repeats`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepeatId(pub u16);

/// A model in the form in which it runs.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Every node.
    pub nodes: Vec<Node>,
    /// Every operation of every node.
    pub operations: Vec<Operation>,
    /// The steps of all operations, one after the other.
    pub steps: Vec<Step>,
    /// Every list of branches.
    pub forks: Vec<Fork>,
    /// Every list of steps that is done again.
    pub repeats: Vec<Repeat>,
    /// Every (caller, target operation, policy).
    pub edges: Vec<Edge>,
    /// What happens to messages from node `a` to node `b`, at `a * nodes + b`.
    pub links: Vec<Link>,
    /// Every policy with its name.
    pub policies: Vec<(String, Policy)>,
    /// For each policy the one of the user's own that decides instead; empty if there is none.
    pub own_policies: Vec<Option<Arc<dyn Custom>>>,
    /// For each policy, to whom its state belongs.
    pub sharing: Vec<Sharing>,
    /// For each policy state of a run, which policy it belongs to.
    pub scopes: Vec<u16>,
    /// Every transaction.
    pub transactions: Vec<Transaction>,
    /// Every table of every database.
    pub tables: Vec<Table>,
    /// Names of row states, events, audit entries and effects. Where there is a stock, the first
    /// are the numbers from 0 on, so that the state of its rows is a number.
    pub labels: Vec<String>,
    /// How many of the labels are numbers.
    pub numbers: u16,
    /// How many things there are within a key, at most.
    pub subkeys: u32,
    /// Whether any read depends on what its user was told before.
    pub has_sessions: bool,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name in the file.
    pub name: String,
    /// A stable id of the name, for draws and digests.
    pub id: u32,
    /// What it is.
    pub kind: Kind,
    /// Its workers and waiting lines.
    pub station: Station,
    /// Where it is.
    pub place: Locality,
}

/// One operation of a node.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Whose.
    pub node: NodeId,
    /// `node.operation`.
    pub name: String,
    /// A stable id of the name, for draws and digests.
    pub id: u32,
    /// Its first step in [`Program::steps`].
    pub start: u32,
    /// In a waiting line by priority, larger ones are served first.
    pub priority: u32,
    /// Whether it compares the answer to one of its calls with what it was told or shown before.
    pub compares: bool,
}

/// Calls from one node to one operation of another by one policy.
#[derive(Clone, Debug)]
pub struct Edge {
    /// `caller -> node.operation`.
    pub name: String,
    /// A stable id of the name.
    pub id: u32,
    /// Who calls.
    pub caller: NodeId,
    /// Who is called.
    pub target: NodeId,
    /// What is asked for; of operations of one name, such as reads of several tables, the first.
    pub operation: OperationId,
    /// By which policy.
    pub policy: u16,
    /// The policy state of the caller's first process; the others follow.
    pub scope: u32,
    /// Whose policy state a call uses.
    pub state_of: StateOf,
    /// Whether users call here: then a call is a request.
    pub is_entry: bool,
}

/// Whose policy state a call uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateOf {
    /// That of its process.
    Process,
    /// The one of all callers.
    Everybody,
    /// Its own.
    Call,
}

/// To whom the state of a policy belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// To whom.
    pub scope: Scope,
    /// The policy of the file of which this is one with less patience; or itself.
    pub origin: u16,
}

/// What happens to messages between two nodes.
#[derive(Clone, Debug)]
pub struct Link {
    /// How long they travel.
    pub latency: Distribution,
    /// Requests and messages that never arrive.
    pub request_loss: Probability,
    /// Replies that never arrive.
    pub reply_loss: Probability,
    /// Messages that arrive twice.
    pub duplication: Probability,
    /// Messages that are late.
    pub reordering: Probability,
    /// How late they are.
    pub lateness: Distribution,
    /// How long a message keeps others from being sent, each way; zero without a bandwidth.
    pub transmission: Span,
    /// For how long messages may wait to be sent; what would wait longer is lost.
    pub backlog: Span,
}

/// A table of a database.
#[derive(Clone, Debug)]
pub struct Table {
    /// Whose.
    pub database: NodeId,
    /// `database.table`.
    pub name: String,
    /// What a row is for.
    pub rows: Rows,
    /// The state of rows that nobody has written; `None` if they are not there.
    pub initial: Option<LabelId>,
    /// How much there is from the start, if a row is a number.
    pub stock: Option<u16>,
}

impl Program {
    /// Every state that a row of some table can be in: those that a transaction writes, and those
    /// of rows that are there from the start.
    pub fn states(&self) -> BTreeSet<LabelId> {
        let written = self.transactions.iter().flat_map(|transaction| &transaction.writes);
        let initial = self.tables.iter().filter_map(|table| table.initial);
        written.map(|&(_, state)| state).chain(initial).collect()
    }

    /// The id of a name, which gets one if it has none yet.
    pub(super) fn label(&mut self, name: &str) -> LabelId {
        self.find_label(name).unwrap_or_else(|| {
            self.labels.push(name.to_owned());
            LabelId((self.labels.len() - 1) as u16)
        })
    }

    /// A node by its id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// An operation by its id.
    pub fn operation(&self, id: OperationId) -> &Operation {
        &self.operations[id.0 as usize]
    }

    /// Whether a job of an operation compares the answers to its calls, or a read does so for it.
    pub fn compares_answers(&self, id: OperationId) -> bool {
        let operation = self.operation(id);
        let is_user = || matches!(self.node(operation.node).kind, Kind::Clients(_));
        operation.compares || self.has_sessions && is_user()
    }

    /// An edge by its id.
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.edges[id.0 as usize]
    }

    /// The policy of the user's own that decides instead of this one, if there is any.
    pub fn own_policy(&self, policy: u16) -> Option<&dyn Custom> {
        self.own_policies.get(policy as usize)?.as_deref()
    }

    /// Lets a policy of the user's own decide wherever the model names this one. Of that stay the
    /// scope, the ejection of instances, and what the other does not say: how long an attempt may
    /// take. No call takes longer than before.
    ///
    /// # Errors
    /// If the model has no policy of this name.
    pub fn replace_policy(&mut self, name: &str, own: &Arc<dyn Custom>) -> Result<(), Problem> {
        let is_of_file = |&index: &usize| index > 0 && self.sharing[index].origin == index as u16;
        let of_file = || (0..self.policies.len()).filter(is_of_file);
        let Some(origin) = of_file().find(|&index| self.policies[index].0 == name) else {
            let known: Vec<&str> = of_file().map(|index| self.policies[index].0.as_str()).collect();
            return Err(Problem::unknown("policy", name, &known));
        };
        self.own_policies.resize(self.policies.len(), None);
        for index in origin..self.policies.len() {
            if self.sharing[index].origin != origin as u16 {
                continue;
            }
            let policy = &mut self.policies[index].1;
            *policy = Policy {
                attempt_timeout: own.attempt_timeout().or(policy.attempt_timeout),
                deadline: own.deadline().into_iter().chain(policy.deadline).min(),
                outlier: policy.outlier,
                ..Policy::ONCE
            };
            self.own_policies[index] = Some(Arc::clone(own));
        }
        Ok(())
    }

    /// The rule by which the callers of an edge eject instances of its target, how many instances
    /// that has, and how many processes judge them; `None` where nobody is ejected.
    pub fn detecting(&self, edge: &Edge) -> Option<(&Outlier, u32, u32)> {
        let rule = self.policies[edge.policy as usize].1.outlier.as_ref()?;
        let instances = self.node(edge.target).station.instances;
        let caller = self.node(edge.caller);
        let processes = match (edge.state_of, &caller.kind) {
            (StateOf::Everybody, _) => 1,
            (StateOf::Call, _) => return None,
            (StateOf::Process, Kind::Clients(clients)) => clients.processes,
            (StateOf::Process, _) => caller.station.instances,
        };
        (instances > 1).then_some((rule, instances, processes))
    }

    /// The index of the link from one node to another in [`Program::links`].
    pub fn link_index(&self, from: NodeId, to: NodeId) -> usize {
        from.0 as usize * self.nodes.len() + to.0 as usize
    }

    /// Whether any service takes messages from a queue.
    pub fn takes_messages(&self) -> bool {
        let takes = |kind: &Kind| matches!(kind, Kind::Service(service) if service.takes.is_some());
        self.nodes.iter().any(|node| takes(&node.kind))
    }

    /// Whether a queue puts its dead letters here.
    pub fn gets_dead_letters(&self, id: NodeId) -> bool {
        self.nodes.iter().any(|node| match &node.kind {
            Kind::Queue(queue) => queue.dead_letters == Some(id),
            _ => false,
        })
    }

    /// Whether a node is a relay of an outbox.
    pub fn is_relay(&self, id: NodeId) -> bool {
        matches!(self.node(id).kind, Kind::Outbox(_))
    }

    /// Whether a relay asks a database or a replica here. What it publishes is no upkeep.
    pub fn is_upkeep(&self, caller: NodeId, target: NodeId) -> bool {
        let is_data = matches!(self.node(target).kind, Kind::Database(_) | Kind::Replica(_));
        self.is_relay(caller) && is_data
    }

    /// Whether a relay asks its own database by this edge.
    pub fn is_upkeep_edge(&self, edge: EdgeId) -> bool {
        let edge = self.edge(edge);
        self.is_upkeep(edge.caller, edge.target)
    }

    /// The node of this name.
    pub fn find_node(&self, name: &str) -> Option<NodeId> {
        let index = self.nodes.iter().position(|node| node.name == name)?;
        Some(NodeId(index as u16))
    }

    /// The node of this name and kind; `what` is what errors call that kind.
    ///
    /// # Errors
    /// If there is no such node, or it is of another kind.
    pub fn find_node_of(
        &self,
        name: &str,
        what: &str,
        is_right: fn(&Kind) -> bool,
    ) -> Result<NodeId, Problem> {
        let found = self.find_node(name);
        if let Some(id) = found.filter(|&id| is_right(&self.node(id).kind)) {
            return Ok(id);
        }
        let right = self.nodes.iter().filter(|node| is_right(&node.kind));
        let known: Vec<&str> = right.map(|node| node.name.as_str()).collect();
        Err(match found {
            Some(_) => Problem::wrong_kind(what, name, &known),
            None => Problem::unknown(what, name, &known),
        })
    }

    /// The operation of this name, `node.operation`.
    pub fn find_operation(&self, name: &str) -> Option<OperationId> {
        let index = self.operations.iter().position(|operation| operation.name == name)?;
        Some(OperationId(index as u16))
    }

    /// For each edge, whether calls by it ask for an operation.
    pub fn edges_to(&self, operation: OperationId) -> Vec<bool> {
        let mut leads_there = vec![false; self.edges.len()];
        for step in &self.steps {
            if let Step::Call(call) = step {
                leads_there[call.edge.0 as usize] |= call.operation == operation;
            }
        }
        leads_there
    }

    /// Whether a relay brings this event of an outbox to a queue.
    pub fn brings(&self, queue: NodeId, event: LabelId) -> bool {
        self.nodes.iter().any(|node| match &node.kind {
            Kind::Outbox(outbox) => outbox.queue_of(event) == Some(queue),
            _ => false,
        })
    }

    /// Every event that a transaction puts into an outbox or that a message tells of.
    pub fn events(&self) -> BTreeSet<LabelId> {
        let told = self.steps.iter().filter_map(|step| match step {
            Step::Call(call) => call.tells,
            _ => None,
        });
        let put = self.transactions.iter().flat_map(|transaction| &transaction.events);
        put.copied().chain(told).collect()
    }

    /// The table of this name, `database.table`.
    pub fn find_table(&self, name: &str) -> Option<TableId> {
        let index = self.tables.iter().position(|table| table.name == name)?;
        Some(TableId(index as u16))
    }

    /// The label of this name.
    pub fn find_label(&self, name: &str) -> Option<LabelId> {
        let index = self.labels.iter().position(|label| label == name)?;
        Some(LabelId(index as u16))
    }
}
