//! What users do: one flow, or several in given shares.

use super::{Handlers, Place, Role};
use crate::model::language;
use crate::model::problem::Problem;
use crate::model::program::{Call, Kind, Memory, OperationId, Step};

impl Handlers<'_, '_> {
    pub(super) fn clients(&mut self, name: &str, clients: &language::Clients) {
        let node = self.node(name);
        let first = self.compiler.program.steps.len();
        let flows = if clients.mix.is_empty() {
            let place = Place { node, path: vec!["clients", name, "flow"], role: Role::User };
            vec![(u64::MAX, self.flow("flow", &place, &clients.flow))]
        } else {
            self.mix(name, clients)
        };
        if remembers(clients) {
            for step in &mut self.compiler.program.steps[first..] {
                if let Step::Call(Call { memory: memory @ Memory::None, .. }) = step {
                    *memory = Memory::Kept;
                }
            }
            for &(_, flow) in &flows {
                self.compiler.program.operations[flow.0 as usize].compares = true;
            }
        }
        if let Kind::Clients(clients) = &mut self.compiler.program.nodes[node.0 as usize].kind {
            clients.flows = flows;
        }
    }

    /// Several flows, each with the last of the draws that choose it.
    fn mix(&mut self, name: &str, clients: &language::Clients) -> Vec<(u64, OperationId)> {
        let path = ["clients", name, "mix"];
        if !clients.flow.is_empty() {
            let problem = Problem::new("these users have a flow and a mix of flows");
            self.compiler.problem(&path, problem.expected("`flow` or `mix`"));
        }
        let total: f64 = clients.mix.iter().map(|choice| choice.weight).sum();
        let is_weight = |weight: f64| (0.0..=1e9).contains(&weight);
        let unweighted = clients.mix.iter().position(|choice| !is_weight(choice.weight));
        if let Some(index) = unweighted {
            let number = index.to_string();
            let path = ["clients", name, "mix", &number, "weight"];
            let problem = Problem::new(format!("{} is no weight", clients.mix[index].weight));
            self.compiler.problem(&path, problem.expected("a number from 0 to 1e9"));
        } else if total == 0.0 {
            let problem = Problem::new("all weights are zero: nobody ever asks anything");
            self.compiler.problem(&path, problem.expected("a weight above 0"));
        }
        let node = self.node(name);
        let mut sum = 0.0;
        let mut flows = Vec::new();
        for (index, choice) in clients.mix.iter().enumerate() {
            sum += choice.weight;
            let is_last = sum == total;
            let last = if is_last { u64::MAX } else { (sum / total * u64::MAX as f64) as u64 };
            let number = index.to_string();
            let path = vec!["clients", name, "mix", &number, "flow"];
            let place = Place { node, path, role: Role::User };
            let flow = self.flow(&format!("flow-{}", index + 1), &place, &choice.flow);
            if choice.weight > 0.0 {
                flows.push((last, flow));
            }
        }
        flows
    }

    fn flow(&mut self, name: &str, place: &Place<'_>, steps: &[language::Step]) -> OperationId {
        let flow = self.declare(place.node, name);
        if !steps.is_empty() && language::all_steps(steps).iter().all(|step| step.call.is_none()) {
            let problem =
                Problem::new("these users never ask anything").expected("at least one `call`");
            self.compiler.problem(&place.path, problem);
        }
        self.steps(flow, place, steps);
        flow
    }
}

/// Whether users compare an answer with what they were shown before.
fn remembers(clients: &language::Clients) -> bool {
    let flows = clients.mix.iter().map(|choice| &choice.flow).chain([&clients.flow]);
    flows
        .flat_map(|flow| language::all_steps(flow))
        .any(|step| step.expect == Some(language::Expectation::NotOlder))
}
