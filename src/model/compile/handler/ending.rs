//! How a list of steps ends: a handler answers once, a worker acknowledges.

use super::shape::one_action;
use super::steps::with;
use super::{Handlers, Place, Role};
use crate::model::language::{Step, all_steps};
use crate::model::problem::Problem;

impl Handlers<'_, '_> {
    /// A handler answers exactly once, at the end of each way through it; a worker acknowledges.
    pub(super) fn check_ending(&mut self, place: &Place<'_>, steps: &[Step]) {
        // A step that does nothing or two things has been told so.
        if all_steps(steps).into_iter().any(|step| one_action(step).is_err()) {
            return;
        }
        self.check_list(place, &place.path, steps);
        let problem = match place.role {
            _ if steps.is_empty() => {
                Problem::new("there are no steps").expected("at least one step")
            }
            Role::Handler if !steps.iter().any(ends) => Problem::new(match may_answer(steps) {
                true => "this handler does not always answer",
                false => "this handler never answers",
            })
            .expected("`{ reply = \"ok\" }` as the last step"),
            Role::Worker(_) if all_steps(steps).iter().all(|step| step.ack != Some(true)) => {
                Problem::new("this worker never acknowledges its messages")
                    .expected("`{ ack = true }`, or every message is delivered again")
            }
            _ => return,
        };
        self.compiler.problem(&place.path, problem);
    }

    /// Nothing follows a step that ends its list, and what runs beside others ends nothing.
    fn check_list(&mut self, place: &Place<'_>, path: &[&str], steps: &[Step]) {
        if let Some(end) = steps.iter().position(ends)
            && end + 1 < steps.len()
        {
            let problem = match (place.role, steps.last().is_some_and(ends)) {
                (Role::Handler, true) => Problem::new("a handler answers once")
                    .expected("`reply` as the last step only")
                    .inside(end.to_string()),
                (Role::Handler, false) => Problem::new("a step after the reply would never run")
                    .expected("`reply` as the last step")
                    .inside((end + 1).to_string()),
                _ => Problem::new("a step after `nack` would never run")
                    .expected("`nack` as the last step")
                    .inside((end + 1).to_string()),
            };
            self.compiler.problem(path, problem);
        }
        for (index, step) in steps.iter().enumerate() {
            let index = index.to_string();
            let path = with(path, &index);
            self.check_list(place, &with(&path, "then"), &step.then);
            self.check_list(place, &with(&path, "otherwise"), &step.otherwise);
            self.check_list(place, &with(&path, "steps"), &step.steps);
            self.check_list(
                place,
                &with(&path, "fallback"),
                step.fallback.as_deref().unwrap_or(&[]),
            );
            for (branch, list) in step.parallel.iter().flatten().enumerate() {
                let branch = branch.to_string();
                self.check_branch(&with(&with(&path, "parallel"), &branch), list);
            }
            let locked = step.for_update.as_deref().unwrap_or(&[]);
            self.check_list(place, &with(&path, "for_update"), locked);
            if let Some(list) = &step.repeat {
                self.check_repeated(&with(&path, "repeat"), list);
            }
        }
    }

    fn check_branch(&mut self, path: &[&str], steps: &[Step]) {
        let is_end =
            |step: &&Step| step.reply.is_some() || step.ack.is_some() || step.nack.is_some();
        if all_steps(steps).iter().any(is_end) {
            let problem = Problem::new("a list that runs beside others cannot answer for all");
            self.compiler.problem(path, problem.expected("the answer after `parallel`"));
        }
    }

    /// What may be done again has not ended anything.
    fn check_repeated(&mut self, path: &[&str], steps: &[Step]) {
        let is_end = |step: &&Step| step.reply.is_some() || step.nack.is_some();
        if all_steps(steps).iter().any(is_end) {
            let problem = Problem::new("a list that is done again cannot answer");
            self.compiler.problem(path, problem.expected("the answer after `repeat`"));
        }
    }
}

/// Whether nothing runs after this step, whichever way it goes.
fn ends(step: &Step) -> bool {
    let list_ends = |steps: &[Step]| steps.iter().any(ends);
    step.reply.is_some()
        || step.nack.is_some()
        || step.for_update.as_deref().is_some_and(list_ends)
        || (step.when.is_some() && list_ends(&step.then) && list_ends(&step.otherwise))
        || (step.hold.is_some()
            && list_ends(&step.steps)
            && match &step.fallback {
                Some(fallback) => list_ends(fallback),
                None => !step.ignore_failure,
            })
}

fn may_answer(steps: &[Step]) -> bool {
    all_steps(steps).iter().any(|step| step.reply.is_some())
}
