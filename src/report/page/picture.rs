//! The model as a picture: nodes in columns from the users on, and who calls whom by which policy.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Page;
use crate::model::program::NodeId;
use crate::report::layout::{columns, is_about, links};

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

#[derive(Clone, Debug, Serialize)]
pub(super) struct NodeBox {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) name: String,
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
        kind: node.kind.name().to_owned(),
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
