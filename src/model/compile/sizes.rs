//! Models that are too large to be run, or that nobody asks anything.

use super::Sections;
use crate::model::check::INSTANCES_MAX;
use crate::model::document::Value;
use crate::model::language::{self, all_steps};
use crate::model::problem::Problem;

/// The most nodes: every pair has a link.
const NODES_MAX: usize = 500;
/// The most steps, writes, tables, effects, links and policies together.
const PARTS_MAX: usize = 10_000;

/// Nobody who asks, or more than can be run.
pub(super) fn sizes(document: &Value, sections: &Sections) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |path: &[&str], problem: Problem| {
        problems.push(problem.located(document, path));
    };
    if sections.clients.is_empty() {
        let problem = Problem::new("nobody asks anything: this model has no clients");
        refuse(&["clients"], problem.expected("at least one [clients.NAME]"));
    }
    let nodes = sections.placed().len();
    if nodes > NODES_MAX {
        let problem = Problem::new(format!("a model of {nodes} nodes is too large"));
        refuse(&[], problem.expected(format!("at most {NODES_MAX} nodes")));
    }
    let instances: u64 =
        sections.service.values().map(|service| u64::from(service.instances)).sum();
    let instances_max = u64::from(INSTANCES_MAX) * 10;
    if instances > instances_max {
        let problem = Problem::new(format!("{instances} instances of services are too many"));
        refuse(&["service"], problem.expected(format!("at most {instances_max} in all")));
    }
    let written = |step: &language::Step| 1 + step.write.len();
    let flows = sections.clients.values().flat_map(|clients| {
        let choices = clients.mix.iter().flat_map(|choice| all_steps(&choice.flow));
        all_steps(&clients.flow).into_iter().chain(choices)
    });
    let handlers = sections.service.values().flat_map(|service| {
        let worker = service.steps.iter().flat_map(|steps| all_steps(steps));
        worker.chain(service.on.values().flat_map(|handler| all_steps(&handler.steps)))
    });
    let choices = sections.clients.values().map(|clients| clients.mix.len());
    let parts: usize = choices.sum::<usize>()
        + flows.chain(handlers).map(written).sum::<usize>()
        + sections.service.values().map(|service| service.on.len()).sum::<usize>()
        + sections.database.values().map(|database| database.tables.len()).sum::<usize>()
        + sections.provider.values().map(|provider| provider.effects.len()).sum::<usize>()
        + sections.link.len()
        + sections.policy.len();
    if parts > PARTS_MAX {
        let what = "steps, writes, tables, effects, links and policies";
        let problem = Problem::new(format!("a model of {parts} {what} is too large"));
        refuse(&[], problem.expected(format!("at most {PARTS_MAX} together")));
    }
    problems
}
