//! A fault begins or ends.

use std::ops::Range;

use crate::system::World;
use crate::system::control::{Action, Control};
use crate::system::fact::Fact;

impl<'p> World<'p> {
    /// Switches a control on or off and works out anew what acts on whom.
    pub(in crate::system) fn switch(&mut self, control: u32, on: bool) {
        self.cx.core.apply(control, on);
        let fault = self.cx.core.controls()[control as usize].fault;
        self.cx.core.tell(if on { Fact::FaultBegan(fault) } else { Fact::FaultEnded(fault) });
        self.strike(control, on);
    }

    /// Does what a fault does once, when it begins or ends.
    fn strike(&mut self, control: u32, on: bool) {
        let Control { fault, until, action, .. } = &self.cx.core.controls()[control as usize];
        match action {
            Action::Crash { node, instances, unreachable } if on => {
                self.fired_at(*fault, instances);
                self.crash(*node, instances.clone(), *until, *unreachable);
            }
            Action::Pause { node, instances } if on => {
                self.fired_at(*fault, instances);
                self.cx.pause(*node, instances.clone(), *until);
            }
            // Who comes to its step dies while it is on.
            Action::Kill { .. } => {}
            Action::QueueStall { node } if !on => self.nodes.resume_queue(&mut self.cx, *node),
            Action::Redelivery { node, since } if on => {
                self.nodes.redeliver(&mut self.cx, *node, *since);
            }
            action if on => self.begin_at_once(*fault, action),
            action => self.end_at_once(action),
        }
    }

    /// Tells that a fault struck each of these instances.
    fn fired_at(&mut self, fault: u32, instances: &Range<u32>) {
        for _ in instances.clone() {
            self.cx.core.tell(Fact::FaultFired(fault, None));
        }
    }

    /// Lets queues keep what a fault will ask for again.
    pub(in crate::system) fn remember_for_faults(&mut self) {
        for control in self.cx.core.controls() {
            if let Action::Redelivery { node, since } = control.action {
                self.nodes.remember_for(node, since);
            }
        }
    }
}

impl<'p> World<'p> {
    /// What a fault does at once when it begins.
    pub(in crate::system) fn begin_at_once(&mut self, fault: u32, action: &Action) {
        match *action {
            Action::Promote { database, replica } => {
                self.cx.core.tell(Fact::FaultFired(fault, None));
                self.nodes.promote(&mut self.cx, database, replica);
            }
            Action::FlushCache { node } => {
                self.cx.core.tell(Fact::FaultFired(fault, None));
                self.nodes.flush_cache(&mut self.cx, node);
            }
            Action::Corrupt { node, share } => {
                for _ in 0..self.nodes.corrupt(&mut self.cx, node, share) {
                    self.cx.core.tell(Fact::FaultFired(fault, None));
                }
            }
            _ => {}
        }
    }

    /// What is made good at once when a fault ends.
    pub(in crate::system) fn end_at_once(&mut self, action: &Action) {
        match *action {
            Action::Promote { database, replica } => {
                self.nodes.rejoin(&mut self.cx, database, replica);
            }
            Action::StopReplica { node } => self.nodes.replicate(&mut self.cx, node),
            Action::CutOff { node, .. } => {
                let rules = self.cx.database_rules(node);
                for &replica in &rules.replicas {
                    self.nodes.replicate(&mut self.cx, replica);
                }
            }
            _ => {}
        }
    }
}
