//! Pauses: an instance stands still, keeps everything, and does late what it would have done.
//!
//! A collection of garbage or a migration of a virtual machine stops every thread. Work in progress
//! takes so much longer; messages and timers that fall into the pause are handled at its end, in
//! their order.

use std::ops::Range;

use crate::kernel::draw::{Purpose, key_of};
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{Kind, NodeId, Pauses};
use crate::system::context::Context;
use crate::system::event::Event;
use crate::system::fact::Fact;

impl<'p> Context<'p> {
    /// Lets instances of a node stand still until a time. Who is down has nothing to pause.
    pub(in crate::system) fn pause(&mut self, node: NodeId, instances: Range<u32>, until: Time) {
        for instance in instances {
            if self.fleet.is_down(node, instance, self.core.now()) {
                continue;
            }
            let longer = self.fleet.pause(node, instance, self.core.now(), until);
            self.core.tell(Fact::Paused { node, instance, span: until.since(self.core.now()) });
            self.prolong_work(node, instance, longer);
            self.core.schedule(until, Event::GoOn { node, instance });
        }
    }

    /// Work in progress takes longer.
    fn prolong_work(&mut self, node: NodeId, instance: u32, longer: Span) {
        let now = self.core.now();
        let working = self.jobs.iter().filter(|(_, job)| {
            job.node == node && job.instance == instance && job.works_until > now
        });
        let mut working: Vec<(Time, u64, Handle)> =
            working.map(|(handle, job)| (job.works_until, job.key, handle)).collect();
        working.sort_unstable_by_key(|&(until, key, _)| (until, key));
        for (until, _, handle) in working {
            let at = until + longer;
            let timer = self.core.schedule_timer(at, Event::Resume(handle));
            if let Some(job) = self.jobs.get_mut(handle) {
                job.works_until = at;
                if let Some(before) = job.timer.replace(timer) {
                    self.core.cancel(before);
                }
            }
        }
    }

    /// Puts a job off whose instance stands still; says whether it did.
    pub(in crate::system) fn put_job_off(&mut self, handle: Handle) -> bool {
        let Some(job) = self.jobs.get(handle) else { return false };
        let Some(until) = self.fleet.life(job.node, job.instance).paused(self.core.now()) else {
            return false;
        };
        let timer = self.core.schedule_timer(until, Event::Resume(handle));
        self.jobs.at_mut(handle).timer = Some(timer);
        true
    }

    /// Lets a job wait in line until its instance goes on; says whether that stands still.
    pub(in crate::system) fn put_patience_off(&mut self, handle: Handle) -> bool {
        let Some(job) = self.jobs.get(handle) else { return false };
        let Some(until) = self.fleet.life(job.node, job.instance).paused(self.core.now()) else {
            return false;
        };
        let timer = self.core.schedule_timer(until, Event::GiveUp(handle));
        self.jobs.at_mut(handle).timer = Some(timer);
        true
    }

    pub(in crate::system) fn again(&mut self, until: Time, event: Event) -> bool {
        self.core.schedule(until, event);
        true
    }

    /// Until when the instance that made a call stands still, if it does.
    pub(in crate::system) fn paused_caller(&self, call: Handle) -> Option<Time> {
        let job = self.jobs.get(self.calls.get(call)?.owner)?;
        self.fleet.life(job.node, job.instance).paused(self.core.now())
    }

    fn pauses_of(&self, node: NodeId) -> Option<&'p Pauses> {
        match &self.core.program().node(node).kind {
            Kind::Service(service) => service.pauses.as_ref(),
            _ => None,
        }
    }

    /// Schedules the first pause of each instance of a node, if the model says that it has any.
    pub(in crate::system) fn schedule_pauses(&mut self, node: NodeId) {
        if self.pauses_of(node).is_some() {
            for instance in 0..self.core.program().node(node).station.instances {
                self.schedule_pause(node, instance, 0, self.core.now());
            }
        }
    }

    /// A pause that the model says: its times depend on nothing but its number.
    pub(in crate::system) fn begin_pause(&mut self, node: NodeId, instance: u32, number: u64) {
        let Some(pauses) = self.pauses_of(node) else { return };
        let site = self.core.program().node(node).id;
        let work = key_of(u64::from(instance), number);
        let lasts = pauses.lasts.sample(self.core.draw(Purpose::Pause, site, work, 1));
        let until = self.core.now() + lasts;
        self.pause(node, instance..instance + 1, until);
        self.schedule_pause(node, instance, number + 1, until);
    }

    /// Who stands still begins no other pause, so the gap counts from the end of the last one.
    fn schedule_pause(&mut self, node: NodeId, instance: u32, number: u64, after: Time) {
        let Some(pauses) = self.pauses_of(node) else { return };
        let site = self.core.program().node(node).id;
        let work = key_of(u64::from(instance), number);
        let gap = pauses.every.sample(self.core.draw(Purpose::Pause, site, work, 0));
        let at = after + gap.max(Span(1));
        self.core.schedule(at, Event::Pause { node, instance, number });
    }
}
