//! What can lock itself: pools whose places are held by those who wait for another, and services
//! whose workers wait for each other. Also pools that nobody uses.

use super::document::Value;
use super::problem::Problem;
use super::program::{Hold, NodeId, Program, Step};

/// Pools that lock when every place is held by a handler that waits for another one, and pools of
/// which nobody holds anything.
///
/// A pool cannot lock if it has `threads × (places at once - 1) + 1` places (HikariCP, "About Pool
/// Sizing").
pub(super) fn locking(document: &Value, program: &Program) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, node) in program.nodes.iter().enumerate() {
        let at_once = places_at_once(program, NodeId(index as u16));
        for (pool, &most) in node.station.pools.iter().zip(&at_once) {
            let path = ["service", &node.name, "pool", &pool.name];
            let (name, size, workers) = (&pool.name, pool.size, node.station.workers);
            let free = workers.saturating_mul(u32::from(most).saturating_sub(1)).saturating_add(1);
            let problem = if most == 0 {
                Problem::new(format!("nothing holds a place of `{name}`"))
                    .expected(format!("a step `{{ hold = \"{name}\", steps = [ … ] }}`"))
            } else if u32::from(most) > size {
                Problem::new(format!(
                    "a handler waits for {most} places of `{name}`, which has {size}"
                ))
                .expected(format!("at least {most}, or the pool always locks"))
            } else if most > 1 && free > size {
                let expected = match workers {
                    u32::MAX => "fewer `workers`, or one place for each handler".to_owned(),
                    _ => format!(
                        "at least {free}: workers × (places at once - 1) + 1, or one place for \
                         each handler"
                    ),
                };
                Problem::new(format!(
                    "`{name}` can lock: all of its {size} places can be held by handlers that wait \
                     for another one"
                ))
                .expected(expected)
            } else {
                continue;
            };
            problems.push(problem.located(document, &path));
        }
    }
    problems
}

/// Services whose workers can all wait for a worker of the same service, for ever.
pub(super) fn waiting_for_themselves(document: &Value, program: &Program) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for edge in program.edges.iter().filter(|edge| edge.caller == edge.target) {
        let node = program.node(edge.target);
        let policy = &program.policies[edge.policy as usize].1;
        let ends = policy.attempt_timeout.is_some() || policy.deadline.is_some();
        if node.station.workers == u32::MAX || ends {
            continue;
        }
        let problem = Problem::new(format!(
            "all {} workers of an instance of `{}` can wait for another one for ever: it calls itself",
            node.station.workers, node.name
        ));
        let problem = problem
            .expected("a policy with a `timeout` or a `deadline`, or `workers = \"unlimited\"`")
            .located(document, &["service", &node.name]);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

/// By pool of a node, how many places a handler holds at once at the most. Lists that run at once
/// count one by one: each gives back what it holds without waiting for the others.
fn places_at_once(program: &Program, node: NodeId) -> Vec<u16> {
    let mut most = vec![0; program.node(node).station.pools.len()];
    for operation in program.operations.iter().filter(|operation| operation.node == node) {
        let after = program.operations.iter().map(|other| other.start);
        let end = after.filter(|&start| start > operation.start).min();
        let end = end.map_or(program.steps.len(), |end| end as usize);
        let mut held: Vec<Hold> = Vec::new();
        for (step, at) in program.steps[..end].iter().zip(0..).skip(operation.start as usize) {
            let Step::Hold(hold) = step else { continue };
            held.retain(|outer| outer.end > at);
            held.push(*hold);
            let count = held.iter().filter(|outer| outer.pool == hold.pool).count();
            let most = &mut most[hold.pool as usize];
            *most = (*most).max(count as u16);
        }
    }
    most
}
