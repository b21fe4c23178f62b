//! Messages that are handed over ahead of their turn, and whether they stay hidden until then.

use crate::kernel::time::Span;
use crate::model::program::{Kind, NodeId, Program, Queue};

/// What each instance of a worker is handed ahead of its turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Ahead {
    /// The queue.
    pub queue: String,
    /// How many messages wait at an instance at the most; `None` is any number.
    pub messages: Option<u32>,
    /// How long the last of them waits for a worker if so many are there, in seconds.
    pub wait_s: f64,
    /// After how long its visibility is no longer needed, or begins anew, in seconds: when it is
    /// done with, or when its worker sends the first heartbeat.
    pub needed_s: f64,
    /// How long it is hidden from others, in seconds.
    pub visibility_s: f64,
}

impl Ahead {
    /// Whether the last message in hand is delivered again while it waits or is worked on.
    pub fn is_too_late(&self) -> bool {
        self.needed_s > self.visibility_s
    }
}

/// What a node is handed ahead of its turn if one message takes so many seconds of a worker.
pub(super) fn ahead(program: &Program, node: NodeId, each_s: f64) -> Option<Ahead> {
    let text = program.node(node);
    let Kind::Service(service) = &text.kind else { return None };
    let workers = text.station.workers;
    let takes = |queue: &Queue| queue.groups.iter().any(|group| group.consumers.contains(&node));
    let (name, queue) = program.nodes.iter().find_map(|other| match &other.kind {
        Kind::Queue(queue) if takes(queue) => Some((&other.name, queue)),
        _ => None,
    })?;
    // What a queue hands out at once, or keeps, fills the workers first.
    let partitions = if queue.partitions == 0 { u32::MAX } else { queue.partitions };
    let limits = [queue.in_flight, queue.limit, partitions].into_iter();
    let limits =
        limits.filter(|&limit| limit < u32::MAX).map(|limit| limit.saturating_sub(workers));
    let messages = limits.fold(service.prefetch, u32::min);
    if messages == 0 {
        return None;
    }
    let messages = Some(messages).filter(|&messages| messages < u32::MAX);
    let wait_s = messages
        .map_or(f64::INFINITY, |messages| f64::from(messages) * each_s / f64::from(workers));
    let beat_s = queue.heartbeat.map_or(f64::INFINITY, Span::seconds);
    Some(Ahead {
        queue: name.clone(),
        messages,
        wait_s,
        needed_s: wait_s + each_s.min(beat_s),
        visibility_s: queue.visibility.seconds(),
    })
}
