//! Lists of steps: each step by itself.

use super::shape::{check_modifiers, check_role, one_action};
use super::{At, Handlers, Place, Role};
use crate::model::language::{self, Expectation, KeyOf, Reply};
use crate::model::problem::Problem;
use crate::model::program::{
    CacheStep, CachedRead, Call, Fork, Hold, Kind, Memory, NodeStep, OperationId, QueueStep, Step,
    Token,
};
use crate::policy::Outcome;

impl Handlers<'_, '_> {
    /// Compiles a list of steps as the steps of an operation.
    pub(super) fn steps(
        &mut self,
        operation: OperationId,
        place: &Place<'_>,
        steps: &[language::Step],
    ) {
        // Built-in operations that the steps call must not come between them.
        let mut compiled = Vec::new();
        let program = &self.compiler.program;
        let (forks, repeats) = (program.forks.len(), program.repeats.len());
        self.list(place, &place.path, steps, &mut compiled);
        self.check_ending(place, steps);
        if place.role != Role::Handler {
            compiled.push(Step::Finish);
        }
        self.start(operation);
        let compares = |step: &Step| {
            matches!(step, Step::Call(call) if call.expects_own_write
                || call.brings.is_some()
                || call.memory == Memory::Compared)
        };
        self.compiler.program.operations[operation.0 as usize].compares =
            compiled.iter().any(compares);
        let first = self.compiler.program.steps.len() as u32;
        let shifted = compiled.into_iter().map(|step| shift(step, first));
        self.compiler.program.steps.extend(shifted);
        for fork in &mut self.compiler.program.forks[forks..] {
            shift_fork(fork, first);
        }
        for repeat in &mut self.compiler.program.repeats[repeats..] {
            repeat.first += first;
        }
    }

    /// Compiles a list of steps, at the end of those that the operation has already.
    pub(super) fn list(
        &mut self,
        place: &Place<'_>,
        path: &[&str],
        steps: &[language::Step],
        compiled: &mut Vec<Step>,
    ) {
        for (index, step) in steps.iter().enumerate() {
            let index = index.to_string();
            let path = with(path, &index);
            if let Err(problem) = self.step(At { place, path: &path, step }, compiled) {
                self.compiler.problem(&path, problem);
            }
        }
    }

    /// Compiles one step; jumps count from the first step of the operation.
    fn step(&mut self, at: At<'_>, compiled: &mut Vec<Step>) -> Result<(), Problem> {
        let At { place, step, .. } = at;
        let action = one_action(step)?;
        check_role(place.role, action)?;
        check_modifiers(step, action)?;
        match action {
            "when" => self.when(at, compiled),
            "parallel" => self.parallel(at, compiled),
            "repeat" => self.repeat(at, compiled),
            "hold" => self.hold(at, compiled),
            "read" if step.for_update.is_some() => self.read_for_update(at, compiled),
            _ => {
                let more = self.action(at, action, compiled)?;
                let first = compiled.len();
                compiled.extend(more);
                self.fallback(at, compiled, first);
                Ok(())
            }
        }
    }

    /// The operation that a step calls, if it is known.
    fn call_of(&mut self, at: At<'_>) -> Result<Option<OperationId>, Problem> {
        let At { place, path, step } = at;
        if step.expect == Some(Expectation::NotOlder) && place.role != Role::User {
            return Err(Problem::new("only users remember what they were shown")
                .expected("`expect = \"not older\"` in a flow of clients")
                .inside("expect"));
        }
        let target = step.call.as_deref().unwrap_or_default();
        Ok(self.target(&with(path, "call"), target))
    }

    /// The operation by which a step publishes to its queue, if that is known.
    fn published_to(&mut self, path: &[&str], step: &language::Step) -> Option<OperationId> {
        let name = step.publish.as_deref().unwrap_or_default();
        let is_queue = |kind: &Kind| matches!(kind, Kind::Queue(_));
        let queue = self.compiler.node_of(&with(path, "publish"), name, "queue", is_queue)?;
        Some(self.publish_operation(queue))
    }

    /// Compiles a step without steps inside it.
    fn action(&mut self, at: At<'_>, action: &str, before: &[Step]) -> Result<Vec<Step>, Problem> {
        let At { place, path, step } = at;
        let policy = self.policy(&with(path, "policy"), step.policy.as_deref()).unwrap_or(0);
        let on_failure = failure_target(step, before.len() as u32 + 1);
        let site = calls(before);
        let call = |handlers: &mut Self, operation| {
            let call = handlers.call(place.node, operation, policy, site);
            Step::Call(Call { on_failure, ..call })
        };
        Ok(vec![match action {
            "work" => {
                let time = step.work.clone().expect("the action");
                if step.per_size { Step::WorkPerSize(time) } else { Step::Work(time) }
            }
            "think" => Step::Think(step.think.clone().expect("the action")),
            "reply" => reply(step.reply.expect("the action")),
            "nack" => Step::Reply(Outcome::Failed),
            "call" => {
                let operation = self.call_of(at)?;
                let Some(Step::Call(call)) = operation.map(|it| call(self, it)) else {
                    return Ok(Vec::new());
                };
                Step::Call(Call {
                    token: token(step.idempotency_key),
                    expects_own_write: step.expect == Some(Expectation::OwnWrite),
                    memory: match step.expect {
                        Some(Expectation::NotOlder) => Memory::Compared,
                        _ => Memory::None,
                    },
                    stands_by: place.role == Role::User && step.fallback.is_some(),
                    ..call
                })
            }
            "transaction" => {
                return self.transaction_with_cache(at, before, policy);
            }
            "publish" => {
                let Some(operation) = self.published_to(path, step) else { return Ok(Vec::new()) };
                let Step::Call(call) = call(self, operation) else { return Ok(Vec::new()) };
                Step::Call(Call { tells: step.event.as_deref().map(|it| self.label(it)), ..call })
            }
            "ack" => {
                let Role::Worker(queue) = place.role else {
                    return Err(Problem::new("only a worker has a message to acknowledge")
                        .expected("`ack` in the `steps` of a service that `takes` a queue"));
                };
                let name = self.compiler.program.node(queue).name.clone();
                let latency = self.sections.queue[&name].latency.clone();
                let steps =
                    [Step::Work(latency), Step::Node(NodeStep::Queue(QueueStep::Acknowledge))];
                let operation = self.built_in(queue, "ack", 0, &steps);
                let Step::Call(call) = call(self, operation) else { return Ok(Vec::new()) };
                Step::Call(Call { token: Token::Delivery, ..call })
            }
            _ => {
                let mut read = self.read(at, before, policy)?;
                read.extend(step.amount.then_some(Step::TakeAmount));
                return Ok(read);
            }
        }])
    }
}

/// Where a step that fails goes on: at `next` if its failure is ignored, at a fallback that is
/// still to be compiled, or nowhere.
pub(super) fn failure_target(step: &language::Step, next: u32) -> Option<u32> {
    match step.fallback {
        Some(_) => Some(FALLBACK),
        None => step.ignore_failure.then_some(next),
    }
}

/// The place of a fallback that is still to be compiled.
pub(super) const FALLBACK: u32 = u32::MAX;

/// The path with one more key.
pub(super) fn with<'a>(path: &[&'a str], key: &'a str) -> Vec<&'a str> {
    path.iter().copied().chain([key]).collect()
}

/// How many calls there are among steps: the number of the next one.
pub(super) fn calls(steps: &[Step]) -> u32 {
    steps.iter().filter(|step| matches!(step, Step::Call(_))).count() as u32
}

pub(super) fn token(key: Option<KeyOf>) -> Token {
    match key {
        None => Token::None,
        Some(KeyOf::Order) => Token::Order,
        Some(KeyOf::Key) => Token::Key,
        Some(KeyOf::Request) => Token::Request,
        Some(KeyOf::Attempt) => Token::Attempt,
    }
}

/// The step with its jumps moved by `first`.
fn shift(step: Step, first: u32) -> Step {
    match step {
        Step::Jump(to) => Step::Jump(to + first),
        Step::JumpIfFound(to) => Step::JumpIfFound(to + first),
        Step::JumpUnless(condition, to) => Step::JumpUnless(condition, to + first),
        Step::Call(call) => {
            Step::Call(Call { on_failure: call.on_failure.map(|to| to + first), ..call })
        }
        Step::Hold(hold) => Step::Hold(Hold {
            end: hold.end + first,
            on_failure: hold.on_failure.map(|to| to + first),
            ..hold
        }),
        Step::JumpIfToldWithin(span, to) => Step::JumpIfToldWithin(span, to + first),
        Step::Node(NodeStep::Cache(step)) => Step::Node(NodeStep::Cache(shift_cached(step, first))),
        other => other,
    }
}

fn shift_cached(step: CacheStep, first: u32) -> CacheStep {
    let shifted = |read: CachedRead| CachedRead {
        end: read.end + first,
        failed: read.failed + first,
        ..read
    };
    match step {
        CacheStep::Refresh(read, operation) => CacheStep::Refresh(shifted(read), operation),
        CacheStep::Skip(read) => CacheStep::Skip(shifted(read)),
        CacheStep::Join(read) => CacheStep::Join(shifted(read)),
        CacheStep::Land(read) => CacheStep::Land(shifted(read)),
        CacheStep::Abort(read) => CacheStep::Abort(shifted(read)),
        other => other,
    }
}

/// The fork with its jumps moved by `first`.
fn shift_fork(fork: &mut Fork, first: u32) {
    fork.branches.iter_mut().for_each(|branch| *branch += first);
    fork.join += first;
    fork.on_failure = fork.on_failure.map(|to| to + first);
}

fn reply(reply: Reply) -> Step {
    match reply {
        Reply::With(outcome) => Step::Reply(outcome),
        Reply::PassedOn => Step::PassOn,
    }
}
