//! Call edges: who calls what, by which policy, and whose policy state it shares.

use super::Handlers;
use crate::kernel::draw::name_id;
use crate::kernel::time::Span;
use crate::model::check;
use crate::model::problem::Problem;
use crate::model::program::{
    Call, Edge, EdgeId, Kind, Memory, NodeId, Operation, OperationId, Sharing, StateOf, Token,
};
use crate::policy::Scope;

impl Handlers<'_, '_> {
    /// The operation that `NODE.OPERATION` names.
    pub(super) fn target(&mut self, path: &[&str], name: &str) -> Option<OperationId> {
        let (program, sections) = (&self.compiler.program, self.sections);
        // What a worker does with a message is no operation that anybody calls.
        let is_written = |name: &str| {
            let parts = name.split_once('.');
            parts.and_then(|(node, on)| sections.service.get(node)?.on.get(on)).is_some()
        };
        let callable = |operation: &&Operation| match &program.node(operation.node).kind {
            Kind::Service(_) => is_written(&operation.name),
            kind => kind.is_called_by_name(),
        };
        let found = program.find_operation(name);
        if let Some(id) = found.filter(|&id| callable(&program.operation(id))) {
            return Some(id);
        }
        let names: Vec<&str> =
            program.operations.iter().filter(callable).map(|o| o.name.as_str()).collect();
        let problem = Problem::unknown("operation", name, &names);
        self.compiler.problem(path, problem);
        None
    }

    /// The index of a policy by its name; the first one calls once and waits for ever.
    pub(super) fn policy(&mut self, path: &[&str], name: Option<&str>) -> Option<u16> {
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
    pub(super) fn call(
        &mut self,
        caller: NodeId,
        operation: OperationId,
        policy: u16,
        nth: u32,
    ) -> Call {
        let name = self.compiler.program.operation(operation).name.clone();
        let site = name_id(&format!("{name}#{nth}"));
        let policy = self.patient(caller, policy);
        let key = (caller, name, policy);
        let edge = match self.edges.get(&key) {
            Some(&edge) => edge,
            None => {
                let edge = self.edge(caller, operation, policy);
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
            brings: None,
            keeps_value: false,
            memory: Memory::None,
            on_failure: None,
            tells: None,
            stands_by: false,
        }
    }

    fn edge(&mut self, caller: NodeId, operation: OperationId, policy: u16) -> EdgeId {
        let program = &self.compiler.program;
        let target = program.operation(operation).node;
        let caller_node = program.node(caller);
        let (processes, is_entry) = match &caller_node.kind {
            Kind::Clients(clients) => (clients.processes, true),
            _ => (caller_node.station.instances, false),
        };
        let name = format!("{} -> {}", caller_node.name, program.operation(operation).name);
        if program.scopes.len() + processes as usize > check::SCOPES_MAX {
            let most = check::SCOPES_MAX;
            let problem =
                Problem::new(format!("a policy state for each process of `{name}` is too much"))
                    .expected(format!("at most {most} states: processes × policies × targets"));
            self.compiler.problem(&[], problem);
            return EdgeId(0);
        }
        let program = &mut self.compiler.program;
        let Sharing { scope, origin } = program.sharing[policy as usize];
        let (owner, states, state_of) = match scope {
            Scope::ProcessAndTarget => {
                ((Some(caller), policy, Some(target)), processes, StateOf::Process)
            }
            Scope::Process => ((Some(caller), policy, None), processes, StateOf::Process),
            Scope::Shared => ((None, origin, None), 1, StateOf::Everybody),
            Scope::Request => ((None, policy, None), 0, StateOf::Call),
        };
        let scopes = &mut program.scopes;
        let scope = *self.scopes.entry(owner).or_insert_with(|| {
            let first = scopes.len() as u32;
            scopes.resize(scopes.len() + states as usize, policy);
            first
        });
        let id = name_id(&name);
        program.edges.push(Edge {
            name,
            id,
            caller,
            target,
            operation,
            policy,
            scope,
            state_of,
            is_entry,
        });
        EdgeId((program.edges.len() - 1) as u16)
    }

    /// The policy of a user: patience is a deadline for the whole call.
    pub(super) fn patient(&mut self, caller: NodeId, policy: u16) -> u16 {
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
            program.sharing.push(program.sharing[policy as usize]);
            program.policies.len() - 1
        }) as u16
    }
}
