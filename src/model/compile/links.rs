//! Links: the most specific rule wins, key by key.

use super::Compiler;
use crate::kernel::draw::Probability;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::compile::Sections;
use crate::model::language::Link;
use crate::model::problem::Problem;
use crate::model::program::{self, Extent, NodeId, Program};
use crate::model::quantity::Share;

/// Which pairs of nodes a rule is for. A rule wins over those before it in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pairs {
    /// All.
    All,
    /// All pairs within one region, or all between two regions; then the same for zones.
    Alike(Extent, bool),
    /// From these nodes to those: a pair of regions, of zones, or of single nodes.
    Between(Extent, Vec<NodeId>, Vec<NodeId>),
}

impl Pairs {
    /// How specific it is.
    fn rank(&self) -> (Option<Extent>, bool) {
        match self {
            Pairs::All => (None, false),
            Pairs::Alike(extent, _) => (Some(*extent), false),
            Pairs::Between(extent, ..) => (Some(*extent), true),
        }
    }

    /// The indices of its links in [`Program::links`].
    fn links(&self, program: &Program) -> Vec<usize> {
        let all = || (0..program.nodes.len()).map(|index| NodeId(index as u16));
        let product = |from: &[NodeId], to: &[NodeId]| -> Vec<usize> {
            let links_of = |&from: &NodeId| to.iter().map(move |&to| program.link_index(from, to));
            from.iter().flat_map(links_of).collect()
        };
        match self {
            Pairs::All => (0..program.links.len()).collect(),
            Pairs::Between(_, from, to) => product(from, to),
            Pairs::Alike(extent, same) => {
                let place = |node: NodeId| program.node(node).place.name(*extent);
                let placed: Vec<NodeId> = all().filter(|&node| place(node).is_some()).collect();
                let is_meant = |from: NodeId, to: NodeId| (place(from) == place(to)) == *same;
                let links_of = |&from: &NodeId| {
                    let to = placed.iter().filter(move |&&to| is_meant(from, to));
                    to.map(move |&to| program.link_index(from, to))
                };
                placed.iter().flat_map(links_of).collect()
            }
        }
    }
}

impl Compiler<'_> {
    /// Fills the matrix of links, from the most general rule to the most specific one.
    pub(super) fn links(&mut self, sections: &Sections) {
        let count = self.program.nodes.len();
        self.program.links = vec![compile_link(Link::default()); count * count];
        let mut rules: Vec<(Pairs, Link)> = Vec::new();
        for (name, link) in &sections.link {
            match self.pairs(name) {
                Ok(pairs) if rules.iter().any(|(other, _)| *other == pairs) => {
                    let problem = Problem::new(format!("the link `{name}` is written twice"))
                        .expected("one table for each link, whatever its spaces");
                    self.problem(&["link", name], problem);
                }
                Ok(pairs) => rules.push((pairs, link.clone())),
                Err(problem) => self.problem(&["link", name], problem),
            }
        }
        rules.sort_by_key(|(pairs, _)| pairs.rank());
        let mut links = vec![Link::default(); count * count];
        for (pairs, link) in rules {
            for index in pairs.links(&self.program) {
                let general = std::mem::take(&mut links[index]);
                links[index] = link.clone().or(general);
            }
        }
        self.program.links = links.into_iter().map(compile_link).collect();
    }

    /// The pairs that the name of a link stands for.
    fn pairs(&self, name: &str) -> Result<Pairs, Problem> {
        let words: Vec<&str> = name.split_whitespace().collect();
        match words[..] {
            ["default"] => return Ok(Pairs::All),
            ["within", "zone"] => return Ok(Pairs::Alike(Extent::Zone, true)),
            ["between", "zones"] => return Ok(Pairs::Alike(Extent::Zone, false)),
            ["within", "region"] => return Ok(Pairs::Alike(Extent::Region, true)),
            ["between", "regions"] => return Ok(Pairs::Alike(Extent::Region, false)),
            _ => {}
        }
        let expected = "`default`, two nodes such as \"api -> payment\", two zones or regions such \
                        as \"zone a -> zone b\", `within zone`, `between zones`, `within region` \
                        or `between regions`";
        let Some((from, to)) = name.split_once("->") else {
            return Err(Problem::new(format!("`{name}` is not a link")).expected(expected));
        };
        let (from, to) = (self.program.find_nodes(from)?, self.program.find_nodes(to)?);
        if from.0 != to.0 {
            return Err(Problem::new(format!("the ends of `{name}` are of two kinds"))
                .expected("two nodes, two zones, or two regions"));
        }
        Ok(Pairs::Between(from.0, from.1, to.1))
    }
}

fn compile_link(link: Link) -> program::Link {
    let share = |share: Option<Share>| Probability::new(share.unwrap_or_default().0);
    let at_once = || Distribution::Constant(Span::ZERO);
    let room = link.room();
    let transmission =
        link.bandwidth.map_or(Span::ZERO, |bandwidth| bandwidth.transmission(link.size()));
    program::Link {
        latency: link.latency.unwrap_or_else(at_once),
        request_loss: share(link.request_loss),
        reply_loss: share(link.reply_loss),
        duplication: share(link.duplication),
        reordering: share(link.reordering.as_ref().map(|reordering| reordering.share)),
        lateness: link.reordering.map_or_else(at_once, |reordering| reordering.by),
        transmission,
        backlog: Span(transmission.0.saturating_mul(u64::from(room))),
    }
}
