//! How an instance is chosen for a request.

use super::super::World;
use super::super::fact::Observer;
use crate::kernel::draw::Purpose;
use crate::model::language::Balance;
use crate::model::program::NodeId;

impl<O: Observer> World<'_, O> {
    /// Which instance a request goes to, of those that are not known to be down.
    pub(in crate::system) fn balance(&mut self, node: NodeId, work: u64) -> u32 {
        let description = self.program.node(node);
        let instances = description.station.instances;
        if instances == 1 {
            return 0;
        }
        let up = self.known_up(node);
        let site = description.id;
        let pick = |world: &mut Self, index| {
            let draw = world.draws.draw(Purpose::Balance, site, work, index);
            match &up {
                Some(up) => up[draw.below(up.len() as u64) as usize],
                None => draw.below(u64::from(instances)) as u32,
            }
        };
        // Who was chosen last is asked last, so that equals take turns.
        let last = self.turns[node.0 as usize];
        let is_up = |instance: &u32| up.as_ref().is_none_or(|up| up.contains(instance));
        let mut in_turn = (1..=instances).map(|step| (last + step) % instances).filter(is_up);
        let first = self.first_station[node.0 as usize];
        let load =
            |world: &Self, instance: u32| world.stations[(first + instance) as usize].outstanding();
        match description.station.balance {
            Balance::RoundRobin => {
                let next = in_turn.next().unwrap_or(last);
                self.turns[node.0 as usize] = next;
                next
            }
            Balance::Random => pick(self, 0),
            Balance::TwoChoices => {
                let (one, other) = (pick(self, 0), pick(self, 1));
                if load(self, other) < load(self, one) { other } else { one }
            }
            Balance::LeastOutstanding => {
                let least = in_turn.min_by_key(|&instance| load(self, instance)).unwrap_or(last);
                self.turns[node.0 as usize] = least;
                least
            }
        }
    }
}
