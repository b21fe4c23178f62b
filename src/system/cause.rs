//! Which fault an effect is due to: a fault that fired is told, each time that it did.

use super::World;
use super::control::{Action, Control, Surge};
use super::fact::Fact;
use super::job::Origin;
use super::network::Message;
use crate::kernel::draw::{Draw, Probability};
use crate::kernel::slab::Handle;
use crate::model::program::NodeId;

impl<'p> World<'p> {
    /// Tells that every active fault that acts like this fired once, for an order if that is known.
    /// Call it where the fault has its effect on a message, a call or a unit of work.
    pub(super) fn fired(&mut self, order: Option<u64>, acts: impl Fn(&Action) -> bool) {
        let controls = self.controls;
        for index in 0..self.conditions.active.len() {
            let control = &controls[self.conditions.active[index] as usize];
            if acts(&control.action) {
                self.tell(Fact::FaultFired(control.fault, order));
            }
        }
    }

    /// Tells which fault is to blame for what happened under a draw, if it is not the model itself.
    ///
    /// Independent causes are joined by [`Probability::or`], one after the other: each is to blame
    /// for the draws that it adds to those before it. `own` is the probability in the model.
    pub(super) fn fired_by_chance(
        &mut self,
        order: Option<u64>,
        draw: Draw,
        own: Probability,
        share: impl Fn(&Action) -> Option<Probability>,
    ) -> Option<&'p Control> {
        let controls = self.controls;
        let mut so_far = own;
        if so_far.happens(draw) {
            return None;
        }
        let guilty = self.conditions.active.iter().find_map(|&index| {
            let control = &controls[index as usize];
            so_far = so_far.or(share(&control.action)?);
            so_far.happens(draw).then_some(control)
        })?;
        self.tell(Fact::FaultFired(guilty.fault, order));
        Some(guilty)
    }

    /// The order for which a job works; what a relay does for itself is for none.
    pub(super) fn order_of_job(&self, handle: Handle) -> Option<u64> {
        let job = self.jobs.get(handle)?;
        let is_upkeep = matches!(job.origin, Origin::Call { edge, .. } if self.is_upkeep(edge));
        (!is_upkeep).then_some(job.subject.order)
    }

    /// The order that a message is about; what a relay asks for itself is about none.
    pub(super) fn order_of_message(&self, message: &Message) -> Option<u64> {
        let is_upkeep = match *message {
            Message::Request { edge, .. } | Message::Reply { edge, .. } => self.is_upkeep(edge),
            _ => false,
        };
        (!is_upkeep).then(|| message.transit(self.program).order)
    }

    /// Tells which faults made a user be about the hot key.
    pub(super) fn fired_by_diversion(&mut self, clients: NodeId, order: u64) {
        self.fired(
            Some(order),
            |action| matches!(*action, Action::HotKey { node, .. } if node == clients),
        );
    }

    /// Says which faults change the rate of arrivals, so that the arrivals are counted.
    pub fn watch_surges(&mut self, surges: &[Surge]) {
        self.surges = surges.to_vec();
    }

    /// Tells which faults a user's arrival is due to.
    pub(super) fn fired_by_arrival(&mut self, clients: NodeId) {
        for index in 0..self.surges.len() {
            let Surge { fault, clients: struck, from, until } = self.surges[index];
            if struck == clients && from <= self.now && self.now < until {
                let order = Some(self.orders);
                self.tell(Fact::FaultFired(fault, order));
            }
        }
    }
}
