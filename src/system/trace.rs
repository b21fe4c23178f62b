//! What the digest of a run is made of: the kinds of what happens, and the version of what a seed
//! means.

use crate::policy::Outcome;

/// The version of what a seed means: equal versions give equal digests (`docs/determinism.md`).
pub const TRACE: u32 = 7;

/// What happened. Its number is folded into the digest, so a kind keeps its number for ever; the
/// compiler sees to it that no two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum TraceKind {
    /// A user arrived.
    Arrival = 1,
    /// A job went on.
    Resume = 2,
    /// An attempt took too long.
    Timeout = 3,
    /// A call was attempted again.
    Retry = 4,
    /// A message of a queue could be delivered.
    Visible = 5,
    /// A replica applied a transaction.
    Replicate = 6,
    /// A database flushed its log.
    Flush = 7,
    /// A fault began or ended.
    Switch = 8,
    /// An attempt arrived.
    Request = 10,
    /// An answer arrived.
    Reply = 11,
    /// A message arrived at a worker.
    Delivery = 12,
    /// A message came back to its queue.
    GivenBack = 13,
    /// Messages expired.
    Expire = 14,
    /// A queue heard that a message is still handled.
    Extended = 15,
    /// A second copy of a message arrived at a worker.
    SecondDelivery = 16,
    /// A worker said that it still handles a message.
    Heartbeat = 17,
    /// A user of a closed loop came back.
    Return = 20,
    /// A job stopped waiting for a worker.
    GiveUp = 24,
    /// An instance began to stand still.
    Pause = 30,
    /// An instance went on.
    GoOn = 31,
    /// A process looked at what it knows of the instances of a target.
    Sweep = 32,
}

impl TraceKind {
    /// The number that is folded.
    #[inline]
    pub(super) fn number(self) -> u64 {
        self as u64
    }

    /// The number of an answer: one for each outcome.
    #[inline]
    pub(super) fn of_reply(outcome: Outcome) -> u64 {
        TraceKind::Reply.number() + (u64::from(outcome.number()) << 8)
    }
}
