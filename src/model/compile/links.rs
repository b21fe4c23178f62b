//! Links.

use super::{Compiler, Sections};
use crate::kernel::draw::Probability;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::language::Link;
use crate::model::problem::Problem;
use crate::model::program;
use crate::model::quantity::Share;

impl Compiler<'_> {
    /// Fills the matrix of links: the default, then each pair that the file names.
    pub(super) fn links(&mut self, sections: &Sections) {
        let default = sections.link.get("default").cloned().unwrap_or_default();
        let count = self.program.nodes.len();
        self.program.links = vec![compile_link(default.clone(), Link::default()); count * count];
        let mut seen = Vec::new();
        for (pair, link) in &sections.link {
            if pair == "default" {
                continue;
            }
            let Some((from, to)) = pair.split_once("->") else {
                let problem = Problem::new(format!("`{pair}` is not a link"))
                    .expected("`default`, or two nodes such as \"api -> payment\"");
                self.problem(&["link", pair], problem);
                continue;
            };
            let path = ["link", pair.as_str()];
            let from = self.node_of(&path, from.trim(), "node", |_| true);
            let to = self.node_of(&path, to.trim(), "node", |_| true);
            if let (Some(from), Some(to)) = (from, to) {
                let index = self.program.link_index(from, to);
                if seen.contains(&index) {
                    let problem = Problem::new(format!("the link `{pair}` is written twice"))
                        .expected("one table for each link, whatever its spaces");
                    self.problem(&path, problem);
                }
                seen.push(index);
                self.program.links[index] = compile_link(link.clone(), default.clone());
            }
        }
    }
}

fn compile_link(link: Link, default: Link) -> program::Link {
    let share = |own: Option<Share>, other: Option<Share>| {
        Probability::new(own.or(other).unwrap_or_default().0)
    };
    program::Link {
        latency: link.latency.or(default.latency).unwrap_or(Distribution::Constant(Span::ZERO)),
        request_loss: share(link.request_loss, default.request_loss),
        reply_loss: share(link.reply_loss, default.reply_loss),
    }
}
