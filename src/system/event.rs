//! What is going to happen in a run.

use crate::kernel::slab::Handle;
use crate::model::program::NodeId;

/// Something that is going to happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A user arrives at these clients.
    Arrive(NodeId),
    /// A user of a closed loop begins its next round.
    Return { clients: NodeId, user: u32 },
    /// A message arrives.
    Deliver(Handle),
    /// A job has worked or waited long enough.
    Resume(Handle),
    /// An attempt has taken too long.
    Timeout(Handle),
    /// A call is to be attempted again.
    Retry(Handle),
    /// A delivered message was not acknowledged in time, or is to be delivered again.
    Visible { queue: NodeId, message: u64 },
    /// A job has waited long enough for a worker.
    GiveUp(Handle),
    /// The oldest messages of a queue expire.
    Expire(NodeId),
    /// The handler of a message says that it still works.
    Heartbeat(Handle),
    /// A replica applies its next transaction.
    Replicate(NodeId),
    /// A database flushes its log.
    Flush(NodeId),
    /// An instance stands still for a while because the model says so, for this time from 0.
    Pause { node: NodeId, instance: u32, number: u64 },
    /// An instance may go on that was down or stood still.
    GoOn { node: NodeId, instance: u32 },
    /// A process looks at what it knows of the instances of a target.
    Sweep(DetectorId),
    /// A fault begins or ends.
    Switch { control: u32, on: bool },
}

/// The index of a detector: what one process knows of the instances of one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DetectorId(pub(super) u32);
