//! The shape of a step: it does one thing, one that its owner can do, with keys that go with it.

use super::Role;
use crate::model::language;
use crate::model::problem::Problem;

const ACTIONS: &str =
    "work, think, call, transaction, read, publish, reply, ack, nack, when, parallel, repeat, hold";

/// The actions that call another node.
const CALLS: [&str; 5] = ["call", "transaction", "read", "publish", "ack"];
/// The actions that can fail.
const CAN_FAIL: [&str; 8] =
    ["call", "transaction", "read", "publish", "ack", "parallel", "repeat", "hold"];

/// The one thing that a step does.
pub(super) fn one_action(step: &language::Step) -> Result<&'static str, Problem> {
    let given = [
        ("work", step.work.is_some()),
        ("think", step.think.is_some()),
        ("call", step.call.is_some()),
        ("transaction", step.transaction.is_some()),
        ("read", step.read.is_some()),
        ("publish", step.publish.is_some()),
        ("reply", step.reply.is_some()),
        ("ack", step.ack.is_some()),
        ("nack", step.nack.is_some()),
        ("when", step.when.is_some()),
        ("parallel", step.parallel.is_some()),
        ("repeat", step.repeat.is_some()),
        ("hold", step.hold.is_some()),
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

pub(super) fn check_role(role: Role, action: &str) -> Result<(), Problem> {
    match (role, action) {
        (Role::User, "call" | "think" | "when" | "parallel" | "repeat") => Ok(()),
        (Role::User, _) => Err(Problem::new(format!("`{action}` is no step of a user"))
            .expected("`call`, `think`, `when`, `parallel` or `repeat`")),
        (_, "think") => Err(Problem::new("only users think").expected("`work`")),
        (Role::Worker(_), "reply") => Err(Problem::new("nobody waits for a worker's reply")
            .expected("`{ ack = true }` when the message is done with")),
        (Role::Handler, "nack") => Err(Problem::new("only a worker has a message to give back")
            .expected("`{ reply = \"failed\" }`")),
        _ => Ok(()),
    }
}

/// Keys that go with some actions only.
pub(super) fn check_modifiers(step: &language::Step, action: &str) -> Result<(), Problem> {
    let given: [(&str, bool, &[&str]); 30] = [
        ("per_size", step.per_size, &["work"]),
        ("policy", step.policy.is_some(), &CALLS),
        ("idempotency_key", step.idempotency_key.is_some(), &["call"]),
        ("expect", step.expect.is_some(), &["call"]),
        ("event", step.event.is_some(), &["publish"]),
        ("cache", step.cache.is_some(), &["read"]),
        ("amount", step.amount, &["read"]),
        ("for_update", step.for_update.is_some(), &["read"]),
        ("write", !step.write.is_empty(), &["transaction"]),
        ("once", step.once.is_some(), &["transaction"]),
        ("wait", step.wait.is_some(), &["read"]),
        ("sticky", step.sticky.is_some(), &["read"]),
        ("if_unchanged", step.if_unchanged, &["transaction"]),
        ("invalidate", step.invalidate.is_some(), &["transaction"]),
        ("order", step.order.is_some(), &["transaction"]),
        ("ignore_failure", step.ignore_failure, &CAN_FAIL),
        ("fallback", step.fallback.is_some(), &CAN_FAIL),
        ("quality", step.quality.is_some(), &CAN_FAIL),
        ("division", step.division.is_some(), &["when"]),
        ("then", !step.then.is_empty(), &["when"]),
        ("otherwise", !step.otherwise.is_empty(), &["when"]),
        ("copies", step.copies.is_some(), &["parallel"]),
        ("need", step.need.is_some(), &["parallel"]),
        ("times", step.times.is_some(), &["repeat"]),
        ("until", step.until.is_some(), &["repeat"]),
        ("between", step.between.is_some(), &["repeat"]),
        ("on", step.on.is_some(), &["repeat"]),
        ("patience", step.patience.is_some(), &["repeat"]),
        ("persistence", step.persistence.is_some(), &["repeat"]),
        ("steps", !step.steps.is_empty(), &["hold"]),
    ];
    for (name, is_given, actions) in given {
        if is_given && !actions.contains(&action) {
            return Err(Problem::new(format!("`{name}` does not go with `{action}`"))
                .expected(format!("`{name}` with `{}`", actions.join("` or `")))
                .inside(name));
        }
    }
    if step.quality.is_some() && step.fallback.is_none() {
        let problem = Problem::new("only what a fallback serves has a quality");
        return Err(problem.expected("`fallback = [ … ]` beside it").inside("quality"));
    }
    Ok(())
}
