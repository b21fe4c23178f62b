//! Crashes: an instance loses what it had in memory, is down for a while, and starts again with
//! what is durable.
//!
//! What a dead process had sent is on its way and arrives; what arrives for it finds nobody. Jobs,
//! calls with their timers, policy states, cached rows and the position of a relay are gone. The
//! host of a process that died breaks its connections: whoever waits for an answer of it hears so
//! at once, unless the host is gone too.

use std::ops::Range;

use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::{EdgeId, Kind, NodeId};
use crate::policy::{Denial, Outcome};
use crate::system::World;
use crate::system::calls::Call;
use crate::system::control::Moment;
use crate::system::event::Event;
use crate::system::fact::Fact;
use crate::system::job::{Job, Origin};

impl<'p> World<'p> {
    /// Takes instances of a node down until a time.
    pub(in crate::system) fn crash(
        &mut self,
        node: NodeId,
        instances: Range<u32>,
        until: Time,
        unreachable: bool,
    ) {
        for instance in instances {
            if self.cx.fleet.stop((node, instance), self.cx.core.now(), until, unreachable) {
                self.cx.core.tell(Fact::Crashed { node, instance });
                self.lose_memory(node, instance, unreachable);
            }
            self.cx.core.schedule(until, Event::GoOn { node, instance });
        }
    }

    /// An instance may go on, unless it has been stopped for longer in the meantime.
    pub(in crate::system) fn go_on(&mut self, node: NodeId, instance: u32) {
        if self.cx.fleet.life(node, instance).stopped(self.cx.core.now()).is_some() {
            return;
        }
        if self.cx.fleet.restarts(node, instance, self.cx.core.now()) {
            self.cx.core.tell(Fact::Restarted { node, instance });
            // Of a host that was gone nobody has heard that its connections are.
            self.nodes.break_connections(&mut self.cx, node, Some(instance));
            self.nodes.restart(&mut self.cx, node, instance);
        }
        self.nodes.go_on(&mut self.cx, node);
    }

    /// Everything that an instance had in memory is gone.
    fn lose_memory(&mut self, node: NodeId, instance: u32, unreachable: bool) {
        if !unreachable {
            self.nodes.break_connections(&mut self.cx, node, Some(instance));
        }
        self.lose_calls(node, instance);
        self.lose_jobs(node, instance, unreachable);
        let program = self.cx.core.program();
        self.cx.calls.forget(&mut self.cx.core, node, instance);
        if !matches!(program.node(node).kind, Kind::Clients(_)) {
            self.cx.fleet.empty(program, node, instance);
        }
        self.nodes.lose_memory(&mut self.cx, node, instance);
    }

    /// Nobody waits any more for what an instance has asked of others. A user whose process is gone
    /// has given up.
    fn lose_calls(&mut self, node: NodeId, instance: u32) {
        let is_lost = |call: &Call| {
            let owner = self.cx.jobs.get(call.owner);
            owner.is_some_and(|job| job.node == node && job.instance == instance)
        };
        let calls = self.cx.calls.iter().filter(|(_, call)| is_lost(call));
        let mut lost: Vec<(u64, Handle)> = calls.map(|(handle, call)| (call.key, handle)).collect();
        lost.sort_unstable_by_key(|&(key, _)| key);
        for (_, handle) in lost {
            self.cx.calls.tell_never_made(&mut self.cx.core, handle, Denial::CallerLost);
            let ended = self.cx.calls.abandon(&mut self.cx.core, handle, None);
            self.close_call(handle, ended, Outcome::TimedOut);
        }
    }

    /// The work of an instance ends where it is, without an answer. Its host, if it is there,
    /// breaks the connections of those who wait for one.
    fn lose_jobs(&mut self, node: NodeId, instance: u32, unreachable: bool) {
        let is_lost = |job: &Job| job.node == node && job.instance == instance;
        let jobs = self.cx.jobs.iter().filter(|(_, job)| is_lost(job));
        let mut lost: Vec<(u64, Handle)> = jobs.map(|(handle, job)| (job.key, handle)).collect();
        lost.sort_unstable_by_key(|&(key, _)| key);
        for (_, handle) in lost {
            let Some(job) = self.cx.jobs.remove(handle) else { continue };
            if job.holding > 0 {
                self.nodes.release_all(&mut self.cx, handle);
            }
            self.cx.end_fallback(&job);
            if let Some(timer) = job.timer {
                self.cx.core.cancel(timer);
            }
            if let Some(work) = job.work(self.cx.core.now(), false) {
                self.cx.core.tell(Fact::Worked(work));
            }
            if let Some(stay) = job.stay() {
                self.cx.core.tell(Fact::Left(stay));
            }
            match job.origin {
                Origin::Nobody => self.nodes.end_flow(&mut self.cx, node, &job.subject, None),
                Origin::User(user) => {
                    self.nodes.end_flow(&mut self.cx, node, &job.subject, Some(user));
                }
                Origin::Call { call, attempt, edge } if !unreachable => {
                    let about = (job.key, job.subject.order);
                    self.cx.send_outcome((call, attempt, edge), node, about, Outcome::Reset);
                }
                Origin::Call { .. }
                | Origin::Delivery { .. }
                | Origin::Fork { .. }
                | Origin::Publish { .. } => {}
            }
        }
    }

    /// Lets an instance die if it is to die at this side of the step whose call this is; says
    /// whether it did.
    pub(in crate::system) fn dies_at(
        &mut self,
        owner: Handle,
        edge: EdgeId,
        moment: Moment,
    ) -> bool {
        let Some(job) = self.cx.jobs.get(owner) else { return false };
        let (node, instance, work) = (job.node, job.instance, job.key);
        let order = job.subject.order;
        let Some((control, kill)) = self.cx.core.kills_at(edge, moment, work) else { return false };
        // A fault that is over keeps nobody down.
        let until = (self.cx.core.now() + kill.down).min(control.until);
        let fault = control.fault;
        let is_own = !self.cx.core.program().is_upkeep_edge(edge);
        self.cx.core.tell(Fact::FaultFired(fault, is_own.then_some(order)));
        self.cx.core.tell(Fact::Killed { fault, node, instance });
        self.crash(node, instance..instance + 1, until, false);
        true
    }
}

#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod tests;
