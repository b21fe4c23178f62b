//! Pauses: an instance stands still, keeps everything, and does late what it would have done.
//!
//! A collection of garbage or a migration of a virtual machine stops every thread. Work in progress
//! takes so much longer; messages and timers that fall into the pause are handled at its end, in
//! their order.

use crate::system::World;
use crate::system::event::Event;
use crate::system::network::Message;

impl<'p> World<'p> {
    /// Puts an event off that falls into a time when its instance does nothing; says whether it
    /// did.
    pub(in crate::system) fn put_off(&mut self, event: Event) -> bool {
        match event {
            Event::Resume(job) => self.cx.put_job_off(job),
            Event::GiveUp(job) => self.cx.put_patience_off(job),
            Event::Heartbeat(job) => {
                let paused = self.cx.jobs.get(job).and_then(|job| {
                    self.cx.fleet.life(job.node, job.instance).paused(self.cx.core.now())
                });
                paused.is_some_and(|until| self.cx.again(until, event))
            }
            Event::Timeout(call) | Event::Retry(call) => {
                let Some(until) = self.cx.paused_caller(call) else { return false };
                self.cx.calls.set_timer(&mut self.cx.core, call, until, event);
                true
            }
            Event::Deliver(message) => {
                let Some(&Message::Reply { call, .. }) = self.cx.network.get(message) else {
                    return false;
                };
                self.cx.paused_caller(call).is_some_and(|until| self.cx.again(until, event))
            }
            Event::Visible { queue, message } => {
                let Some(until) = self.cx.fleet.life(queue, 0).stopped(self.cx.core.now()) else {
                    return false;
                };
                let timer = self.cx.core.schedule_timer(until, event);
                self.nodes.hide_again(queue, message, timer);
                true
            }
            Event::Replicate(node) | Event::Flush(node) | Event::Expire(node) => {
                let stopped = self.cx.fleet.life(node, 0).stopped(self.cx.core.now());
                stopped.is_some_and(|until| self.cx.again(until, event))
            }
            _ => false,
        }
    }
}
