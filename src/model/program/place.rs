//! Where nodes are, and how several of them are named at once.

use super::{NodeId, Program};
use crate::model::problem::Problem;

/// The zone and the region of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locality {
    /// Its zone, if it is in one.
    pub zone: Option<String>,
    /// Its region, if it is in one.
    pub region: Option<String>,
}

/// How large a part of the system a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// `region eu`: all nodes in it.
    Region,
    /// `zone a`: all nodes in it.
    Zone,
    /// A single node.
    Node,
}

impl Locality {
    /// The name of its zone or region.
    pub fn name(&self, extent: Extent) -> Option<&str> {
        match extent {
            Extent::Region => self.region.as_deref(),
            Extent::Zone => self.zone.as_deref(),
            Extent::Node => None,
        }
    }
}

impl Program {
    /// The nodes that `zone NAME`, `region NAME` or the name of a node stands for.
    ///
    /// # Errors
    /// If there is no such zone, region or node.
    pub fn find_nodes(&self, text: &str) -> Result<(Extent, Vec<NodeId>), Problem> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (extent, word, name) = match words[..] {
            ["zone", name] => (Extent::Zone, "zone", name),
            ["region", name] => (Extent::Region, "region", name),
            _ => {
                return Ok((Extent::Node, vec![self.find_node_of(text.trim(), "node", |_| true)?]));
            }
        };
        let places = || self.nodes.iter().map(|node| node.place.name(extent));
        let nodes: Vec<NodeId> = (0..)
            .zip(places())
            .filter(|&(_, place)| place == Some(name))
            .map(|(index, _)| NodeId(index))
            .collect();
        if nodes.is_empty() {
            let mut known: Vec<&str> = places().flatten().collect();
            known.sort_unstable();
            known.dedup();
            return Err(Problem::unknown(word, name, &known));
        }
        Ok((extent, nodes))
    }
}
