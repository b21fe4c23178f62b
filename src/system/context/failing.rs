//! Calls that fail because a model or a fault says so: before their work, or although it was done.

use crate::kernel::draw::{Draw, Probability, Purpose};
use crate::kernel::slab::Handle;
use crate::model::program::{Kind, NodeId};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::control::Action;
use crate::system::fact::Fact;
use crate::system::job::{Job, Origin};

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::system) struct Failing {
    /// Whether its work is done all the same.
    pub(in crate::system) after_effect: bool,
    /// What its caller hears.
    pub(in crate::system) outcome: Outcome,
}

impl Context<'_> {
    /// Whether a call fails, and how. One draw decides all of it.
    pub(in crate::system) fn failing(
        &mut self,
        node: NodeId,
        key: u64,
        order: u64,
    ) -> Option<Failing> {
        let condition = self.core.node_condition(node);
        if !condition.fails_calls() {
            return None;
        }
        let (before, after) = (condition.errors_before, condition.errors_after);
        let draw = self.core.draw(Purpose::Error, self.core.program().node(node).id, key, 0);
        if before.happens(draw) {
            let outcome = self.blame(node, order, draw, false);
            return Some(Failing { after_effect: false, outcome });
        }
        let draw = shifted(draw, before).filter(|&draw| after.happens(draw))?;
        let outcome = self.blame(node, order, draw, true);
        Some(Failing { after_effect: true, outcome })
    }

    /// What a call that fails is answered, by the fault that is to blame or by its node itself.
    fn blame(&mut self, node: NodeId, order: u64, draw: Draw, after_effect: bool) -> Outcome {
        let (own, own_outcome) = match &self.core.program().node(node).kind {
            Kind::Provider(rules) if after_effect => (rules.errors_after, rules.error_status),
            Kind::Provider(rules) => (rules.errors_before, rules.error_status),
            _ => (Probability::NEVER, Outcome::Failed),
        };
        let guilty = self.core.fired_by_chance(Some(order), draw, own, |action| match *action {
            Action::Errors { node: failing, before, after, .. } if failing == node => {
                Some(if after_effect { after } else { before })
            }
            _ => None,
        });
        match guilty.map(|control| &control.action) {
            Some(&Action::Errors { outcome: Some(outcome), .. }) => outcome,
            _ => own_outcome,
        }
    }

    /// Answers a call that fails before its work has begun, and notes how one will end that fails
    /// after it; says whether it is answered. Providers fail where they take effect.
    #[inline]
    pub(in crate::system) fn fails_at_the_door(&mut self, node: NodeId, handle: Handle) -> bool {
        self.core.node_condition(node).fails_calls() && self.may_fail_at_the_door(node, handle)
    }

    fn may_fail_at_the_door(&mut self, node: NodeId, handle: Handle) -> bool {
        let Some(&Job { key, origin, subject, .. }) = self.jobs.get(handle) else {
            return false;
        };
        let Origin::Call { call, attempt, edge } = origin else { return false };
        let order = subject.order;
        if matches!(self.core.program().node(node).kind, Kind::Provider(_)) {
            return false;
        }
        let Some(failing) = self.failing(node, key, order) else { return false };
        if failing.after_effect {
            if let Some(job) = self.jobs.get_mut(handle) {
                job.extra_mut().fails_with = Some(failing.outcome);
            }
            return false;
        }
        self.jobs.remove(handle);
        self.core.tell(Fact::Failed { node, order, after_effect: false });
        self.send_outcome((call, attempt, edge), node, (key, order), failing.outcome);
        true
    }

    /// What a job is answered that has come to this outcome.
    pub(in crate::system) fn outcome_told(&mut self, job: &Job, outcome: Outcome) -> Outcome {
        match job.extra.as_ref().and_then(|extra| extra.fails_with) {
            Some(failure) if outcome == Outcome::Ok => {
                let (node, order) = (job.node, job.subject.order);
                self.core.tell(Fact::Failed { node, order, after_effect: true });
                failure
            }
            _ => outcome,
        }
    }
}

/// The draw seen from above a probability's part of the unit interval.
fn shifted(draw: Draw, below: Probability) -> Option<Draw> {
    draw.0.checked_sub(below.threshold()).map(Draw)
}

impl Context<'_> {
    /// Refuses a request that came to an instance that is down, if anything is there to do so;
    /// says whether it is down. Who asked before it went down had a connection, which breaks.
    pub(in crate::system) fn is_refused_by_host(&mut self, job: Handle) -> bool {
        if !self.fleet.may_be_stopped(self.core.now()) {
            return false;
        }
        let Some(&Job { node, instance, origin, key, subject, .. }) = self.jobs.get(job) else {
            return false;
        };
        if !self.fleet.is_down(node, instance, self.core.now()) {
            return false;
        }
        self.jobs.remove(job);
        let life = self.fleet.life(node, instance);
        let (is_silent, since) = (life.is_silent(), life.down_since());
        let order = subject.order;
        self.core.tell(Fact::NobodyThere { node, order, refused: !is_silent });
        if let Origin::Call { call, attempt, edge } = origin
            && !is_silent
        {
            let had_connection = self.calls.sent_at(call, attempt).is_some_and(|sent| sent < since);
            let outcome = if had_connection { Outcome::Reset } else { Outcome::NotConnected };
            self.send_outcome((call, attempt, edge), node, (key, order), outcome);
        }
        true
    }
}
