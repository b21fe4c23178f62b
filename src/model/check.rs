//! What a model may not be: too large, named oddly, going round in circles.

use std::collections::BTreeSet;

use super::document::{Data, Value};
use super::problem::{Problem, shortened};
use super::program::{Kind, OperationId, Program, Step};
use super::quantity::Rate;

/// The most instances of a service: each has a waiting line of its own.
pub(super) const INSTANCES_MAX: u32 = 10_000;
/// The most processes of a group of clients: each has retry budgets and breakers of its own.
pub(super) const PROCESSES_MAX: u32 = 100_000;
/// The most keys of a group of clients: their probabilities are kept in memory.
pub(super) const KEYS_MAX: u32 = 1_000_000;
/// The most users of a closed loop: each always has an event of its own.
pub(super) const USERS_MAX: u32 = 1_000_000;
/// The most policy states of a model: one for each process, policy and target.
pub(super) const SCOPES_MAX: usize = 1_000_000;
/// The most instances that processes judge in order to eject some: for each process, those of each
/// of its targets.
const WATCHED_MAX: u64 = 4_000_000;

/// A count of things within bounds.
pub(super) fn count(things: &str, found: u32, least: u32, most: u32) -> Result<(), Problem> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    let (wrong, expected) = match (found < least, most) {
        (true, u32::MAX) => ("few", format!("at least {least}")),
        (true, _) => ("few", format!("from {least} to {most}")),
        (false, _) => ("many", format!("from {least} to {most}")),
    };
    Err(Problem::new(format!("{found} {things} are too {wrong}")).expected(expected))
}

/// A rate at which users can arrive.
pub(super) fn rate(rate: Rate) -> Result<f64, Problem> {
    if rate.per_second > 0.0 && rate.per_second <= 1e9 {
        return Ok(rate.per_second);
    }
    let wrong = match rate.per_second > 0.0 {
        true => "more users than one a nanosecond",
        false => "nobody ever arrives",
    };
    Err(Problem::new(wrong).expected("more than 0/s and at most 1e9/s"))
}

/// A name that can stand in paths, calls and results.
pub fn name(what: &str, name: &str) -> Result<(), Problem> {
    let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if name == "all" && what == "a node" {
        return Err(Problem::new("no node can be named `all`")
            .expected("another name: a fault on `all` strikes every link"));
    }
    if !name.is_empty() && name.chars().all(is_plain) && name.len() <= 100 {
        return Ok(());
    }
    Err(Problem::new(format!("`{}` cannot name {what}", shortened(name)))
        .expected("up to 100 letters, digits, `-` and `_`"))
}

/// A circle of calls, each of which waits for the next: no request would ever be answered.
pub(super) fn cycle(document: &Value, program: &Program) -> Option<Problem> {
    let services = (0..program.operations.len())
        .map(|index| OperationId(index as u16))
        .filter(|&id| is_service(program, id));
    let mut done = vec![false; program.operations.len()];
    for first in services {
        let mut trail: Vec<(OperationId, Vec<OperationId>)> = Vec::new();
        let mut next = Some(first);
        loop {
            if let Some(operation) = next.take().filter(|id| !done[id.0 as usize]) {
                if let Some(from) = trail.iter().position(|(id, _)| *id == operation) {
                    let circle = trail[from..].iter().map(|(id, _)| *id).chain([operation]);
                    return Some(cycle_problem(document, program, &circle.collect::<Vec<_>>()));
                }
                trail.push((operation, called(program, operation)));
            }
            let Some((operation, rest)) = trail.last_mut() else { break };
            next = rest.pop();
            if next.is_none() {
                done[operation.0 as usize] = true;
                trail.pop();
            }
        }
    }
    None
}

fn is_service(program: &Program, id: OperationId) -> bool {
    matches!(program.node(program.operation(id).node).kind, Kind::Service(_))
}

/// The operations of services that an operation calls and waits for.
fn called(program: &Program, operation: OperationId) -> Vec<OperationId> {
    let start = program.operation(operation).start;
    let end = program.operations.iter().map(|o| o.start).filter(|&other| other > start).min();
    let end = end.map_or(program.steps.len(), |end| end as usize);
    let calls = program.steps[start as usize..end].iter().filter_map(|step| match step {
        Step::Call(call) if is_service(program, call.operation) => Some(call.operation),
        _ => None,
    });
    calls.collect()
}

fn cycle_problem(document: &Value, program: &Program, circle: &[OperationId]) -> Problem {
    let names: Vec<&str> = circle.iter().map(|&id| program.operation(id).name.as_str()).collect();
    let problem = Problem::new(format!("calls go round in a circle: {}", names.join(" -> ")))
        .expected("a call that waits for no caller of its own, or `publish` to a queue");
    let (node, operation) = names[0].split_once('.').unwrap_or((names[0], ""));
    let path = ["service", node, "on", operation, "steps"];
    let steps: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
    let step = document.find(&steps).and_then(|steps| match &steps.data {
        Data::List(steps) => steps.iter().position(|step| {
            let call = step.find(&["call".to_owned()]).map(|value| &value.data);
            matches!(call, Some(Data::Text(name)) if name == names[1])
        }),
        _ => None,
    });
    match step {
        Some(step) => problem.inside("call").inside(step.to_string()),
        None => problem,
    }
    .located(document, &path)
}

/// How many instances the processes of a model keep in mind in order to eject them.
pub(super) fn ejection(document: &Value, program: &Program) -> Option<Problem> {
    let mut seen = BTreeSet::new();
    let mut watched = 0;
    for edge in &program.edges {
        let Some((_, instances, processes)) = program.detecting(edge) else { continue };
        if seen.insert((edge.scope, edge.target)) {
            watched += u64::from(instances) * u64::from(processes);
        }
        if watched > WATCHED_MAX {
            let problem = Problem::new(format!("each process of `{}` judges too many", edge.name))
                .expected(format!("at most {WATCHED_MAX}: processes × instances of the targets"));
            let name = &program.policies[program.sharing[edge.policy as usize].origin as usize].0;
            return Some(problem.inside("outlier").located(document, &["policy", name]));
        }
    }
    None
}
