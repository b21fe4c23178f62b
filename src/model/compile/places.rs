//! Zones and regions of nodes.

use super::Compiler;
use crate::model::check;
use crate::model::compile::Sections;
use crate::model::problem::Problem;
use crate::model::program::Locality;

impl Compiler<'_> {
    /// Puts every node into the zone and region that the file says.
    pub(super) fn places(&mut self, sections: &Sections) {
        for (section, name, place) in sections.placed() {
            self.place(section, name, place);
        }
    }

    fn place(&mut self, section: &str, name: &str, place: Locality) {
        let named = [("zone", "a zone", &place.zone), ("region", "a region", &place.region)];
        for (key, what, value) in named {
            if let Some(value) = value
                && let Err(problem) = check::name(what, value)
            {
                self.problem(&[section, name, key], problem);
            }
        }
        if place.zone.is_some() {
            let others = self.program.nodes.iter().map(|node| &node.place);
            let twin = others.into_iter().find(|other| {
                other.zone == place.zone
                    && other.region.is_some()
                    && place.region.is_some()
                    && other.region != place.region
            });
            if let Some(Locality { zone: Some(zone), region: Some(other) }) = twin {
                let problem = Problem::new(format!("the zone `{zone}` is also in `{other}`"))
                    .expected("one region for each zone");
                self.problem(&[section, name, "region"], problem);
            }
        }
        if let Some(id) = self.program.find_node(name) {
            self.program.nodes[id.0 as usize].place = place;
        }
    }
}
