//! Handlers: what a node does on an operation, as flat steps.
//!
//! The nodes that have no handlers in the file (databases, caches, queues, providers, relays) get
//! theirs here, so one interpreter runs everything.

mod branches;
mod cached;
mod clients;
mod data;
mod edges;
mod ending;
mod lock;
mod nodes;
mod repeat;
mod shape;
mod steps;

use indexmap::IndexMap;
use nodes::join_group;
use steps::with;

use crate::kernel::draw::name_id;
use crate::model::check;
use crate::model::compile::Compiler;
use crate::model::compile::Sections;
use crate::model::language;
use crate::model::problem::Problem;
use crate::model::program::{EdgeId, Kind, LabelId, NodeId, Operation, OperationId, Step, TableId};
use crate::policy::Outcome;

/// Compiles the handlers of a model whose nodes, tables and policies are known.
pub(super) struct Handlers<'c, 'd> {
    compiler: &'c mut Compiler<'d>,
    sections: &'c Sections,
    /// Operations of nodes without handlers in the file, by node, name and what they are about.
    built_in: IndexMap<(NodeId, &'static str, u16), OperationId>,
    /// Edges by caller, target operation's name and policy.
    edges: IndexMap<(NodeId, String, u16), EdgeId>,
    /// First policy states by caller, policy and target, as far as the state belongs to them.
    scopes: IndexMap<(Option<NodeId>, u16, Option<NodeId>), u32>,
    /// How often the list is done at most in which steps are compiled, by all lists around it.
    rounds: u32,
    /// The tables whose rows are locked where steps are compiled, the innermost last.
    locked: Vec<TableId>,
}

/// Where a list of steps stands in the file and whose it is.
struct Place<'a> {
    node: NodeId,
    path: Vec<&'a str>,
    role: Role,
}

/// Where a step stands.
#[derive(Clone, Copy)]
struct At<'a> {
    place: &'a Place<'a>,
    /// Its path in the file.
    path: &'a [&'a str],
    step: &'a language::Step,
}

/// Who runs a list of steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    User,
    Handler,
    Worker(NodeId),
}

impl<'c, 'd> Handlers<'c, 'd> {
    pub(super) fn new(compiler: &'c mut Compiler<'d>, sections: &'c Sections) -> Self {
        Handlers {
            compiler,
            sections,
            built_in: IndexMap::new(),
            edges: IndexMap::new(),
            scopes: IndexMap::new(),
            rounds: 1,
            locked: Vec::new(),
        }
    }

    /// First every operation gets its name, so that steps can call forwards; then its steps.
    pub(super) fn compile(mut self) {
        let sections = self.sections;
        for (name, service) in &sections.service {
            let node = self.node(name);
            for operation in service.on.keys() {
                if let Err(problem) = check::name("an operation", operation) {
                    self.compiler.problem(&["service", name, "on", operation], problem);
                }
                self.declare(node, operation);
            }
        }
        self.operations_of_kinds();
        for (name, service) in &sections.service {
            self.service(name, service);
        }
        for (name, clients) in &sections.clients {
            self.clients(name, clients);
        }
        for (name, outbox) in &sections.outbox {
            self.relay(name, outbox);
        }
    }

    fn node(&self, name: &str) -> NodeId {
        self.compiler.program.find_node(name).expect("every section has its node by now")
    }

    fn declare(&mut self, node: NodeId, operation: &str) -> OperationId {
        let name = format!("{}.{operation}", self.compiler.program.node(node).name);
        let operations = &mut self.compiler.program.operations;
        let id = name_id(&name);
        operations.push(Operation { node, id, name, start: 0, priority: 0, compares: false });
        OperationId((operations.len() - 1) as u16)
    }

    /// Starts the steps of an operation here.
    fn start(&mut self, operation: OperationId) {
        let start = self.compiler.program.steps.len() as u32;
        self.compiler.program.operations[operation.0 as usize].start = start;
    }

    fn push(&mut self, step: Step) -> u32 {
        self.compiler.program.steps.push(step);
        (self.compiler.program.steps.len() - 1) as u32
    }

    /// An operation that the node's kind brings with it; `about` tells those of one name apart.
    fn built_in(
        &mut self,
        node: NodeId,
        name: &'static str,
        about: u16,
        steps: &[Step],
    ) -> OperationId {
        if let Some(&operation) = self.built_in.get(&(node, name, about)) {
            return operation;
        }
        let operation = self.declare(node, name);
        self.start(operation);
        self.compiler.program.steps.extend_from_slice(steps);
        self.push(Step::Reply(Outcome::Ok));
        self.built_in.insert((node, name, about), operation);
        operation
    }

    fn label(&mut self, name: &str) -> LabelId {
        self.compiler.program.label(name)
    }

    fn service(&mut self, name: &str, service: &language::Service) {
        let node = self.node(name);
        for (operation, handler) in &service.on {
            let full = format!("{name}.{operation}");
            let id = self.compiler.program.find_operation(&full).expect("declared before");
            let path = vec!["service", name, "on", operation, "steps"];
            self.steps(id, &Place { node, path, role: Role::Handler }, &handler.steps);
        }
        let path = ["service", name];
        match (&service.takes, &service.steps) {
            (None, None) if service.on.is_empty() => {
                let problem = Problem::new(format!("`{name}` does nothing"))
                    .expected("operations under `on`, or a queue that it `takes` and `steps`");
                self.compiler.problem(&path, problem);
            }
            (None, None) => {}
            (Some(queue), Some(steps)) => self.worker(name, node, queue, steps),
            (Some(_), None) => {
                let problem = Problem::new(format!("`{name}` does nothing with its messages"))
                    .expected("`steps` that handle a message");
                self.compiler.problem(&with(&path, "takes"), problem);
            }
            (None, Some(_)) => {
                let problem = Problem::new(format!("`{name}` has steps, but no messages"))
                    .expected("`takes` with the name of a queue");
                self.compiler.problem(&path, problem);
            }
        }
        if service.group.is_some() && service.takes.is_none() {
            let problem = Problem::new(format!("`{name}` shares no messages with anybody"))
                .expected("`group` in a service that `takes` a queue");
            self.compiler.problem(&with(&path, "group"), problem);
        }
        if service.prefetch.limit() > 0 && service.takes.is_none() {
            let problem = Problem::new(format!("`{name}` is handed no messages, early or late"))
                .expected("`prefetch` in a service that `takes` a queue");
            self.compiler.problem(&with(&path, "prefetch"), problem);
        }
    }

    fn worker(&mut self, name: &str, node: NodeId, queue: &str, steps: &[language::Step]) {
        let path = ["service", name, "takes"];
        let is_queue = |kind: &Kind| matches!(kind, Kind::Queue(_));
        let Some(queue) = self.compiler.node_of(&path, queue, "queue", is_queue) else { return };
        if self.sections.service[name].on.contains_key("message") {
            let problem = Problem::new("the steps of a worker are its operation `message`")
                .expected("another name");
            self.compiler.problem(&["service", name, "on", "message"], problem);
        }
        let operation = self.declare(node, "message");
        let path = vec!["service", name, "steps"];
        self.steps(operation, &Place { node, path, role: Role::Worker(queue) }, steps);
        let nodes = &mut self.compiler.program.nodes;
        if let Kind::Service(service) = &mut nodes[node.0 as usize].kind {
            service.takes = Some(operation);
        }
        if let Kind::Queue(queue) = &mut nodes[queue.0 as usize].kind {
            let group = self.sections.service[name].group.as_deref();
            join_group(queue, group, node);
        }
    }
}
