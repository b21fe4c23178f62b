//! Nodes that have no handlers in the file: providers, relays, and what queues bring with them.

use std::collections::BTreeSet;

use super::Handlers;
use super::data::durable;
use crate::kernel::sample::Distribution;
use crate::model::problem::Problem;
use crate::model::program::{
    self, Call, Condition, DataStep, Kind, LabelId, NodeId, NodeStep, OperationId, ProviderStep,
    QueueStep, RelayStep, Step, Target,
};
use crate::model::{check, language};
use crate::policy::Outcome;

impl<'c> Handlers<'c, '_> {
    /// The operations that nodes have by their kind and that steps call by their names.
    pub(super) fn operations_of_kinds(&mut self) {
        for (name, provider) in &self.sections.provider {
            self.provider(name, provider);
        }
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
            self.push(Step::Node(NodeStep::Provider(ProviderStep::CheckKey)));
            self.push(Step::Work(provider.latency.clone()));
            self.push(Step::Node(NodeStep::Provider(ProviderStep::Effect(label))));
            self.push(Step::Reply(Outcome::Ok));
        }
    }

    /// The endless operation of a relay.
    pub(super) fn relay(&mut self, name: &str, outbox: &language::Outbox) {
        let node = self.node(name);
        let is_queue = |kind: &Kind| matches!(kind, Kind::Queue(_));
        let path = ["outbox", name, "queue"];
        let Some(queue) = self.compiler.node_of(&path, &outbox.queue, "queue", is_queue) else {
            return;
        };
        if let (Some(publish), Kind::Queue(rules)) =
            (&outbox.publish, &self.compiler.program.node(queue).kind)
            && publish.batch > rules.limit
        {
            let wrong = format!("`{}` never has room for so many at once", outbox.queue);
            let problem = Problem::new(wrong).expected("no more than its `limit`").inside("batch");
            self.compiler.problem(&["outbox", name, "publish"], problem);
        }
        let database = self.node(&outbox.database);
        let path = ["outbox", name, "policy"];
        let Some(policy) = self.policy(&path, outbox.policy.as_deref()) else { return };
        let text = &self.sections.database[&outbox.database];
        let take =
            [Step::Work(text.read.clone()), Step::Node(NodeStep::Data(DataStep::TakeOutbox))];
        let take = self.built_in(database, "take_outbox", 0, &take);
        let mark = durable(
            text.flush,
            text.commit.clone(),
            Step::Node(NodeStep::Data(DataStep::MarkOutbox)),
        );
        let mark = self.built_in(database, "mark_outbox", 0, &mark);
        let publish = match outbox.publish {
            Some(publish) if publish.batch > 1 => {
                self.publish_by(queue, "publish_batch", QueueStep::EnqueueBatch)
            }
            _ => self.publish_operation(queue),
        };

        let operation = self.declare(node, "relay");
        let take = self.call(node, take, policy, 0);
        let publish = self.call(node, publish, policy, 1);
        let mark = self.call(node, mark, policy, 2);
        let mut targets = self.routes(name, outbox, node, policy);
        targets.push(Target { event: None, queue, call: publish });
        self.start(operation);
        let first = self.compiler.program.steps.len() as u32;
        let poll = Distribution::Constant(outbox.poll);
        let steps = match (&outbox.tail, outbox.mark_first, &outbox.publish) {
            (Some(_), _, None) => follow_log(first, publish, mark, poll),
            (Some(_), _, Some(_)) => follow_log_by_batches(first, mark, poll),
            (None, false, None) => publish_and_mark(first, take, publish, mark, poll),
            (None, false, Some(_)) => publish_all_and_mark(first, take, mark, poll),
            (None, true, None) => mark_and_publish(first, take, publish, mark, poll),
            (None, true, Some(_)) => mark_and_publish_all(first, take, mark, poll),
        };
        self.compiler.program.steps.extend(route(steps, first, &targets));
        let request = outbox.publish.map(|_| {
            let request = self.declare(node, "publish");
            self.start(request);
            self.push(Step::Call(publish));
            self.push(Step::Finish);
            request
        });
        if let Kind::Outbox(relay) = &mut self.compiler.program.nodes[node.0 as usize].kind {
            relay.operation = operation;
            relay.targets = targets;
            if let (Some(publish), Some(request)) = (&mut relay.publish, request) {
                publish.operation = request;
            }
        }
    }

    /// The events of a relay that have a queue of their own.
    fn routes(
        &mut self,
        name: &str,
        outbox: &language::Outbox,
        node: NodeId,
        policy: u16,
    ) -> Vec<Target> {
        let is_queue = |kind: &Kind| matches!(kind, Kind::Queue(_));
        let mut targets = Vec::new();
        for (index, route) in outbox.routes.iter().enumerate() {
            let index = index.to_string();
            let path = ["outbox", name, "routes", &index];
            let event = match self.event(&route.event) {
                Ok(event) => Some(event),
                Err(problem) => {
                    self.compiler.problem(&path, problem.inside("event"));
                    continue;
                }
            };
            if targets.iter().any(|target: &Target| target.event == event) {
                let problem = Problem::new(format!("`{}` has two queues", route.event));
                let problem = problem.expected("one route for each event").inside("event");
                self.compiler.problem(&path, problem);
            }
            let place = ["outbox", name, "routes", &index, "queue"];
            let Some(queue) = self.compiler.node_of(&place, &route.queue, "queue", is_queue) else {
                continue;
            };
            let publish = self.publish_operation(queue);
            let call = self.call(node, publish, policy, 3 + targets.len() as u32);
            targets.push(Target { event, queue, call });
        }
        targets
    }

    /// An event by its name: one that a transaction writes or a message tells of.
    pub(super) fn event(&mut self, name: &str) -> Result<LabelId, Problem> {
        let services = self.sections.service.values();
        let lists = services.flat_map(|service| {
            let handlers = service.on.values().map(|handler| handler.steps.as_slice());
            handlers.chain(service.steps.as_deref())
        });
        let steps = lists.flat_map(language::all_steps);
        let of_step = |step: &'c language::Step| {
            let put = step.write.iter().filter_map(|write| {
                let (table, event) = write.split_once('=')?;
                (table.trim() == "outbox").then(|| event.trim())
            });
            put.chain(step.event.as_deref())
        };
        let known: BTreeSet<&str> = steps.flat_map(of_step).collect();
        match known.contains(name) {
            true => Ok(self.label(name)),
            false => {
                let known: Vec<&str> = known.into_iter().collect();
                Err(Problem::unknown("event", name, &known))
            }
        }
    }

    pub(super) fn publish_operation(&mut self, queue: NodeId) -> OperationId {
        self.publish_by(queue, "publish", QueueStep::Enqueue)
    }

    fn publish_by(&mut self, queue: NodeId, name: &'static str, step: QueueStep) -> OperationId {
        let of_queue = &self.compiler.program.node(queue).name;
        let latency = Step::Work(self.sections.queue[of_queue].latency.clone());
        self.built_in(queue, name, 0, &[latency, Step::Node(NodeStep::Queue(step))])
    }
}

/// Lets each event be published to its own queue, if there are several: where the loop of a relay
/// publishes, it goes to the steps behind it that look at the event.
fn route(mut steps: Vec<Step>, first: u32, targets: &[Target]) -> Vec<Step> {
    let [.., last] = targets else { return steps };
    let publishes =
        |step: &Step| matches!(step, Step::Call(call) if call.operation == last.call.operation);
    let Some(place) = steps.iter().position(publishes).filter(|_| targets.len() > 1) else {
        return steps;
    };
    let Step::Call(Call { on_failure, .. }) = steps[place] else { return steps };
    steps[place] = Step::Jump(first + steps.len() as u32);
    for target in targets {
        let next = first + steps.len() as u32 + 3;
        let asks = target.event.map(|event| Step::JumpUnless(Condition::Event(event), next));
        steps.extend(asks);
        steps.push(Step::Call(Call { on_failure, ..target.call }));
        steps.push(Step::Jump(first + place as u32 + 1));
    }
    steps
}

/// Adds a worker to its group of consumers of a queue.
pub(super) fn join_group(queue: &mut program::Queue, name: Option<&str>, worker: NodeId) {
    let known = queue.groups.iter().position(|group| group.name.as_deref() == name);
    let index = known.unwrap_or_else(|| {
        // A queue starts with one group, that of nobody.
        let is_nobodys = queue.groups.last().is_some_and(|group| group.consumers.is_empty());
        if !is_nobodys {
            queue.groups.push(program::Group::default());
        }
        queue.groups.len() - 1
    });
    let group = &mut queue.groups[index];
    group.name = name.map(str::to_owned);
    group.consumers.push(worker);
}

/// Take a batch, publish each event, mark what was published, rest; for ever.
fn publish_and_mark(
    first: u32,
    take: Call,
    publish: Call,
    mark: Call,
    poll: Distribution,
) -> Vec<Step> {
    let (end_at, rest_at) = (first + 5, first + 8);
    vec![
        Step::Call(Call { on_failure: Some(rest_at), ..take }),
        Step::Node(NodeStep::Relay(RelayStep::NextEvent(end_at))),
        Step::Call(Call { on_failure: Some(end_at), ..publish }),
        Step::Node(NodeStep::Relay(RelayStep::Published)),
        Step::Jump(first + 1),
        Step::Node(NodeStep::Relay(RelayStep::EndBatch(rest_at))),
        Step::Call(Call { on_failure: Some(rest_at), ..mark }),
        Step::Node(NodeStep::Relay(RelayStep::Marked)),
        Step::Node(NodeStep::Relay(RelayStep::NextRound(poll))),
        Step::Jump(first),
    ]
}

/// Take a batch, mark all of it, publish each event whatever became of the one before, rest.
fn mark_and_publish(
    first: u32,
    take: Call,
    publish: Call,
    mark: Call,
    poll: Distribution,
) -> Vec<Step> {
    let (next_at, rest_at) = (first + 4, first + 8);
    vec![
        Step::Call(Call { on_failure: Some(rest_at), ..take }),
        Step::Node(NodeStep::Relay(RelayStep::ClaimBatch(rest_at))),
        Step::Call(Call { on_failure: Some(rest_at), ..mark }),
        Step::Node(NodeStep::Relay(RelayStep::Marked)),
        Step::Node(NodeStep::Relay(RelayStep::NextEvent(rest_at))),
        Step::Call(Call { on_failure: Some(next_at + 2), ..publish }),
        Step::Node(NodeStep::Relay(RelayStep::Published)),
        Step::Jump(next_at),
        Step::Node(NodeStep::Relay(RelayStep::NextRound(poll))),
        Step::Jump(first),
    ]
}

/// Wait for the next event of the log, publish it, now and then store how far that is; after a
/// failure, rest and try the same event again.
fn follow_log(first: u32, publish: Call, mark: Call, poll: Distribution) -> Vec<Step> {
    let (store_at, rest_at) = (first + 4, first + 7);
    vec![
        Step::Node(NodeStep::Relay(RelayStep::Follow(store_at))),
        Step::Call(Call { on_failure: Some(rest_at), ..publish }),
        Step::Node(NodeStep::Relay(RelayStep::Published)),
        Step::Jump(first),
        Step::Call(Call { on_failure: Some(rest_at), ..mark }),
        Step::Node(NodeStep::Relay(RelayStep::Stored)),
        Step::Jump(first),
        Step::Think(poll),
        Step::Jump(first),
    ]
}

/// Take a batch, publish all of it at once, mark what was published, rest; for ever.
fn publish_all_and_mark(first: u32, take: Call, mark: Call, poll: Distribution) -> Vec<Step> {
    let (end_at, rest_at) = (first + 2, first + 5);
    vec![
        Step::Call(Call { on_failure: Some(rest_at), ..take }),
        Step::Node(NodeStep::Relay(RelayStep::PublishAll(end_at))),
        Step::Node(NodeStep::Relay(RelayStep::EndBatch(rest_at))),
        Step::Call(Call { on_failure: Some(rest_at), ..mark }),
        Step::Node(NodeStep::Relay(RelayStep::Marked)),
        Step::Node(NodeStep::Relay(RelayStep::NextRound(poll))),
        Step::Jump(first),
    ]
}

/// Take a batch, mark all of it, publish all of it at once whatever becomes of each, rest.
fn mark_and_publish_all(first: u32, take: Call, mark: Call, poll: Distribution) -> Vec<Step> {
    let rest_at = first + 5;
    vec![
        Step::Call(Call { on_failure: Some(rest_at), ..take }),
        Step::Node(NodeStep::Relay(RelayStep::ClaimBatch(rest_at))),
        Step::Call(Call { on_failure: Some(rest_at), ..mark }),
        Step::Node(NodeStep::Relay(RelayStep::Marked)),
        Step::Node(NodeStep::Relay(RelayStep::PublishAll(rest_at))),
        Step::Node(NodeStep::Relay(RelayStep::NextRound(poll))),
        Step::Jump(first),
    ]
}

/// Wait for events of the log, publish those that are there at once, now and then store how far
/// that is; after a failure, rest and go on with the first that was not published.
fn follow_log_by_batches(first: u32, mark: Call, poll: Distribution) -> Vec<Step> {
    let (store_at, rest_at) = (first + 3, first + 6);
    vec![
        Step::Node(NodeStep::Relay(RelayStep::Follow(store_at))),
        Step::Node(NodeStep::Relay(RelayStep::PublishAll(rest_at))),
        Step::Jump(first),
        Step::Call(Call { on_failure: Some(rest_at), ..mark }),
        Step::Node(NodeStep::Relay(RelayStep::Stored)),
        Step::Jump(first),
        Step::Think(poll),
        Step::Jump(first),
    ]
}
