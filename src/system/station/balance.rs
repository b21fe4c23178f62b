//! How an instance is chosen for a request.

use super::super::World;
use super::super::fact::Observer;
use crate::kernel::draw::Purpose;
use crate::model::language::Balance;
use crate::model::program::NodeId;

impl<O: Observer> World<'_, O> {
    /// Which instance a request goes to.
    pub(in crate::system) fn balance(&mut self, node: NodeId, work: u64) -> u32 {
        let description = self.program.node(node);
        let instances = description.station.instances;
        if instances == 1 {
            return 0;
        }
        if self.now < self.lives.stopped_until
            && let Some(instance) = self.balance_around(node, work)
        {
            return instance;
        }
        let first = self.first_station[node.0 as usize] as usize;
        let site = description.id;
        let pick = |world: &mut Self, index| {
            let draw = world.draws.draw(Purpose::Balance, site, work, index);
            draw.below(u64::from(instances)) as u32
        };
        match description.station.balance {
            Balance::RoundRobin => {
                let turn = &mut self.turns[node.0 as usize];
                *turn = (*turn + 1) % instances;
                *turn
            }
            Balance::Random => pick(self, 0),
            Balance::TwoChoices => {
                let (one, other) = (pick(self, 0), pick(self, 1));
                let load = |instance: u32| self.stations[first + instance as usize].outstanding();
                if load(other) < load(one) { other } else { one }
            }
            Balance::LeastOutstanding => {
                // Who was chosen last is asked last, so that equals take turns.
                let last = self.turns[node.0 as usize];
                let in_turn = (1..=instances).map(|step| (last + step) % instances);
                let load = |instance: &u32| self.stations[first + *instance as usize].outstanding();
                let least = in_turn.min_by_key(load).unwrap_or(last);
                self.turns[node.0 as usize] = least;
                least
            }
        }
    }
}
