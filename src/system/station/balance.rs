//! How an instance is chosen for a request.

use super::super::World;
use super::super::ejection::DetectorId;
use super::super::fact::Fact;
use crate::kernel::draw::Purpose;
use crate::model::language::Balance;
use crate::model::program::NodeId;

/// Who may be chosen.
#[derive(Clone, Copy)]
enum Among {
    /// Every instance.
    All,
    /// So many: those that are neither known to be down nor ejected by the caller.
    Healthy(u32),
    /// Every instance, because too few are healthy.
    AllInPanic,
}

impl World<'_> {
    /// Which instance a request goes to, of those that are not known to be down and that its caller
    /// has not ejected.
    pub(in crate::system) fn balance(
        &mut self,
        node: NodeId,
        work: u64,
        detector: Option<DetectorId>,
    ) -> u32 {
        let description = self.cx.program().node(node);
        let instances = description.station.instances;
        if instances == 1 {
            return 0;
        }
        let among = self.among(node, detector);
        if matches!(among, Among::AllInPanic) {
            self.cx.tell(Fact::Panicked(node));
        }
        // Who was chosen last is asked last, so that equals take turns.
        let last = self.turns[node.0 as usize];
        let first = self.first_station[node.0 as usize];
        let load =
            |world: &Self, instance: u32| world.stations[(first + instance) as usize].outstanding();
        let may = |world: &Self, instance: u32| match among {
            Among::All | Among::AllInPanic => true,
            Among::Healthy(_) => world.is_healthy(node, detector, instance),
        };
        let mut in_turn = (1..=instances)
            .map(|step| (last + step) % instances)
            .filter(|&instance| may(self, instance));
        match description.station.balance {
            Balance::RoundRobin => {
                let next = in_turn.next().unwrap_or(last);
                self.turns[node.0 as usize] = next;
                next
            }
            Balance::Random => self.pick(node, detector, among, work, 0),
            Balance::TwoChoices => {
                let one = self.pick(node, detector, among, work, 0);
                let other = self.pick(node, detector, among, work, 1);
                if load(self, other) < load(self, one) { other } else { one }
            }
            Balance::LeastOutstanding => {
                let least = in_turn.min_by_key(|&instance| load(self, instance)).unwrap_or(last);
                self.turns[node.0 as usize] = least;
                least
            }
        }
    }

    /// Which instance a balancer by chance would choose.
    pub(in crate::system) fn choose_by_chance(
        &mut self,
        node: NodeId,
        detector: Option<DetectorId>,
        work: u64,
    ) -> u32 {
        let among = self.among(node, detector);
        self.pick(node, detector, among, work, 0)
    }

    fn pick(
        &mut self,
        node: NodeId,
        detector: Option<DetectorId>,
        among: Among,
        work: u64,
        index: u16,
    ) -> u32 {
        let description = self.cx.program().node(node);
        let draw = self.cx.draw(Purpose::Balance, description.id, work, index);
        let instances = description.station.instances;
        let Among::Healthy(count) = among else { return draw.below(u64::from(instances)) as u32 };
        let number = draw.below(u64::from(count)) as usize;
        let mut healthy =
            (0..instances).filter(|&instance| self.is_healthy(node, detector, instance));
        healthy.nth(number).unwrap_or(0)
    }

    /// Whom a caller chooses among. With nobody healthy it is as if all were.
    fn among(&self, node: NodeId, detector: Option<DetectorId>) -> Among {
        if self.cx.now() >= self.lives.stopped_until && !self.detectors.eject_any(detector) {
            return Among::All;
        }
        let instances = self.cx.program().node(node).station.instances;
        let is_healthy = |&instance: &u32| self.is_healthy(node, detector, instance);
        let healthy = (0..instances).filter(is_healthy).count() as u32;
        if healthy < instances && self.detectors.panic(self.cx.program(), detector, healthy) {
            Among::AllInPanic
        } else if healthy == 0 || healthy == instances {
            Among::All
        } else {
            Among::Healthy(healthy)
        }
    }

    fn is_healthy(&self, node: NodeId, detector: Option<DetectorId>, instance: u32) -> bool {
        !self.is_known_down(node, instance) && !self.detectors.eject(detector, instance)
    }
}
