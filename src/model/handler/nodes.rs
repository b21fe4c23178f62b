//! Nodes that have no handlers in the file: providers, relays, and what queues bring with them.

use super::Handlers;
use crate::kernel::sample::Distribution;
use crate::model::problem::Problem;
use crate::model::program::{self, Call, Kind, NodeId, OperationId, Step};
use crate::model::{check, language};
use crate::policy::Outcome;

impl Handlers<'_, '_> {
    pub(super) fn provider(&mut self, name: &str, provider: &language::Provider) {
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
            self.push(Step::Work(provider.latency.clone()));
            self.push(Step::Effect(label));
            self.push(Step::Reply(Outcome::Ok));
        }
    }

    /// Take a batch, publish each event, mark what was published, rest; for ever.
    pub(super) fn relay(&mut self, name: &str, outbox: &language::Outbox) {
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
        let take = [Step::Work(text.read.clone()), Step::TakeOutbox];
        let take = self.built_in(database, "take_outbox", 0, &take);
        let mark = [Step::Work(text.commit.clone()), Step::MarkOutbox];
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
        if let Kind::Outbox(program::Outbox { operation: slot, .. }) =
            &mut self.compiler.program.nodes[node.0 as usize].kind
        {
            *slot = operation;
        }
    }

    pub(super) fn publish_operation(&mut self, queue: NodeId) -> OperationId {
        let name = self.compiler.program.node(queue).name.clone();
        let latency = self.sections.queue[&name].latency.clone();
        self.built_in(queue, "publish", 0, &[Step::Work(latency), Step::Enqueue])
    }
}
