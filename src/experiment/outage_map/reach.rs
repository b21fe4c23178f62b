//! Which nodes some path of a user's request reaches, at once or through messages.

use std::collections::BTreeSet;

use crate::model::program::{CacheStep, Kind, NodeId, NodeStep, OperationId, Program, Step};

/// Every node that a path reaches from some clients: by the calls of operations that are reached
/// themselves, fallbacks included; a replica of a database, a relay of its outbox, who takes the
/// messages of a queue.
#[must_use]
pub fn reached(program: &Program) -> BTreeSet<NodeId> {
    let mut walk = Walk { program, operations: BTreeSet::new(), nodes: BTreeSet::new() };
    for (index, node) in program.nodes.iter().enumerate() {
        if matches!(node.kind, Kind::Clients(_)) {
            walk.node(NodeId(index as u16));
        }
    }
    walk.nodes
}

struct Walk<'p> {
    program: &'p Program,
    operations: BTreeSet<OperationId>,
    nodes: BTreeSet<NodeId>,
}

impl Walk<'_> {
    fn operation(&mut self, id: OperationId) {
        let program = self.program;
        // What is left to visit is kept here: paths are as long as their author likes.
        let mut rest = vec![id];
        while let Some(id) = rest.pop() {
            if !self.operations.insert(id) {
                continue;
            }
            self.node(program.operation(id).node);
            for step in steps(program, id) {
                match step {
                    Step::Call(call) => rest.push(call.operation),
                    Step::Node(NodeStep::Cache(CacheStep::Refresh(_, operation))) => {
                        rest.push(*operation);
                    }
                    _ => {}
                }
            }
        }
    }

    fn node(&mut self, id: NodeId) {
        if !self.nodes.insert(id) {
            return;
        }
        let program = self.program;
        let kind = &program.node(id).kind;
        let (operations, nodes) = kind.leads_to();
        nodes.into_iter().for_each(|node| self.node(node));
        if matches!(kind, Kind::Database(_)) {
            for (index, node) in program.nodes.iter().enumerate() {
                if matches!(&node.kind, Kind::Outbox(relay) if relay.database == id) {
                    self.node(NodeId(index as u16));
                }
            }
        }
        operations.into_iter().for_each(|operation| self.operation(operation));
    }
}

/// The steps of an operation: those up to where the next one begins.
fn steps(program: &Program, id: OperationId) -> &[Step] {
    let start = program.operation(id).start as usize;
    let starts = program.operations.iter().map(|other| other.start as usize);
    let end = starts.filter(|&other| other > start).min().unwrap_or(program.steps.len());
    &program.steps[start..end]
}
