//! What a model may not be: too large, named oddly, going round in circles.

use std::collections::BTreeSet;

use super::compile::{NODES, Sections};
use super::document::{Data, Field, Value};
use super::language::{self, all_steps};
use super::pools;
use super::problem::{Problem, shortened};
use super::program::{Edge, Kind, NodeId, OperationId, Program, Step};
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
/// The most nodes: every pair has a link.
const NODES_MAX: usize = 500;
/// The most steps, writes, tables, effects, links and policies together.
const PARTS_MAX: usize = 10_000;

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

/// What is likely a mistake: calls that wait for ever, policies that never eject, presets without a
/// version, and what can lock itself.
#[must_use]
pub fn doubtful(document: &Value, program: &Program) -> Vec<Problem> {
    let mut problems = endless(document, program);
    problems.extend(never_ejecting(document, program));
    problems.extend(unversioned(document));
    problems.extend(pools::locking(document, program));
    problems.extend(pools::waiting_for_themselves(document, program));
    problems
}

/// Calls that nothing ends when a message is lost, over links that lose messages.
fn endless(document: &Value, program: &Program) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for edge in &program.edges {
        let (name, policy) = &program.policies[edge.policy as usize];
        let link = &program.links[program.link_index(edge.caller, edge.target)];
        let loses = !link.request_loss.is_never() || !link.reply_loss.is_never();
        if !loses || policy.attempt_timeout.is_some() || policy.deadline.is_some() {
            continue;
        }
        let problem = Problem::new(format!(
            "`{}` waits for ever when a message is lost, and messages are lost on this link",
            edge.name
        ));
        let caller = &program.node(edge.caller).name;
        let problem = problem.expected("a policy with a `timeout` or a `deadline`");
        problems.push(match edge.policy {
            0 => problem.located(document, &["service", caller]),
            _ => problem.located(document, &["policy", name]),
        });
    }
    problems
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

/// Policies that are to eject instances and never can.
fn never_ejecting(document: &Value, program: &Program) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for edge in &program.edges {
        let Some((rule, instances, _)) = program.detecting(edge) else { continue };
        if rule.has_room(0, instances) {
            continue;
        }
        let (target, share) = (&program.node(edge.target).name, 100.0 * rule.max_ejected);
        let problem = Problem::new(format!(
            "nobody is ever ejected of the {instances} instances of `{target}`: {share}% of them \
             is less than one"
        ));
        let problem = problem.expected("a larger `max_ejected`, or `always_one = true`");
        let name = &program.policies[program.sharing[edge.policy as usize].origin as usize].0;
        let problem = problem.located(document, &["policy", name]);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

/// Presets that are named without their version: another release may know a newer one.
fn unversioned(document: &Value) -> Vec<Problem> {
    let Some(Value { data: Data::Table(policies), .. }) = document.find(&["policy".to_owned()])
    else {
        return Vec::new();
    };
    let warning = |(name, policy): (&String, &Field)| {
        let preset = policy.value.find(&["preset".to_owned()])?;
        let Data::Text(text) = &preset.data else { return None };
        let found = super::presets::named(text).ok().filter(|_| !text.contains('@'))?;
        let problem = Problem::new(format!("which version of `{text}` this is depends on yours"))
            .expected(format!("\"{text}@{}\"", found.version));
        Some(problem.located(document, &["policy", name, "preset"]))
    };
    policies.iter().filter_map(warning).collect()
}

/// Policies of the file by which nobody calls.
fn unused_policies(document: &Value, program: &Program) -> Vec<Problem> {
    let origin = |policy: u16| program.sharing[policy as usize].origin;
    let used: BTreeSet<u16> = program.edges.iter().map(|edge| origin(edge.policy)).collect();
    // The first one is that of calls without a policy.
    let all = (1..program.policies.len() as u16).filter(|&policy| origin(policy) == policy);
    let unused = all.filter(|policy| !used.contains(policy)).map(|policy| {
        let name = &program.policies[policy as usize].0;
        let problem = Problem::new(format!("no call is made by the policy `{name}`"));
        let problem = problem.expected("a step that names it, or no such policy");
        problem.located(document, &["policy", name])
    });
    unused.collect()
}

/// Parts of a model that nothing uses: no mistakes, but likely the sign of one. `promoted` are
/// replicas that a fault puts in the place of their primary.
#[must_use]
pub fn unused(document: &Value, program: &Program, promoted: &[&str]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, node) in program.nodes.iter().enumerate() {
        // Who calls only itself is called by nobody.
        let calls = |edge: &Edge| edge.target.0 as usize == index && edge.caller != edge.target;
        let is_called = program.edges.iter().any(calls);
        let (wrong, expected) = match &node.kind {
            Kind::Clients(_) | Kind::Outbox(_) => continue,
            Kind::Service(service) if service.takes.is_some() => continue,
            Kind::Replica(_) if promoted.contains(&node.name.as_str()) => continue,
            // Dead letters may rest.
            Kind::Queue(_) if program.gets_dead_letters(NodeId(index as u16)) => continue,
            Kind::Queue(queue)
                if is_called && queue.groups.iter().all(|group| group.consumers.is_empty()) =>
            {
                ("nobody takes messages from the queue", "a service that `takes` them")
            }
            Kind::Database(database) if !database.replicas.is_empty() => continue,
            _ if is_called => continue,
            _ => ("nothing uses", "a step that names it"),
        };
        let is_in =
            |section: &&str| document.find(&[(*section).to_owned(), node.name.clone()]).is_some();
        let section = NODES.iter().copied().find(is_in).unwrap_or("service");
        let problem = Problem::new(format!("{wrong} `{}`", node.name)).expected(expected);
        problems.push(problem.located(document, &[section, &node.name]));
    }
    problems.extend(unused_policies(document, program));
    problems
}
