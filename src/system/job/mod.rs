//! Jobs: operations being carried out, step by step.

mod forked;
mod notes;
mod rounds;
mod stand_in;

use super::fact::{Asked, Stay, Work};
use super::fleet::Holds;
use crate::kernel::queue::TimerId;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{EdgeId, LabelId, NodeId, Operation, OperationId, Program, TableId};
use crate::policy::{Outcome, OutcomeKind};

pub(super) use forked::Forked;
pub(super) use notes::{Notes, Shown, of_answer, row_of};
pub(super) use rounds::Rounds;
pub(super) use stand_in::StoodInFor;

/// What work is about: it travels with every message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    /// The order: one number for each user's flow, from 0.
    pub(super) order: u64,
    /// The key that the user is about.
    pub(super) key: u32,
    /// The thing within its key that the user is about.
    pub(super) subkey: u32,
    /// How large the request is; 1 where nothing says so.
    pub(super) size: f32,
    /// The amount that it is about: the version of the row that it was read from; 0 if none was.
    pub(super) amount: u32,
    /// What the message that led to it tells of; [`NO_EVENT`] if it tells of nothing.
    pub(super) event: LabelId,
    /// A stable key of the user's request; 0 where there is none.
    pub(super) request: u64,
    /// The user's request; nobody's where there is none.
    pub(super) asked: Asked,
    /// Since when this work has been due.
    pub(super) since: Time,
}

/// No label: there are fewer of them.
pub(super) const NO_EVENT: LabelId = LabelId(u16::MAX);

impl Default for Subject {
    fn default() -> Subject {
        Subject {
            order: 0,
            key: 0,
            subkey: 0,
            size: 1.0,
            amount: 0,
            event: NO_EVENT,
            request: 0,
            asked: Asked::BY_NOBODY,
            since: Time::ZERO,
        }
    }
}

/// Who asked for a job.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// Nobody: a user's flow, or a relay.
    Nobody,
    /// This user of a closed loop, who comes back after the flow.
    User(u32),
    /// A caller.
    Call { call: Handle, attempt: u32, edge: EdgeId },
    /// A queue that delivered a message.
    Delivery { queue: NodeId, message: u64 },
    /// A job that runs several lists of steps at once; `round` says which time.
    Fork { parent: Handle, round: u16 },
    /// A relay, for one of the requests by which it publishes a batch.
    Publish { relay: Handle, request: u32 },
}

/// An operation being carried out.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) node: NodeId,
    pub(super) operation: OperationId,
    pub(super) instance: u32,
    /// The next step.
    pub(super) step: u32,
    /// A stable key of this work.
    pub(super) key: u64,
    /// How many draws this job has made for its work.
    pub(super) drawn: u16,
    pub(super) origin: Origin,
    pub(super) subject: Subject,
    /// What was read or written last, see [`pack`]; 0 if nothing was found.
    pub(super) value: u64,
    /// What makes repetitions of this work the same work; 0 if nothing does.
    pub(super) token: u64,
    /// What it knows of rows, if it compares the answers to its calls.
    pub(super) notes: Option<Box<Notes>>,
    pub(super) worked: Span,
    /// Until when its newest piece of work takes.
    pub(super) works_until: Time,
    pub(super) timer: Option<TimerId>,
    /// When its caller stops waiting; never, if nobody waits for an answer.
    pub(super) deadline: Time,
    /// When it came to its node.
    pub(super) entered: Time,
    /// How many were there then, itself included.
    pub(super) beside: u32,
    /// When a worker took it up; never while it waits for one.
    pub(super) begun: Time,
    /// Whether it counts among the jobs at work of its instance.
    pub(super) is_at_work: bool,
    /// How many lists under a row lock it is in.
    pub(super) holding: u8,
    /// What its last call came to.
    pub(super) heard: Outcome,
    /// What few jobs have, if it has any of that.
    pub(super) extra: Option<Box<Extra>>,
}

/// What few jobs have: kept apart, so that the others are small.
#[derive(Clone, Debug, Default)]
pub(super) struct Extra {
    /// What it waits for while its branches run.
    pub(super) forked: Forked,
    /// The lists that it is in which are done again.
    pub(super) rounds: Rounds,
    /// How long its worker works on its connection before it begins.
    pub(super) accepts: Span,
    /// What it has of pools.
    pub(super) holds: Holds,
    /// The request for which its fallback stands in.
    pub(super) stands_in_for: Option<StoodInFor>,
    /// What it is answered although its work is done, if it is to fail.
    pub(super) fails_with: Option<Outcome>,
}

/// What becomes of a job at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It goes on with its next step.
    GoesOn,
    /// It waits for something, or has ended.
    Waits,
    /// It waits for something, and then takes this step again.
    Repeats,
    /// It ends, and whoever asked for it gets this answer.
    Ends(Outcome),
}

/// A row's version, table and state as one word.
pub(super) fn pack(version: u64, table: TableId, state: LabelId) -> u64 {
    version << 32 | u64::from(table.0) << 16 | u64::from(state.0)
}

/// Instead of a packed word: the row that a transaction is based on was not read.
pub(super) const UNREAD: u64 = u64::MAX;

/// The version in a packed word; 0 if nothing was found.
pub(super) fn version(value: u64) -> u64 {
    value >> 32
}

/// The state in a packed word.
pub(super) fn state(value: u64) -> LabelId {
    LabelId(value as u16)
}

/// Whether a packed word is of a table.
pub(super) fn is_of_table(value: u64, table: TableId) -> bool {
    value as u32 >> 16 == u32::from(table.0)
}

/// How a job is answered one of whose steps came to this and failed.
pub(super) fn failed(heard: Outcome) -> Outcome {
    match heard.kind() {
        OutcomeKind::Invalid => Outcome::Invalid,
        _ => Outcome::Failed,
    }
}

impl Job {
    pub(super) fn new(
        program: &Program,
        operation: OperationId,
        key: u64,
        origin: Origin,
        subject: Subject,
    ) -> Job {
        let Operation { node, start: step, .. } = *program.operation(operation);
        Job {
            node,
            operation,
            instance: 0,
            step,
            key,
            drawn: 0,
            origin,
            subject,
            value: 0,
            token: 0,
            notes: program.compares_answers(operation).then(Box::default),
            worked: Span::ZERO,
            works_until: Time::ZERO,
            deadline: Time::NEVER,
            entered: Time::ZERO,
            beside: 0,
            begun: Time::NEVER,
            is_at_work: false,
            timer: None,
            holding: 0,
            heard: Outcome::Ok,
            extra: None,
        }
    }

    /// What it has beside what all jobs have, to change it.
    pub(super) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Whether it waits for the branches of this round.
    pub(super) fn waits_for_branches(&self, round: u16) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.forked.waits_for(round))
    }

    /// Its stay at its node, if a caller asked for it.
    #[inline]
    pub(super) fn stay(&self) -> Option<Stay> {
        let Origin::Call { attempt, edge, .. } = self.origin else { return None };
        let found = self.beside.saturating_sub(1);
        let asked = self.subject.asked;
        let begun = (self.begun < Time::NEVER).then_some(self.begun);
        Some(Stay { edge, attempt, asked, arrived: self.entered, begun, found })
    }

    /// What it has worked until now; `None` if it has not worked.
    #[inline]
    pub(super) fn work(&self, now: Time, awaited: bool) -> Option<Work> {
        // The newest piece of work may go on.
        let span = self.worked - self.works_until.since(now);
        let (order, asked) = (self.subject.order, self.subject.asked);
        (span > Span::ZERO).then_some(Work { node: self.node, order, asked, span, awaited })
    }

    /// The order for which it works; what a relay does for itself is for none.
    pub(super) fn order(&self, program: &Program) -> Option<u64> {
        let is_upkeep =
            matches!(self.origin, Origin::Call { edge, .. } if program.is_upkeep_edge(edge));
        (!is_upkeep).then_some(self.subject.order)
    }

    /// The message being handled, counted from 1; 0 if there is none.
    #[inline]
    pub(super) fn delivery(&self) -> u64 {
        match self.origin {
            Origin::Delivery { message, .. } => message + 1,
            _ => 0,
        }
    }
}
