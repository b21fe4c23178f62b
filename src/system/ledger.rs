//! The books of a run: whatever came in has gone out or is still there. A mistake of ours that
//! drops a message or a call silently would make every number wrong; this is where it shows.

use super::fact::kind::FactKind;
use super::fact::{Direction, Fact, Transit};
use crate::model::program::{NodeId, Program};

/// What came in, and what went out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) entered: u64,
    pub(super) left: u64,
}

impl Account {
    pub(super) fn enter(&mut self) {
        self.entered += 1;
    }

    pub(super) fn leave(&mut self) {
        self.left += 1;
    }

    /// Whether what came in and did not go out is what is there.
    pub(super) fn agrees(self, present: usize) -> bool {
        self.entered == self.left + present as u64
    }
}

/// Messages over links in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Those that went on their way, second copies left out.
    pub sent: u64,
    /// Second copies that went on their way.
    pub duplicated: u64,
    /// Those of both that were lost.
    pub lost: u64,
    /// Those of both that arrived.
    pub arrived: u64,
}

impl Traffic {
    /// What went on its way, and what is not on its way any more.
    pub(super) fn account(&self) -> Account {
        let Traffic { sent, duplicated, lost, arrived } = *self;
        Account { entered: sent + duplicated, left: lost + arrived }
    }
}

/// What becomes of a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Sent,
    Duplicated,
    Lost,
    Arrived,
}

impl Way {
    /// The fact that says so.
    #[inline]
    pub(super) fn fact(self, transit: Transit) -> Fact {
        match self {
            Way::Sent => Fact::Sent(transit),
            Way::Duplicated => Fact::Duplicated(transit),
            Way::Lost => Fact::Lost(transit),
            Way::Arrived => Fact::Arrived(transit),
        }
    }

    /// The kind of that fact.
    #[inline]
    pub(super) fn kind(self) -> FactKind {
        match self {
            Way::Sent => FactKind::Sent,
            Way::Duplicated => FactKind::Duplicated,
            Way::Lost => FactKind::Lost,
            Way::Arrived => FactKind::Arrived,
        }
    }
}

/// The accounts of one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// Requests and replies.
    pub(super) messages: [Traffic; 2],
    /// Calls: begun, and answered, given up or lost with their caller.
    pub(super) calls: Account,
    /// Messages in all queues: accepted, and acknowledged, put aside, expired or lost.
    pub(super) queued: Account,
    /// The same for each queue, by its node.
    pub(super) queues: Vec<Account>,
    /// After how many events each node is looked at again.
    pub(super) look_again: u64,
}

impl Ledger {
    pub(super) fn new(program: &Program) -> Ledger {
        Ledger { queues: vec![Account::default(); program.nodes.len()], ..Ledger::default() }
    }

    /// Books messages that a queue accepts: one for each group of consumers.
    pub(super) fn accept(&mut self, queue: NodeId, messages: usize) {
        for _ in 0..messages {
            self.queued.enter();
            self.queues[queue.0 as usize].enter();
        }
    }

    /// Books what becomes of a message on its way.
    #[inline]
    pub(super) fn carry(&mut self, direction: Direction, way: Way) {
        let traffic = &mut self.messages[direction as usize];
        *match way {
            Way::Sent => &mut traffic.sent,
            Way::Duplicated => &mut traffic.duplicated,
            Way::Lost => &mut traffic.lost,
            Way::Arrived => &mut traffic.arrived,
        } += 1;
    }

    /// Books what a fact says about messages in queues. Where a fact is told, it is
    /// known which one it is, so that little or nothing is left of this.
    #[inline(always)]
    pub(super) fn book(&mut self, fact: &Fact) {
        match *fact {
            Fact::Acknowledged { queue, .. }
            | Fact::DeadLettered { queue, .. }
            | Fact::Expired { queue, .. }
            | Fact::MessageLost { queue, .. } => {
                self.queued.leave();
                self.queues[queue.0 as usize].leave();
            }
            _ => {}
        }
    }
}
