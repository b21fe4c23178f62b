//! Providers: somebody else's effects, which cannot be undone, their idempotency keys and their
//! rate limits.

use std::collections::BTreeMap;

use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::language::{ConcurrentKey, Mismatch};
use crate::model::program::{Kind, LabelId, NodeId, OperationId, ProviderStep};
use crate::model::quantity::RetryAfter;
use crate::policy::rate_limit::GcraState;
use crate::policy::{Outcome, Response};
use crate::system::context::Context;
use crate::system::context::failing::Failing;
use crate::system::fact::Fact;
use crate::system::job::{Progress, Subject};
use crate::system::node::{Local, Nodes};

/// What a provider keeps.
#[derive(Clone, Debug, Default)]
pub(in crate::system) struct Provider {
    /// By operation and key: one key for two effects is two keys.
    keys: BTreeMap<Key, KeyState>,
    /// Calls that wait for the end of another one with their key.
    waiting: BTreeMap<Key, Vec<Handle>>,
    /// How many calls with a key it has executed.
    executions: u64,
    limiter: GcraState,
}

/// An operation and an idempotency key.
type Key = (OperationId, u64);

/// What a provider knows of an idempotency key.
#[derive(Clone, Copy, Debug)]
enum KeyState {
    /// A call with it is being handled.
    InProgress {
        /// For which order: the parameters of the call.
        order: u64,
        /// The stable key of the call.
        call: u64,
        /// Until when it holds the key.
        until: Time,
    },
    /// A call with it has been handled.
    Done {
        /// For which order.
        order: u64,
        /// How it was answered, or would be now.
        outcome: Outcome,
        /// Which execution the answer tells of.
        body: u64,
        /// When the key is forgotten.
        forgotten: Time,
    },
}

impl Provider {
    /// Calls in progress are lost; keys of effects that have happened are durable.
    pub(in crate::system) fn forget_unfinished(&mut self) {
        self.keys.retain(|_, state| matches!(state, KeyState::Done { .. }));
        self.waiting.clear();
    }
}

impl Nodes {
    fn provider(&mut self, node: NodeId) -> &mut Provider {
        match &mut self.locals[node.0 as usize] {
            Local::Provider(provider) => provider,
            other => unreachable!("effects happen at providers, not at {other:?}"),
        }
    }

    /// The answer to a call beyond the rate that a provider allows, if it is one.
    pub(in crate::system) fn throttle(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        order: u64,
    ) -> Option<Response> {
        let Kind::Provider(rules) = &cx.core.program().node(node).kind else { return None };
        let limit = rules.rate_limit?;
        let now = cx.core.now();
        let limiter = &mut self.provider(node).limiter;
        if limit.rule.reserve(limiter, 1, now, Span::ZERO).is_some() {
            return None;
        }
        let hint = match limit.retry_after {
            None => None,
            Some(RetryAfter::Fixed(span)) => Some(span),
            Some(RetryAfter::Exact) => limit.rule.wait(limiter, 1, now),
        };
        cx.core.tell(Fact::Throttled { provider: node, order });
        Some(Response { hint, ..Response::new(Outcome::Throttled) })
    }

    pub(in crate::system) fn take_provider_step(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        step: ProviderStep,
    ) -> Progress {
        match step {
            ProviderStep::CheckKey => self.check_key(cx, handle),
            ProviderStep::Effect(effect) => {
                self.take_effect(cx, handle, effect).map_or(Progress::GoesOn, Progress::Ends)
            }
        }
    }

    /// What becomes of a call whose idempotency key may be known.
    fn check_key(&mut self, cx: &mut Context<'_>, handle: Handle) -> Progress {
        let job = cx.jobs.at(handle);
        let (node, order, call) = (job.node, job.subject.order, job.key);
        let key = (job.operation, job.token);
        if key.1 == 0 {
            return Progress::GoesOn;
        }
        let now = cx.core.clock_of(node, order);
        let known = match self.provider(node).keys.get(&key).copied() {
            Some(KeyState::InProgress { until, .. }) if now >= until => None,
            Some(KeyState::Done { forgotten, .. }) if now >= forgotten => None,
            known => known,
        };
        let rules = cx.provider_rules(node);
        let (lease, concurrent) = (rules.key_lease, rules.concurrent_key);
        let compares = rules.on_mismatch == Mismatch::Invalid;
        match known {
            None => {
                let until = lease.map_or(Time::NEVER, |span| now + span);
                let state = KeyState::InProgress { order, call, until };
                self.provider(node).keys.insert(key, state);
                Progress::GoesOn
            }
            Some(
                KeyState::InProgress { order: first, .. } | KeyState::Done { order: first, .. },
            ) if compares && first != order => {
                cx.core.tell(Fact::Mismatched { provider: node, order });
                Progress::Ends(Outcome::Invalid)
            }
            Some(KeyState::Done { outcome, body, .. }) => {
                cx.core.tell(Fact::Replayed { provider: node, order, outcome });
                let (operation, token) = key;
                cx.core.tell(Fact::KeyAnswered { operation, token, order, outcome, body });
                Progress::Ends(outcome)
            }
            Some(KeyState::InProgress { .. }) => match concurrent {
                ConcurrentKey::Conflict => Progress::Ends(Outcome::Conflict),
                ConcurrentKey::Execute => Progress::GoesOn,
                ConcurrentKey::Wait => {
                    self.provider(node).waiting.entry(key).or_default().push(handle);
                    Progress::Repeats
                }
            },
        }
    }

    /// Makes the effect happen, or an error, or both; returns the error.
    fn take_effect(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        effect: LabelId,
    ) -> Option<Outcome> {
        let job = cx.jobs.at(handle);
        let (node, subject, call) = (job.node, job.subject, job.key);
        let key = (job.operation, job.token);
        let error = cx.failing(node, call, subject.order);
        if error.is_none_or(|error| error.after_effect) {
            let Subject { order, key, amount, .. } = subject;
            cx.core.tell(Fact::Effect { effect, order, key, amount });
        }
        if key.1 != 0 {
            self.end_key(cx, node, key, subject.order, call, error);
        }
        error.map(|Failing { after_effect, outcome }| {
            cx.core.tell(Fact::Failed { node, order: subject.order, after_effect });
            outcome
        })
    }

    /// Notes how a call with an idempotency key ended: without error, or with one before or after
    /// the effect. A connection that broke is no answer that could be stored.
    fn end_key(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        key: Key,
        order: u64,
        call: u64,
        error: Option<Failing>,
    ) {
        let now = cx.core.clock_of(node, order);
        let rules = cx.provider_rules(node);
        let forgotten = now + rules.keys_expire;
        let outcome = match error {
            Some(error) if rules.replay_errors && error.outcome.is_answer() => Some(error.outcome),
            Some(error) if !error.after_effect => None,
            _ => Some(Outcome::Ok),
        };
        let provider = self.provider(node);
        provider.executions += 1;
        let body = provider.executions;
        let known = provider.keys.get(&key).copied();
        let is_done = matches!(known, Some(KeyState::Done { forgotten, .. }) if now < forgotten);
        let is_own = matches!(known, Some(KeyState::InProgress { call: own, .. }) if own == call);
        match outcome {
            // The first answer is the one that is kept.
            _ if is_done => {}
            Some(outcome) => {
                provider.keys.insert(key, KeyState::Done { order, outcome, body, forgotten });
            }
            None if is_own => {
                provider.keys.remove(&key);
            }
            None => {}
        }
        if let Some(waiting) = provider.waiting.remove(&key) {
            waiting.into_iter().for_each(|job| cx.jobs.make_ready(job));
        }
        // An error after the effect whose key is kept is no answer that anybody gets again.
        let given = error.map_or(Outcome::Ok, |error| error.outcome);
        if outcome == Some(given) {
            let (operation, token) = key;
            cx.core.tell(Fact::KeyAnswered { operation, token, order, outcome: given, body });
        }
    }
}
