//! Lists of steps: each step by itself, and whether the list ends as it must.

use super::shape::{check_modifiers, check_role, one_action};
use super::{Handlers, Place, Role};
use crate::model::language::{self, KeyOf, Reply};
use crate::model::problem::Problem;
use crate::model::program::{CachedRead, Call, Kind, OperationId, Step, Token};
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
    pub(super) fn check_ending(&mut self, place: &Place<'_>, steps: &[language::Step]) {
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
    pub(super) fn step(
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
                return self.transaction_with_cache(place, path, step, before, policy);
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
            _ => return self.read(place, path, step, before, policy),
        }])
    }
}

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
        Some(KeyOf::Request) => Token::Request,
        Some(KeyOf::Attempt) => Token::Attempt,
    }
}

/// The step with its jumps moved by `first`.
fn shift(step: Step, first: u32) -> Step {
    match step {
        Step::Jump(to) => Step::Jump(to + first),
        Step::JumpIfFound(to) => Step::JumpIfFound(to + first),
        Step::Call(call) => {
            Step::Call(Call { on_failure: call.on_failure.map(|to| to + first), ..call })
        }
        Step::JumpIfToldWithin(span, to) => Step::JumpIfToldWithin(span, to + first),
        Step::Refresh(read, operation) => Step::Refresh(shift_read(read, first), operation),
        Step::Join(read) => Step::Join(shift_read(read, first)),
        Step::Land(read) => Step::Land(shift_read(read, first)),
        Step::Abort(read) => Step::Abort(shift_read(read, first)),
        other => other,
    }
}

fn shift_read(read: CachedRead, first: u32) -> CachedRead {
    CachedRead { end: read.end + first, failed: read.failed + first, ..read }
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
