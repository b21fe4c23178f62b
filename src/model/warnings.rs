//! What of a model is no mistake, and likely the sign of one.

use std::collections::BTreeSet;

use super::compile::NODES;
use super::document::{Data, Field, Value};
use super::pools;
use super::problem::Problem;
use super::program::{Edge, Kind, NodeId, Program};

/// What is likely a mistake: calls that wait for ever, policies that never eject, presets without a
/// version, and what can lock itself.
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
