//! Faults that strike single instances: crashes, restarts, pauses, deaths at a step.

use std::ops::Range;

use super::language::{FaultKind, FaultText, Side};
use super::target::find;
use crate::kernel::draw::Probability;
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::model::program::{EdgeId, Kind, NodeId, Program};
use crate::system::control::{Action, Control, Kill, Moment, instances_of};

/// How long an instance that dies at a step is down.
const DOWN: Span = Span::from_secs(1);

/// The node and the instances that `"api"` (all of them) or `"api[2]"` (one, from 0) names.
pub(super) fn target(
    fault: &FaultText,
    program: &Program,
) -> Result<(NodeId, Range<u32>), Problem> {
    let text = fault.target.as_str();
    let (name, number) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        Some((name, number)) => (name, Some(number)),
        None => (text, None),
    };
    let node =
        program.find_node_of(name, "node", |_| true).map_err(|problem| problem.inside("target"))?;
    let count = instances_of(program.node(node));
    let Some(number) = number else { return Ok((node, 0..count)) };
    match number.parse::<u32>() {
        Ok(index) if index < count => Ok((node, index..index + 1)),
        _ => Err(Problem::new(format!("`{name}` has no instance `{number}`"))
            .expected(format!("a number from 0 to {}", count - 1))
            .inside("target")),
    }
}

/// A crash or a pause.
pub(super) fn action(fault: &FaultText, program: &Program) -> Result<Action, Problem> {
    let (node, instances) = target(fault, program)?;
    let unreachable = fault.unreachable.unwrap_or_default();
    Ok(match fault.kind {
        FaultKind::Pause => Action::Pause { node, instances },
        _ => Action::Crash { node, instances, unreachable },
    })
}

/// Restarts: one instance after the other, evenly over the time of the fault.
pub(super) fn restarts(
    fault: &FaultText,
    number: u32,
    program: &Program,
    from: Time,
) -> Result<Vec<Control>, Problem> {
    let (node, instances) = target(fault, program)?;
    let count = u128::from(instances.end - instances.start);
    Ok(instances
        .enumerate()
        .map(|(nth, instance)| {
            let after = u128::from(fault.lasts.0) * nth as u128 / count;
            let at = from + Span(after as u64);
            let action =
                Action::Crash { node, instances: instance..instance + 1, unreachable: false };
            Control { fault: number, from: at, until: at, action }
        })
        .collect())
}

/// A death at a step of a service or relay.
pub(super) fn kill(fault: &FaultText, program: &Program) -> Result<Action, Problem> {
    let is_relay = fault.kind == FaultKind::RelayCrash;
    let node = match is_relay {
        true => find(fault, program, "relay", |kind| matches!(kind, Kind::Outbox(_)))?,
        false => find(fault, program, "service", |kind| matches!(kind, Kind::Service(_)))?,
    };
    if fault.times == Some(0) {
        return Err(Problem::new("this fault never strikes")
            .expected("at least 1")
            .inside("times"));
    }
    let step = fault.step.as_deref().unwrap_or_default();
    let times = match (fault.times, fault.share) {
        (None, None) => Some(1),
        (times, _) => times,
    };
    let kill = Kill {
        edges: edges(program, node, step, is_relay)?,
        moment: match fault.when.unwrap_or(Side::After) {
            Side::Before => Moment::Before,
            Side::After => Moment::After,
        },
        down: fault.down.unwrap_or(DOWN),
        share: fault.share.map(|share| Probability::new(share.0)),
        times,
    };
    Ok(Action::Kill { kill })
}

/// The edges of a node's step: a step is named by the operation that it calls. The steps of a relay
/// have short names of their own.
fn edges(
    program: &Program,
    node: NodeId,
    step: &str,
    is_relay: bool,
) -> Result<Vec<EdgeId>, Problem> {
    let name_of = |index: usize| {
        let operation = program.operation(program.edges[index].operation).name.as_str();
        match (is_relay, operation.split_once('.')) {
            (true, Some((_, "take_outbox"))) => "take",
            (true, Some((_, "mark_outbox"))) => "mark",
            (true, Some((_, "publish"))) => "publish",
            _ => operation,
        }
    };
    let own: Vec<usize> =
        (0..program.edges.len()).filter(|&index| program.edges[index].caller == node).collect();
    let found: Vec<EdgeId> = own
        .iter()
        .filter(|&&index| name_of(index) == step)
        .map(|&index| EdgeId(index as u16))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let mut known: Vec<&str> = own.iter().map(|&index| name_of(index)).collect();
    known.sort_unstable();
    known.dedup();
    Err(Problem::unknown("step", step, &known).inside("step"))
}
