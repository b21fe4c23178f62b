//! The disturbances of a run: which faults act now, and which fault an effect is due to. A fault
//! that fired is told, each time that it did.

use super::conditions::Conditions;
use super::{Action, Control, DataCondition, Kill, LinkCondition, Moment, NodeCondition, Surge};
use crate::kernel::draw::{Draw, Probability, Purpose};
use crate::kernel::time::Time;
use crate::model::program::{EdgeId, NodeId, Program};
use crate::system::core::Core;
use crate::system::fact::Fact;

/// What disturbs a run: the controls of its faults, and what acts on whom now.
#[derive(Clone, Debug)]
pub(in crate::system) struct Disturbances<'p> {
    controls: &'p [Control],
    conditions: Conditions,
    /// When faults change the rates of arrivals.
    surges: Vec<Surge>,
    kills: Vec<ActiveKill>,
}

/// A kill that acts now.
#[derive(Clone, Copy, Debug)]
struct ActiveKill {
    /// The control that it belongs to.
    control: u32,
    /// How many have died by it.
    struck: u32,
}

impl<'p> Disturbances<'p> {
    /// Nothing acts yet.
    pub(in crate::system) fn new(program: &Program, controls: &'p [Control]) -> Disturbances<'p> {
        let conditions = Conditions::new(program);
        Disturbances { controls, conditions, surges: Vec::new(), kills: Vec::new() }
    }

    /// The same in a copy of the run, which has the same controls.
    pub(in crate::system) fn copied<'n>(&self, controls: &'n [Control]) -> Disturbances<'n> {
        let Disturbances { controls: _, conditions, surges, kills } = self.clone();
        Disturbances { controls, conditions, surges, kills }
    }

    /// Works out anew what acts on whom.
    fn apply(&mut self, program: &Program, control: u32, on: bool) {
        let mut active = std::mem::take(&mut self.conditions.active);
        active.retain(|&other| other != control);
        if on {
            active.insert(active.partition_point(|&other| other < control), control);
        }
        self.conditions = Conditions::new(program);
        for &index in &active {
            self.conditions.apply(&self.controls[index as usize]);
        }
        self.conditions.active = active;
        match &self.controls[control as usize].action {
            Action::Kill { .. } if on => self.kills.push(ActiveKill { control, struck: 0 }),
            Action::Kill { .. } => self.kills.retain(|kill| kill.control != control),
            _ => {}
        }
    }
}

impl<'p> Core<'p> {
    /// The controls of the faults.
    pub(in crate::system) fn controls(&self) -> &'p [Control] {
        self.disturbances().controls
    }

    /// Switches a control on or off.
    pub(in crate::system) fn apply(&mut self, control: u32, on: bool) {
        let program = self.program();
        self.disturbances_mut().apply(program, control, on);
    }

    /// Whether no fault acts now.
    #[inline]
    pub(in crate::system) fn is_calm(&self) -> bool {
        self.disturbances().conditions.active.is_empty()
    }

    /// What acts on a node now.
    pub(in crate::system) fn node_condition(&self, node: NodeId) -> &NodeCondition {
        &self.disturbances().conditions.nodes[node.0 as usize]
    }

    /// What acts on a link now.
    pub(in crate::system) fn link_condition(&self, link: usize) -> &LinkCondition {
        &self.disturbances().conditions.links[link]
    }

    /// What acts on the data of a node now.
    pub(in crate::system) fn data_condition(&self, node: NodeId) -> &DataCondition {
        &self.disturbances().conditions.data[node.0 as usize]
    }

    /// Tells that every active fault that acts like this fired once, for an order if that is known.
    /// Call it where the fault has its effect on a message, a call or a unit of work.
    pub(in crate::system) fn fired(&mut self, order: Option<u64>, acts: impl Fn(&Action) -> bool) {
        let controls = self.controls();
        for index in 0..self.disturbances().conditions.active.len() {
            let control = &controls[self.disturbances().conditions.active[index] as usize];
            if acts(&control.action) {
                self.tell(Fact::FaultFired(control.fault, order));
            }
        }
    }

    /// Tells which fault is to blame for what happened under a draw, if it is not the model itself.
    ///
    /// Independent causes are joined by [`Probability::or`], one after the other: each is to blame
    /// for the draws that it adds to those before it. `own` is the probability in the model.
    pub(in crate::system) fn fired_by_chance(
        &mut self,
        order: Option<u64>,
        draw: Draw,
        own: Probability,
        share: impl Fn(&Action) -> Option<Probability>,
    ) -> Option<&'p Control> {
        let controls = self.controls();
        let mut so_far = own;
        if so_far.happens(draw) {
            return None;
        }
        let guilty = self.disturbances().conditions.active.iter().find_map(|&index| {
            let control = &controls[index as usize];
            so_far = so_far.or(share(&control.action)?);
            so_far.happens(draw).then_some(control)
        })?;
        self.tell(Fact::FaultFired(guilty.fault, order));
        Some(guilty)
    }

    /// Tells which faults made a user be about the hot key.
    pub(in crate::system) fn fired_by_diversion(&mut self, clients: NodeId, order: u64) {
        self.fired(
            Some(order),
            |action| matches!(*action, Action::HotKey { node, .. } if node == clients),
        );
    }

    /// Says which faults change the rate of arrivals, so that the arrivals are counted.
    pub(in crate::system) fn watch_surges(&mut self, surges: &[Surge]) {
        self.disturbances_mut().surges = surges.to_vec();
    }

    /// Tells which faults the arrival of the user with this order is due to.
    pub(in crate::system) fn fired_by_arrival(&mut self, clients: NodeId, order: u64) {
        for index in 0..self.disturbances().surges.len() {
            let Surge { fault, clients: struck, from, until } = self.disturbances().surges[index];
            if struck == clients && from <= self.now() && self.now() < until {
                self.tell(Fact::FaultFired(fault, Some(order)));
            }
        }
    }

    /// What the clock of a node shows: real time, shifted by a fault. A clock does not go back
    /// beyond the start of the run.
    pub(in crate::system) fn clock_of(&mut self, node: NodeId, order: u64) -> Time {
        let skew = self.node_condition(node).skew;
        if skew != 0 {
            self.fired(
                Some(order),
                |act| matches!(*act, Action::ClockSkew { node: wrong, .. } if wrong == node),
            );
        }
        Time(self.now().0.saturating_add_signed(skew))
    }

    /// Whether anybody dies at a step.
    pub(in crate::system) fn has_kills(&self) -> bool {
        !self.disturbances().kills.is_empty()
    }

    /// The fault by which an instance dies that is at this side of the step whose call this is, for
    /// this work; it counts as struck.
    pub(in crate::system) fn kills_at(
        &mut self,
        edge: EdgeId,
        moment: Moment,
        work: u64,
    ) -> Option<(&'p Control, &'p Kill)> {
        for index in 0..self.disturbances().kills.len() {
            let active = self.disturbances().kills[index];
            let control = &self.controls()[active.control as usize];
            let Action::Kill { kill } = &control.action else {
                unreachable!("{control:?} kills nobody")
            };
            let used_up = kill.times.is_some_and(|times| active.struck >= times);
            if used_up || kill.moment != moment || !kill.edges.contains(&edge) {
                continue;
            }
            if let Some(share) = kill.share {
                let site = self.program().edge(edge).id;
                if !share.happens(self.draw(Purpose::Fault, site, work, moment as u16)) {
                    continue;
                }
            }
            self.disturbances_mut().kills[index].struck += 1;
            return Some((control, kill));
        }
        None
    }
}
