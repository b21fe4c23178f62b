//! Handlers: what a node does on an operation, as flat steps.
//!
//! The nodes that have no handlers in the file (databases, caches, queues, providers, relays) get
//! theirs here, so one interpreter runs everything.

use indexmap::IndexMap;

use super::check;
use super::compile::{Compiler, Sections};
use super::language::{self, KeyOf, Reply};
use super::problem::Problem;
use super::program::{
    Call, Edge, EdgeId, Kind, LabelId, NodeId, Operation, OperationId, Step, TableId, Token,
    Transaction, TransactionId,
};
use crate::kernel::draw::name_id;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::policy::Outcome;

/// Compiles the handlers of a model whose nodes, tables and policies are known.
pub(super) struct Handlers<'c, 'd> {
    compiler: &'c mut Compiler<'d>,
    sections: &'c Sections,
    /// Operations of nodes without handlers in the file, by node, name and what they are about.
    built_in: IndexMap<(NodeId, &'static str, u16), OperationId>,
    /// Edges by caller, target operation's name and policy.
    edges: IndexMap<(NodeId, String, u16), EdgeId>,
    /// First policy states by caller, policy and target.
    scopes: IndexMap<(NodeId, u16, NodeId), u32>,
}

/// Where a list of steps stands in the file and whose it is.
struct Place<'a> {
    node: NodeId,
    path: Vec<&'a str>,
    role: Role,
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
        for (name, provider) in &sections.provider {
            self.provider(name, provider);
        }
        for (name, service) in &sections.service {
            self.service(name, service);
        }
        for (name, clients) in &sections.clients {
            let node = self.node(name);
            let place = Place { node, path: vec!["clients", name, "flow"], role: Role::User };
            let flow = self.declare(node, "flow");
            if !clients.flow.is_empty() && clients.flow.iter().all(|step| step.call.is_none()) {
                let problem =
                    Problem::new("these users never ask anything").expected("at least one `call`");
                self.compiler.problem(&place.path, problem);
            }
            self.steps(flow, &place, &clients.flow);
            if let Kind::Clients(clients) = &mut self.compiler.program.nodes[node.0 as usize].kind {
                clients.flow = flow;
            }
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
        operations.push(Operation { node, id: name_id(&name), name, start: 0 });
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
        self.compiler.program.find_label(name).unwrap_or_else(|| {
            let labels = &mut self.compiler.program.labels;
            labels.push(name.to_owned());
            LabelId((labels.len() - 1) as u16)
        })
    }

    fn provider(&mut self, name: &str, provider: &language::Provider) {
        let node = self.node(name);
        for (index, effect) in provider.effects.iter().enumerate() {
            let path = ["provider", name, "effects", &index.to_string()];
            if let Err(problem) = check::name("an effect", effect) {
                self.compiler.problem(&path, problem);
            }
            if provider.effects[..index].contains(effect) {
                let problem = Problem::new(format!("the effect `{effect}` is listed twice"));
                self.compiler.problem(&path, problem.expected("each effect once"));
            }
            let label = self.label(effect);
            let operation = self.declare(node, effect);
            self.start(operation);
            self.push(Step::CheckKey);
            self.push(Step::Work(provider.latency));
            self.push(Step::Effect(label));
            self.push(Step::Reply(Outcome::Ok));
        }
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
        nodes[node.0 as usize].kind = Kind::Service { takes: Some(operation) };
        if let Kind::Queue(queue) = &mut nodes[queue.0 as usize].kind {
            queue.consumers.push(node);
        }
    }

    /// Take a batch, publish each event, mark what was published, rest; for ever.
    fn relay(&mut self, name: &str, outbox: &language::Outbox) {
        let node = self.node(name);
        let is_queue = |kind: &Kind| matches!(kind, Kind::Queue(_));
        let path = ["outbox", name, "queue"];
        let Some(queue) = self.compiler.node_of(&path, &outbox.queue, "queue", is_queue) else {
            return;
        };
        let database = self.node(&outbox.database);
        let path = ["outbox", name, "policy"];
        let Some(policy) = self.policy(&path, outbox.policy.as_deref()) else { return };
        let text = &self.sections.database[&outbox.database];
        let take = [Step::Work(text.read), Step::TakeOutbox];
        let take = self.built_in(database, "take_outbox", 0, &take);
        let mark = [Step::Work(text.commit), Step::MarkOutbox];
        let mark = self.built_in(database, "mark_outbox", 0, &mark);
        let publish = self.publish_operation(queue);

        let operation = self.declare(node, "relay");
        let take = self.call(node, take, policy, 0);
        let publish = self.call(node, publish, policy, 1);
        let mark = self.call(node, mark, policy, 2);
        self.start(operation);
        let first = self.compiler.program.steps.len() as u32;
        let (end_at, rest_at) = (first + 4, first + 6);
        self.push(Step::Call(Call { on_failure: Some(rest_at), ..take }));
        self.push(Step::NextEvent(end_at));
        self.push(Step::Call(Call { on_failure: Some(end_at), ..publish }));
        self.push(Step::Jump(first + 1));
        self.push(Step::EndBatch(rest_at));
        self.push(Step::Call(Call { on_failure: Some(rest_at), ..mark }));
        self.push(Step::NextRound(Distribution::Constant(outbox.poll)));
        self.push(Step::Jump(first));
        if let Kind::Outbox { operation: slot, .. } =
            &mut self.compiler.program.nodes[node.0 as usize].kind
        {
            *slot = operation;
        }
    }

    fn publish_operation(&mut self, queue: NodeId) -> OperationId {
        let name = self.compiler.program.node(queue).name.clone();
        let latency = self.sections.queue[&name].latency;
        self.built_in(queue, "publish", 0, &[Step::Work(latency), Step::Enqueue])
    }

    /// Compiles a list of steps as the steps of an operation.
    fn steps(&mut self, operation: OperationId, place: &Place<'_>, steps: &[language::Step]) {
        // Built-in operations that the steps call must not come between them.
        let mut compiled = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let index = index.to_string();
            let mut path = place.path.clone();
            path.push(&index);
            match self.step(place, &path, step, &compiled) {
                Ok(more) => compiled.extend(more),
                Err(problem) => self.compiler.problem(&path, problem),
            }
        }
        self.check_ending(place, steps);
        if place.role != Role::Handler {
            compiled.push(Step::Finish);
        }
        self.start(operation);
        let first = self.compiler.program.steps.len() as u32;
        let shifted = compiled.into_iter().map(|step| shift(step, first));
        self.compiler.program.steps.extend(shifted);
    }

    /// A handler answers exactly once, at its end; a worker acknowledges.
    fn check_ending(&mut self, place: &Place<'_>, steps: &[language::Step]) {
        let replies = steps.iter().position(|step| step.reply.is_some());
        let is_unclear = steps.iter().any(|step| one_action(step).is_err());
        let problem = match (place.role, steps.last()) {
            // The step that does nothing or two things has been told so.
            (_, Some(_)) if is_unclear => return,
            (_, None) => Problem::new("there are no steps").expected("at least one step"),
            (Role::Handler, Some(last)) if last.reply.is_none() => match replies {
                Some(reply) => {
                    let problem = Problem::new("a step after the reply would never run")
                        .expected("`reply` as the last step");
                    problem.inside((reply + 1).to_string())
                }
                None => Problem::new("this handler never answers")
                    .expected("`{ reply = \"ok\" }` as the last step"),
            },
            (Role::Handler, Some(_)) if replies != Some(steps.len() - 1) => {
                Problem::new("a handler answers once")
                    .expected("`reply` as the last step only")
                    .inside(replies.unwrap_or_default().to_string())
            }
            (Role::Worker(_), Some(_)) if !steps.iter().any(|step| step.ack == Some(true)) => {
                Problem::new("this worker never acknowledges its messages")
                    .expected("`{ ack = true }`, or every message is delivered again")
            }
            _ => return,
        };
        self.compiler.problem(&place.path, problem);
    }

    /// Compiles one step; jumps count from the first step of the operation.
    fn step(
        &mut self,
        place: &Place<'_>,
        path: &[&str],
        step: &language::Step,
        before: &[Step],
    ) -> Result<Vec<Step>, Problem> {
        let action = one_action(step)?;
        check_role(place.role, action)?;
        check_modifiers(step, action)?;
        let next = before.len() as u32 + 1;
        let policy = self.policy(&with(path, "policy"), step.policy.as_deref()).unwrap_or(0);
        let on_failure = step.ignore_failure.then_some(next);
        let site = calls(before);
        let call = |handlers: &mut Self, operation| {
            let call = handlers.call(place.node, operation, policy, site);
            Step::Call(Call { on_failure, ..call })
        };
        Ok(vec![match action {
            "work" => Step::Work(step.work.expect("the action")),
            "think" => Step::Think(step.think.expect("the action")),
            "reply" => Step::Reply(reply_outcome(step.reply.expect("the action"))),
            "call" => {
                let target = step.call.as_deref().unwrap_or_default();
                let Some(operation) = self.target(&with(path, "call"), target, place) else {
                    return Ok(Vec::new());
                };
                let Step::Call(call) = call(self, operation) else { return Ok(Vec::new()) };
                Step::Call(Call {
                    token: token(step.idempotency_key),
                    expects_own_write: step.expect.is_some(),
                    ..call
                })
            }
            "transaction" => {
                let Some(operation) = self.transaction(path, step)? else {
                    return Ok(Vec::new());
                };
                call(self, operation)
            }
            "publish" => {
                let name = step.publish.as_deref().unwrap_or_default();
                let is_queue = |kind: &Kind| matches!(kind, Kind::Queue(_));
                let path = with(path, "publish");
                let Some(queue) = self.compiler.node_of(&path, name, "queue", is_queue) else {
                    return Ok(Vec::new());
                };
                let operation = self.publish_operation(queue);
                call(self, operation)
            }
            "ack" => {
                let Role::Worker(queue) = place.role else {
                    return Err(Problem::new("only a worker has a message to acknowledge")
                        .expected("`ack` in the `steps` of a service that `takes` a queue"));
                };
                let name = self.compiler.program.node(queue).name.clone();
                let latency = self.sections.queue[&name].latency;
                let steps = [Step::Work(latency), Step::Acknowledge];
                let operation = self.built_in(queue, "ack", 0, &steps);
                let Step::Call(call) = call(self, operation) else { return Ok(Vec::new()) };
                Step::Call(Call { token: Token::Delivery, ..call })
            }
            _ => return self.read(place, path, step, before),
        }])
    }

    /// A read, and around it the lookup and fill of a cache.
    fn read(
        &mut self,
        place: &Place<'_>,
        path: &[&str],
        step: &language::Step,
        before: &[Step],
    ) -> Result<Vec<Step>, Problem> {
        let text = step.read.as_deref().unwrap_or_default();
        let Some((source, table)) = self.readable(&with(path, "read"), text) else {
            return Ok(Vec::new());
        };
        let name = self.compiler.program.node(source).name.clone();
        let work = match self.sections.replica.get(&name) {
            Some(replica) => replica.read,
            None => self.sections.database[&name].read,
        };
        let steps = [Step::Work(work), Step::ReadRow(table)];
        let read = self.built_in(source, "read", table.0, &steps);
        let policy = self.policy(&with(path, "policy"), step.policy.as_deref()).unwrap_or(0);
        let site = calls(before);
        let first = before.len() as u32;
        let read = self.call(place.node, read, policy, site);
        let Some(cache) = &step.cache else {
            let on_failure = step.ignore_failure.then_some(first + 1);
            return Ok(vec![Step::Call(Call { on_failure, ..read })]);
        };
        let is_cache = |kind: &Kind| matches!(kind, Kind::Cache { .. });
        let Some(cache) = self.compiler.node_of(&with(path, "cache"), cache, "cache", is_cache)
        else {
            return Ok(Vec::new());
        };
        let name = self.compiler.program.node(cache).name.clone();
        let work = Step::Work(self.sections.cache[&name].latency);
        let lookup = self.built_in(cache, "lookup", table.0, &[work, Step::Lookup(table)]);
        let fill = self.built_in(cache, "fill", table.0, &[work, Step::Fill(table)]);
        let lookup = self.call(place.node, lookup, policy, site + 1);
        let fill = self.call(place.node, fill, policy, site + 2);
        let end = first + 4;
        // A cache that does not answer is a miss; a fill that fails is nobody's concern.
        Ok(vec![
            Step::Call(Call { on_failure: Some(first + 1), ..lookup }),
            Step::JumpIfFound(end),
            Step::Call(Call { on_failure: step.ignore_failure.then_some(end), ..read }),
            Step::Call(Call { on_failure: Some(end), ..fill }),
        ])
    }

    /// The database or replica and the table that `NODE.TABLE` names.
    fn readable(&mut self, path: &[&str], text: &str) -> Option<(NodeId, TableId)> {
        let program = &self.compiler.program;
        let mut known = Vec::new();
        for node in &program.nodes {
            let owner = match node.kind {
                Kind::Database { .. } => program.find_node(&node.name),
                Kind::Replica { of, .. } => Some(of),
                _ => continue,
            };
            for (index, table) in program.tables.iter().enumerate() {
                if Some(table.database) == owner
                    && let Some((_, name)) = table.name.split_once('.')
                {
                    known.push((format!("{}.{name}", node.name), TableId(index as u16)));
                }
            }
        }
        if let Some((name, table)) = known.iter().find(|(name, _)| name == text) {
            let (node, _) = name.split_once('.')?;
            return Some((self.node(node), *table));
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        let problem = Problem::unknown("table", text, &names);
        self.compiler.problem(path, problem);
        None
    }

    /// The operation of a service or provider that `NODE.OPERATION` names.
    fn target(&mut self, path: &[&str], name: &str, place: &Place<'_>) -> Option<OperationId> {
        let program = &self.compiler.program;
        let callable = |operation: &&Operation| {
            let kind = &program.node(operation.node).kind;
            matches!(kind, Kind::Service { .. } | Kind::Provider { .. })
                && operation.node != place.node
        };
        if let Some(id) = program.find_operation(name) {
            let operation = program.operation(id);
            if callable(&operation) {
                return Some(id);
            }
            if operation.node == place.node {
                let problem = Problem::new("a service does not call itself")
                    .expected(format!("the steps of `{name}` here instead of a call"));
                self.compiler.problem(path, problem);
                return None;
            }
        }
        let names: Vec<&str> =
            program.operations.iter().filter(callable).map(|o| o.name.as_str()).collect();
        let problem = Problem::unknown("operation", name, &names);
        self.compiler.problem(path, problem);
        None
    }

    fn transaction(
        &mut self,
        path: &[&str],
        step: &language::Step,
    ) -> Result<Option<OperationId>, Problem> {
        let name = step.transaction.as_deref().unwrap_or_default();
        let is_database = |kind: &Kind| matches!(kind, Kind::Database { .. });
        let path = with(path, "transaction");
        let Some(database) = self.compiler.node_of(&path, name, "database", is_database) else {
            return Ok(None);
        };
        let once = token(step.once);
        if once == Token::Attempt {
            return Err(Problem::new("once for each attempt is no protection at all")
                .expected("once = \"order\" or once = \"request\"")
                .inside("once"));
        }
        let mut transaction =
            Transaction { writes: Vec::new(), events: Vec::new(), audits: Vec::new(), once };
        for (index, write) in step.write.iter().enumerate() {
            self.write(name, write, &mut transaction)
                .map_err(|problem| problem.inside(index.to_string()).inside("write"))?;
        }
        if step.write.is_empty() {
            return Err(Problem::new("this transaction writes nothing")
                .expected("write = [\"order = accepted\"]")
                .inside("write"));
        }
        let transactions = &mut self.compiler.program.transactions;
        transactions.push(transaction);
        let id = TransactionId((transactions.len() - 1) as u16);
        let commit = self.sections.database[name].commit;
        let steps = [Step::Work(commit), Step::Commit(id)];
        Ok(Some(self.built_in(database, "transaction", id.0, &steps)))
    }

    fn write(
        &mut self,
        database: &str,
        write: &str,
        transaction: &mut Transaction,
    ) -> Result<(), Problem> {
        let parts = write.split_once('=').map(|(table, state)| (table.trim(), state.trim()));
        let Some((table, state)) = parts.filter(|(_, state)| !state.is_empty()) else {
            return Err(Problem::new(format!("`{write}` is not a write"))
                .expected("\"TABLE = state\", \"outbox = event\" or \"audit = entry\""));
        };
        let label = self.label(state);
        match table {
            "outbox" => transaction.events.push(label),
            "audit" => transaction.audits.push(label),
            _ => {
                let program = &self.compiler.program;
                let Some(id) = program.find_table(&format!("{database}.{table}")) else {
                    let mut known: Vec<&str> = program
                        .tables
                        .iter()
                        .filter_map(|table| table.name.strip_prefix(database)?.strip_prefix('.'))
                        .collect();
                    known.extend(["outbox", "audit"]);
                    return Err(Problem::unknown("table", table, &known));
                };
                transaction.writes.push((id, label));
            }
        }
        Ok(())
    }

    /// The index of a policy by its name; the first one calls once and waits for ever.
    fn policy(&mut self, path: &[&str], name: Option<&str>) -> Option<u16> {
        let Some(name) = name else { return Some(0) };
        let policies = &self.compiler.program.policies;
        // Beside the policies of the file there are those that users' patience shortens.
        let own = policies.iter().take(self.sections.policy.len() + 1).skip(1);
        if let Some(index) = own.into_iter().position(|(known, _)| known == name) {
            return Some(index as u16 + 1);
        }
        let known: Vec<&str> = self.sections.policy.keys().map(String::as_str).collect();
        let problem = Problem::unknown("policy", name, &known);
        self.compiler.problem(path, problem);
        None
    }

    /// A call by the edge of this caller, operation and policy.
    fn call(&mut self, caller: NodeId, operation: OperationId, policy: u16, nth: u32) -> Call {
        let target = self.compiler.program.operation(operation).node;
        let name = self.compiler.program.operation(operation).name.clone();
        let site = name_id(&format!("{name}#{nth}"));
        let policy = self.patient(caller, policy);
        let key = (caller, name, policy);
        let edge = match self.edges.get(&key) {
            Some(&edge) => edge,
            None => {
                let edge = self.edge(caller, target, &key.1, policy);
                self.edges.insert(key, edge);
                edge
            }
        };
        Call {
            edge,
            operation,
            site,
            token: Token::None,
            expects_own_write: false,
            on_failure: None,
        }
    }

    fn edge(&mut self, caller: NodeId, target: NodeId, operation: &str, policy: u16) -> EdgeId {
        let program = &mut self.compiler.program;
        let caller_node = program.node(caller);
        let (processes, is_entry) = match &caller_node.kind {
            Kind::Clients(clients) => (clients.processes, true),
            _ => (caller_node.station.instances, false),
        };
        let name = format!("{} -> {operation}", caller_node.name);
        if program.scopes.len() + processes as usize > check::SCOPES_MAX {
            let most = check::SCOPES_MAX;
            let problem =
                Problem::new(format!("a policy state for each process of `{name}` is too much"))
                    .expected(format!("at most {most} states: processes × policies × targets"));
            self.compiler.problem(&[], problem);
            return EdgeId(0);
        }
        let program = &mut self.compiler.program;
        let scopes = &mut program.scopes;
        let scope = *self.scopes.entry((caller, policy, target)).or_insert_with(|| {
            let first = scopes.len() as u32;
            scopes.resize(scopes.len() + processes as usize, policy);
            first
        });
        let id = name_id(&name);
        program.edges.push(Edge { name, id, caller, target, policy, scope, is_entry });
        EdgeId((program.edges.len() - 1) as u16)
    }

    /// The policy of a user: patience is a deadline for the whole call.
    fn patient(&mut self, caller: NodeId, policy: u16) -> u16 {
        let program = &mut self.compiler.program;
        let name = &program.node(caller).name;
        let patience = self.sections.clients.get(name).and_then(|clients| clients.patience);
        let (policy_name, mut machine) = program.policies[policy as usize].clone();
        let Some(patience) = patience.filter(|&span| span < machine.deadline.unwrap_or(Span::MAX))
        else {
            return policy;
        };
        machine.deadline = Some(patience);
        let patient = (format!("{policy_name} within {patience}"), machine);
        let known = program.policies.iter().position(|known| *known == patient);
        known.unwrap_or_else(|| {
            program.policies.push(patient);
            program.policies.len() - 1
        }) as u16
    }
}

/// The path with one more key.
fn with<'a>(path: &[&'a str], key: &'a str) -> Vec<&'a str> {
    path.iter().copied().chain([key]).collect()
}

/// How many calls there are among steps: the number of the next one.
fn calls(steps: &[Step]) -> u32 {
    steps.iter().filter(|step| matches!(step, Step::Call(_))).count() as u32
}

/// The step with its jumps moved by `first`.
fn shift(step: Step, first: u32) -> Step {
    match step {
        Step::Jump(to) => Step::Jump(to + first),
        Step::JumpIfFound(to) => Step::JumpIfFound(to + first),
        Step::Call(call) => {
            Step::Call(Call { on_failure: call.on_failure.map(|to| to + first), ..call })
        }
        other => other,
    }
}

const ACTIONS: &str = "work, think, call, transaction, read, publish, reply, ack";

/// The one thing that a step does.
fn one_action(step: &language::Step) -> Result<&'static str, Problem> {
    let given = [
        ("work", step.work.is_some()),
        ("think", step.think.is_some()),
        ("call", step.call.is_some()),
        ("transaction", step.transaction.is_some()),
        ("read", step.read.is_some()),
        ("publish", step.publish.is_some()),
        ("reply", step.reply.is_some()),
        ("ack", step.ack.is_some()),
    ];
    let mut actions = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name);
    match (actions.next(), actions.next()) {
        (Some(action), None) => Ok(action),
        (Some(first), Some(second)) => {
            Err(Problem::new(format!("a step does one thing, not `{first}` and `{second}`"))
                .expected("a step for each"))
        }
        _ => Err(Problem::new("this step does nothing").expected(format!("one of {ACTIONS}"))),
    }
}

fn check_role(role: Role, action: &str) -> Result<(), Problem> {
    match (role, action) {
        (Role::User, "call" | "think") => Ok(()),
        (Role::User, _) => {
            Err(Problem::new(format!("`{action}` is no step of a user"))
                .expected("`call` or `think`"))
        }
        (_, "think") => Err(Problem::new("only users think").expected("`work`")),
        (Role::Worker(_), "reply") => Err(Problem::new("nobody waits for a worker's reply")
            .expected("`{ ack = true }` when the message is done with")),
        _ => Ok(()),
    }
}

/// Keys that go with some actions only.
fn check_modifiers(step: &language::Step, action: &str) -> Result<(), Problem> {
    let given: [(&str, bool, &[&str]); 7] = [
        ("policy", step.policy.is_some(), &["call", "transaction", "read", "publish", "ack"]),
        ("idempotency_key", step.idempotency_key.is_some(), &["call"]),
        ("expect", step.expect.is_some(), &["call"]),
        ("cache", step.cache.is_some(), &["read"]),
        ("write", !step.write.is_empty(), &["transaction"]),
        ("once", step.once.is_some(), &["transaction"]),
        ("ignore_failure", step.ignore_failure, &["call", "transaction", "read", "publish", "ack"]),
    ];
    for (name, is_given, actions) in given {
        if is_given && !actions.contains(&action) {
            return Err(Problem::new(format!("`{name}` does not go with `{action}`"))
                .expected(format!("`{name}` with `{}`", actions.join("` or `")))
                .inside(name));
        }
    }
    Ok(())
}

fn token(key: Option<KeyOf>) -> Token {
    match key {
        None => Token::None,
        Some(KeyOf::Order) => Token::Order,
        Some(KeyOf::Request) => Token::Request,
        Some(KeyOf::Attempt) => Token::Attempt,
    }
}

fn reply_outcome(reply: Reply) -> Outcome {
    match reply {
        Reply::Ok => Outcome::Ok,
        Reply::Failed => Outcome::Failed,
        Reply::Rejected => Outcome::Rejected,
        Reply::Throttled => Outcome::Throttled,
        Reply::Invalid => Outcome::Invalid,
    }
}
