//! Time that a job takes, and who waits for it meanwhile.

use crate::kernel::draw::Purpose;
use crate::kernel::sample::Distribution;
use crate::kernel::slab::Handle;
use crate::kernel::time::Span;
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::control::Action;
use crate::system::event::Event;
use crate::system::fact::{Fact, Refusal};
use crate::system::job::{Origin, Progress};

impl Context<'_> {
    /// Lets a job work on the connection that it came over, if that is new.
    pub(in crate::system) fn accept(&mut self, handle: Handle) -> Progress {
        match std::mem::take(&mut self.jobs.at_mut(handle).extra_mut().accepts) {
            Span::ZERO => Progress::GoesOn,
            span => self.spend(handle, &Distribution::Constant(span), Purpose::Service, 1.0),
        }
    }

    /// Lets a job take its time, `times` over.
    pub(in crate::system) fn spend(
        &mut self,
        handle: Handle,
        time: &Distribution,
        purpose: Purpose,
        times: f64,
    ) -> Progress {
        let job = self.jobs.at_mut(handle);
        let node = job.node;
        let rules = &self.core.program().node(node).station;
        if purpose == Purpose::Service
            && let Some(rule) = rules.propagation
            && !rule.worth_starting(self.core.now(), Some(job.deadline), rule.margin)
        {
            let order = job.subject.order;
            self.core.tell(Fact::Refused { node, order, refusal: Refusal::Expired });
            return Progress::Ends(Outcome::Failed);
        }
        let mut span = match time {
            Distribution::Constant(span) => *span,
            _ => {
                let site = self.core.program().node(node).id;
                let draw = self.core.draw(purpose, site, job.round_key(), job.drawn);
                job.drawn += 1;
                time.sample(draw)
            }
        };
        if times != 1.0 {
            span = span.scaled(times);
        }
        if purpose == Purpose::Service {
            let slow = self.core.node_condition(node).slow;
            if slow != 1.0 {
                span = span.scaled(slow);
            }
            if let Some(cost) = &rules.cost
                && span > Span::ZERO
            {
                let index = self.fleet.index(node, job.instance);
                span = span.scaled(self.fleet.station_mut(index).begin_work(cost));
                job.is_at_work = true;
            }
            job.worked += span;
            job.works_until = self.core.now() + span;
            if slow != 1.0 {
                let order = job.order(self.core.program());
                self.core.fired(
                    order,
                    |act| matches!(*act, Action::Slow { node: slow, .. } if slow == node),
                );
            }
        }
        self.pass(handle, span)
    }

    /// Lets a job wait so long.
    pub(in crate::system) fn pass(&mut self, handle: Handle, span: Span) -> Progress {
        if span == Span::ZERO {
            return Progress::GoesOn;
        }
        let at = self.core.now() + span;
        let timer = self.core.schedule_timer(at, Event::Resume(handle));
        self.jobs.at_mut(handle).timer = Some(timer);
        Progress::Waits
    }

    /// Whether anybody still waits for what this work comes to, up to the user.
    pub(in crate::system) fn is_awaited(&self, origin: Origin) -> bool {
        let asker = match origin {
            Origin::Nobody | Origin::User(_) | Origin::Delivery { .. } => return true,
            Origin::Fork { parent, round } => {
                self.jobs.get(parent).filter(|parent| parent.waits_for_branches(round))
            }
            Origin::Publish { relay, .. } => self.jobs.get(relay),
            Origin::Call { call, attempt, .. } => {
                let owner = self.calls.get(call).map(|call| call.owner);
                owner
                    .filter(|_| self.calls.expects(call, attempt))
                    .and_then(|owner| self.jobs.get(owner))
            }
        };
        asker.is_some_and(|job| self.is_awaited(job.origin))
    }
}
