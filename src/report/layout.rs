//! Where the nodes of a model stand in a picture, and who is linked with whom.

use std::collections::BTreeMap;

use crate::model::program::{Kind, NodeId, Program};

/// Whether the target of a fault names a node: itself, one of its instances, or a side of a link.
pub(super) fn is_about(target: &str, name: &str) -> bool {
    let mut sides = target.split("->").map(str::trim);
    sides.any(|side| side == name || side.strip_prefix(name).is_some_and(|it| it.starts_with('[')))
}

/// Who is linked with whom: calls with the names of their policies, and what goes without a call.
pub(super) fn links(program: &Program) -> BTreeMap<(NodeId, NodeId), String> {
    let mut links: BTreeMap<(NodeId, NodeId), String> = BTreeMap::new();
    for edge in &program.edges {
        let (policy, _) = &program.policies[usize::from(edge.policy)];
        let label = links.entry((edge.caller, edge.target)).or_default();
        // A policy with less patience is one with its name and more.
        if !policy.is_empty() && !label.split(", ").any(|known| known == policy) {
            let comma = if label.is_empty() { "" } else { ", " };
            label.push_str(comma);
            label.push_str(policy);
        }
    }
    for (index, node) in program.nodes.iter().enumerate() {
        let own = NodeId(index as u16);
        match &node.kind {
            Kind::Queue(queue) => {
                for &consumer in queue.groups.iter().flat_map(|group| &group.consumers) {
                    links.entry((own, consumer)).or_default();
                }
            }
            Kind::Replica(replica) => {
                links.entry((replica.of, own)).or_default();
            }
            Kind::Outbox(relay) => {
                links.remove(&(own, relay.database));
                links.entry((relay.database, own)).or_default();
            }
            _ => {}
        }
    }
    links
}

/// The column of each node: how many links lie between it and the nearest clients.
pub(super) fn columns(program: &Program, links: &BTreeMap<(NodeId, NodeId), String>) -> Vec<usize> {
    let is_first = |node: &crate::model::program::Node| matches!(node.kind, Kind::Clients(_));
    let mut columns: Vec<Option<usize>> =
        program.nodes.iter().map(|node| is_first(node).then_some(0)).collect();
    for column in 0..program.nodes.len() {
        for &(from, to) in links.keys() {
            let (from, to) = (usize::from(from.0), usize::from(to.0));
            if columns[from] == Some(column) && columns[to].is_none() {
                columns[to] = Some(column + 1);
            }
        }
    }
    columns.into_iter().map(Option::unwrap_or_default).collect()
}
