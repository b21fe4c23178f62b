//! The model as a picture: nodes in columns from the users on, and who calls whom by which policy.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Page;
use crate::model::program::{Kind, NodeId, Program};

const BOX_WIDTH: f64 = 120.0;
const BOX_HEIGHT: f64 = 40.0;
const COLUMN: f64 = 176.0;
const ROW: f64 = 74.0;
const MARGIN: f64 = 12.0;

/// A picture of nodes and links; all places in pixels.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Picture {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) boxes: Vec<NodeBox>,
    pub(super) arrows: Vec<Arrow>,
    /// What it shows in words.
    pub(super) text: String,
}

/// A node.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NodeBox {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) name: String,
    /// What it is, and where.
    pub(super) kind: String,
    /// Whether a listed fault strikes it.
    pub(super) is_struck: bool,
}

/// Who calls whom, or what goes where.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Arrow {
    pub(super) x1: f64,
    pub(super) y1: f64,
    pub(super) x2: f64,
    pub(super) y2: f64,
    /// The policies of the calls.
    pub(super) label: String,
}

/// The model of a cell.
pub(super) fn picture(page: &Page<'_>, cell: usize) -> Picture {
    let cell = &page.campaign.cells[cell];
    let program = &cell.program;
    let links = links(program);
    let columns = columns(program, &links);
    let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
    let mut places: Vec<(f64, f64)> = Vec::new();
    for &column in &columns {
        let row = rows.entry(column).or_default();
        places.push((MARGIN + column as f64 * COLUMN, MARGIN + *row as f64 * ROW));
        *row += 1;
    }
    let struck = |name: &str| cell.plan.faults.iter().any(|fault| is_about(&fault.target, name));
    let boxes = program.nodes.iter().zip(&places).map(|(node, &(x, y))| NodeBox {
        x,
        y,
        name: node.name.clone(),
        kind: kind(&node.kind).to_owned(),
        is_struck: struck(&node.name),
    });
    let arrows = links.iter().map(|(&(from, to), label)| arrow(&places, (from, to), label));
    let text = links
        .keys()
        .map(|&(from, to)| format!("{} to {}", program.node(from).name, program.node(to).name));
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    Picture {
        width: most(&mut places.iter().map(|&(x, _)| x)) + BOX_WIDTH + MARGIN,
        height: most(&mut places.iter().map(|&(_, y)| y)) + BOX_HEIGHT + MARGIN,
        boxes: boxes.collect(),
        arrows: arrows.collect(),
        text: text.collect::<Vec<_>>().join(", "),
    }
}

/// Whether the target of a fault names a node: itself, one of its instances, or a side of a link.
fn is_about(target: &str, name: &str) -> bool {
    let mut sides = target.split("->").map(str::trim);
    sides.any(|side| side == name || side.strip_prefix(name).is_some_and(|it| it.starts_with('[')))
}

fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Clients(_) => "clients",
        Kind::Service(_) => "service",
        Kind::Database(_) => "database",
        Kind::Replica(_) => "replica",
        Kind::Cache(_) => "cache",
        Kind::Queue(_) => "queue",
        Kind::Outbox(_) => "outbox relay",
        Kind::Provider(_) => "provider",
    }
}

/// Who is linked with whom: calls with the names of their policies, and what goes without a call.
fn links(program: &Program) -> BTreeMap<(NodeId, NodeId), String> {
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
fn columns(program: &Program, links: &BTreeMap<(NodeId, NodeId), String>) -> Vec<usize> {
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

fn arrow(places: &[(f64, f64)], (from, to): (NodeId, NodeId), label: &str) -> Arrow {
    let (a, b) = (places[usize::from(from.0)], places[usize::from(to.0)]);
    let middle = |(_, y): (f64, f64)| y + BOX_HEIGHT / 2.0;
    let (x1, x2) = match a.0 <= b.0 {
        true if a.0 == b.0 => (a.0 + BOX_WIDTH / 2.0, b.0 + BOX_WIDTH / 2.0),
        true => (a.0 + BOX_WIDTH, b.0),
        false => (a.0, b.0 + BOX_WIDTH),
    };
    let (y1, y2) = match (a.0 == b.0, a.1 <= b.1) {
        (true, true) => (a.1 + BOX_HEIGHT, b.1),
        (true, false) => (a.1, b.1 + BOX_HEIGHT),
        (false, _) => (middle(a), middle(b)),
    };
    Arrow { x1, y1, x2, y2, label: label.to_owned() }
}
