//! How an instance is chosen for a request.

use super::Fleet;
use crate::kernel::draw::Purpose;
use crate::model::language::Balance;
use crate::model::program::NodeId;
use crate::system::calls::Detectors;
use crate::system::core::Core;
use crate::system::event::DetectorId;
use crate::system::fact::Fact;

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

/// For whom an instance of a node is chosen.
#[derive(Clone, Copy)]
pub(in crate::system) struct Choice<'d> {
    /// Of which node.
    pub(in crate::system) node: NodeId,
    /// The stable key of the request, which names the draws.
    pub(in crate::system) work: u64,
    /// What all callers know of instances.
    pub(in crate::system) detectors: &'d Detectors,
    /// What this caller knows of them.
    pub(in crate::system) detector: Option<DetectorId>,
}

impl Fleet {
    /// Which instance a request goes to, of those that are not known to be down and that its caller
    /// has not ejected.
    #[inline]
    pub(in crate::system) fn choose(&mut self, core: &mut Core<'_>, choice: Choice<'_>) -> u32 {
        match core.program().node(choice.node).station.instances {
            1 => 0,
            _ => self.choose_one_of_many(core, choice),
        }
    }

    fn choose_one_of_many(&mut self, core: &mut Core<'_>, choice: Choice<'_>) -> u32 {
        let node = choice.node;
        let rules = &core.program().node(node).station;
        let instances = rules.instances;
        let among = self.among(core, choice);
        if matches!(among, Among::AllInPanic) {
            core.tell(Fact::Panicked(node));
        }
        // Who was chosen last is asked last, so that equals take turns.
        let last = *self.turn(node);
        let load =
            |fleet: &Fleet, instance: u32| fleet.station(fleet.index(node, instance)).outstanding();
        let may = |instance: &u32| match among {
            Among::All | Among::AllInPanic => true,
            Among::Healthy(_) => self.is_healthy(core, choice, *instance),
        };
        let mut in_turn = (1..=instances).map(|step| (last + step) % instances).filter(may);
        let chosen = match rules.balance {
            Balance::RoundRobin => in_turn.next().unwrap_or(last),
            Balance::LeastOutstanding => {
                in_turn.min_by_key(|&instance| load(self, instance)).unwrap_or(last)
            }
            Balance::Random => return self.pick(core, choice, among, 0),
            Balance::TwoChoices => {
                let one = self.pick(core, choice, among, 0);
                let other = self.pick(core, choice, among, 1);
                return if load(self, other) < load(self, one) { other } else { one };
            }
        };
        *self.turn(node) = chosen;
        chosen
    }

    /// Which instance a balancer by chance would choose.
    pub(in crate::system) fn choose_by_chance(
        &self,
        core: &mut Core<'_>,
        choice: Choice<'_>,
    ) -> u32 {
        let among = self.among(core, choice);
        self.pick(core, choice, among, 0)
    }

    fn pick(&self, core: &mut Core<'_>, choice: Choice<'_>, among: Among, index: u16) -> u32 {
        let description = core.program().node(choice.node);
        let draw = core.draw(Purpose::Balance, description.id, choice.work, index);
        let instances = description.station.instances;
        let Among::Healthy(count) = among else { return draw.below(u64::from(instances)) as u32 };
        let number = draw.below(u64::from(count)) as usize;
        let mut healthy =
            (0..instances).filter(|&instance| self.is_healthy(core, choice, instance));
        healthy.nth(number).expect("as many are healthy as were counted")
    }

    /// Whom a caller chooses among. With nobody healthy it is as if all were.
    fn among(&self, core: &Core<'_>, choice: Choice<'_>) -> Among {
        let Choice { node, detectors, detector, .. } = choice;
        if !self.may_be_stopped(core.now()) && !detectors.eject_any(detector) {
            return Among::All;
        }
        let instances = core.program().node(node).station.instances;
        let is_healthy = |&instance: &u32| self.is_healthy(core, choice, instance);
        let healthy = (0..instances).filter(is_healthy).count() as u32;
        if healthy < instances && detectors.panic(core.program(), detector, healthy) {
            Among::AllInPanic
        } else if healthy == 0 || healthy == instances {
            Among::All
        } else {
            Among::Healthy(healthy)
        }
    }

    fn is_healthy(&self, core: &Core<'_>, choice: Choice<'_>, instance: u32) -> bool {
        !self.is_known_down(core.program(), choice.node, instance, core.now())
            && !choice.detectors.eject(choice.detector, instance)
    }
}
