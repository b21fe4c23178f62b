//! Which nodes and links a fault strikes.

use std::collections::BTreeSet;

use super::language::FaultText;
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{Kind, NodeId, Program};
use crate::system::control::Action;

impl FaultText {
    /// When it begins and when it ends.
    pub fn acts(&self) -> (Time, Time) {
        (Time(self.at.0), Time(self.at.0) + self.lasts)
    }

    /// The nodes that it strikes: those that its target names, of a link both ends.
    pub fn struck(&self, program: &Program) -> BTreeSet<NodeId> {
        if self.target == "all" {
            return everything(program).into_iter().collect();
        }
        let name = |side: &'_ str| side.split('[').next().unwrap_or_default().trim().to_owned();
        let sides = self.target.split("->").map(name);
        sides.filter_map(|side| program.find_nodes(&side).ok()).flat_map(|(_, it)| it).collect()
    }
}

/// The node that a fault strikes.
pub(super) fn find(
    fault: &FaultText,
    program: &Program,
    what: &str,
    is_right: fn(&Kind) -> bool,
) -> Result<NodeId, Problem> {
    program.find_node_of(&fault.target, what, is_right).map_err(|problem| problem.inside("target"))
}

/// The two sides that a fault is between. A single node, zone or region is on one side, and
/// everything on the other.
fn sides(
    fault: &FaultText,
    program: &Program,
) -> Result<(Vec<NodeId>, Option<Vec<NodeId>>), Problem> {
    let side = |name: &str| match program.find_nodes(name) {
        Ok((_, nodes)) => Ok(nodes),
        Err(problem) => Err(problem.inside("target")),
    };
    match fault.target.split_once("->") {
        Some((from, to)) => Ok((side(from)?, Some(side(to)?))),
        None => Ok((side(&fault.target)?, None)),
    }
}

fn everything(program: &Program) -> Vec<NodeId> {
    (0..program.nodes.len()).map(|index| NodeId(index as u16)).collect()
}

/// The links from each of these nodes to each of those.
fn between(program: &Program, from: &[NodeId], to: &[NodeId]) -> Vec<usize> {
    let links_of = |&from: &NodeId| to.iter().map(move |&to| program.link_index(from, to));
    from.iter().flat_map(links_of).collect()
}

/// The links that a fault strikes: all, those from one side to the other, or those from and to a
/// node, zone or region.
pub(super) fn links(fault: &FaultText, program: &Program) -> Result<Vec<usize>, Problem> {
    let all = everything(program);
    if fault.target == "all" {
        return Ok(between(program, &all, &all));
    }
    let mut links = match sides(fault, program)? {
        (from, Some(to)) => between(program, &from, &to),
        (own, None) => {
            let mut links = between(program, &own, &all);
            links.extend(between(program, &all, &own));
            links
        }
    };
    links.sort_unstable();
    links.dedup();
    Ok(links)
}

/// The action of a partition: what goes from one side to the other is requests over the links that
/// way, and replies over the links of the other way.
pub(super) fn partition(fault: &FaultText, program: &Program) -> Result<Action, Problem> {
    let all = everything(program);
    let (one, other) = match fault.target.as_str() {
        "all" => (all.clone(), all),
        _ => {
            let (one, other) = sides(fault, program)?;
            let rest = || all.into_iter().filter(|node| !one.contains(node)).collect();
            let other = other.unwrap_or_else(rest);
            (one, other)
        }
    };
    let cut = |from: &[NodeId], to: &[NodeId]| -> Vec<usize> {
        let own = |&link: &usize| link / program.nodes.len() != link % program.nodes.len();
        between(program, from, to).into_iter().filter(own).collect()
    };
    let (there, back) = (cut(&one, &other), cut(&other, &one));
    if fault.one_way == Some(true) {
        return Ok(Action::Partition { requests: there, replies: back });
    }
    let both: Vec<usize> = there.into_iter().chain(back).collect();
    Ok(Action::Partition { requests: both.clone(), replies: both })
}
