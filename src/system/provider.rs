//! Providers: somebody else's effects, which cannot be undone, and their idempotency keys.

use std::collections::BTreeMap;

use super::control::Action;
use super::fact::{Fact, Observer};
use super::{Local, World};
use crate::kernel::draw::{Draw, Probability, Purpose};
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::{Kind, LabelId, NodeId, OperationId};
use crate::policy::Outcome;

/// What a provider keeps.
#[derive(Debug, Default)]
pub(super) struct Provider {
    /// By operation and key: one key for two effects is two keys.
    keys: BTreeMap<(OperationId, u64), KeyState>,
}

/// What a provider knows of an idempotency key.
#[derive(Clone, Copy, Debug)]
enum KeyState {
    /// The first call with it is being handled.
    InProgress,
    /// The effect has happened; the key is forgotten at this time.
    Done { forgotten: Time },
}

impl<O: Observer> World<'_, O> {
    fn provider(&mut self, node: NodeId) -> &mut Provider {
        match &mut self.locals[node.0 as usize] {
            Local::Provider(provider) => provider,
            other => unreachable!("effects happen at providers, not at {other:?}"),
        }
    }

    /// The answer to a call whose idempotency key is known; `None` if it is the first with its key.
    pub(super) fn check_key(&mut self, handle: Handle) -> Option<Outcome> {
        let job = self.jobs.get(handle)?;
        let (node, token, now) = (job.node, (job.operation, job.token), self.now);
        if token.1 == 0 {
            return None;
        }
        let known = self.provider(node).keys.get(&token).copied();
        match known {
            Some(KeyState::InProgress) => Some(Outcome::Conflict),
            Some(KeyState::Done { forgotten }) if now < forgotten => {
                self.tell(Fact::Replayed { provider: node });
                Some(Outcome::Ok)
            }
            _ => {
                self.provider(node).keys.insert(token, KeyState::InProgress);
                None
            }
        }
    }

    /// Makes the effect happen, or an error, or both; returns the error.
    ///
    /// An error after the effect leaves the key done: the next call with it is answered `ok`.
    pub(super) fn take_effect(&mut self, handle: Handle, effect: LabelId) -> Option<Outcome> {
        let job = self.jobs.get(handle)?;
        let (node, order, key) = (job.node, job.subject.order, job.key);
        let token = (job.operation, job.token);
        let error = self.draw_error(node, key);
        if error == Some(false) {
            self.provider(node).keys.remove(&token);
        } else {
            self.tell(Fact::Effect { effect, order });
            if token.1 != 0
                && let Kind::Provider(rules) = &self.program.node(node).kind
            {
                let forgotten = self.now + rules.keys_expire;
                self.provider(node).keys.insert(token, KeyState::Done { forgotten });
            }
        }
        error.map(|after_effect| {
            self.tell(Fact::Failed { node, after_effect });
            Outcome::Failed
        })
    }

    /// Whether a call fails, and if so whether its effect has happened. One draw decides both.
    fn draw_error(&mut self, node: NodeId, key: u64) -> Option<bool> {
        let condition = self.conditions.nodes[node.0 as usize];
        let (before, after) = (condition.errors_before, condition.errors_after);
        if before.is_never() && after.is_never() {
            return None;
        }
        let draw = self.draws.draw(Purpose::Error, self.program.node(node).id, key, 0);
        let (own_before, own_after) = match &self.program.node(node).kind {
            Kind::Provider(rules) => (rules.errors_before, rules.errors_after),
            other => unreachable!("{other:?} is no provider"),
        };
        let share = |action: &Action, after_effect: bool| match *action {
            Action::Errors { node: failing, before, after } if failing == node => {
                Some(if after_effect { after } else { before })
            }
            _ => None,
        };
        if before.happens(draw) {
            self.fired_by_chance(draw, own_before, |action| share(action, false));
            return Some(false);
        }
        let draw = shifted(draw, before).filter(|&draw| after.happens(draw))?;
        self.fired_by_chance(draw, own_after, |action| share(action, true));
        Some(true)
    }
}

/// The draw seen from above a probability's part of the unit interval.
fn shifted(draw: Draw, below: Probability) -> Option<Draw> {
    draw.0.checked_sub(below.threshold()).map(Draw)
}
